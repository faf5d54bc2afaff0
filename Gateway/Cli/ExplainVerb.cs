using System.CommandLine;
using System.Text;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Users;

namespace Gateway.Cli;

/// <summary><c>gateway explain</c>: asks the very judge that the server asks, and says what it says.</summary>
internal static class ExplainVerb
{
    private static readonly Argument<string> _method = new("METHOD") { Description = "GET, POST, …" };
    private static readonly Argument<string> _path = new("PATH") { Description = "path and query, such as /api/v1/node/7" };
    private static readonly Option<string?> _role = new("--role") { Description = "as somebody with this role" };
    private static readonly Option<string?> _user = new("--user") { Description = "as this person: the number, or the identity such as proxy:alice" };
    private static readonly Option<string?> _headscaleUser = new("--headscale-user") { Description = "with --role: as if linked to this Headscale user id" };
    private static readonly Option<string?> _body = new("--body") { Description = "the file with the request's body" };
    private static readonly Option<string?> _version = new("--headscale-version") { Description = "as if Headscale had this version, such as 0.28" };

    public static Command Create()
    {
        var verb = new Command("explain", "Say what would be decided about a call, by which row, and why.") { _method, _path, _role, _user, _headscaleUser, _body, _version, CommandLine.Json };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(_role) is not null && result.GetValue(_user) is not null)
            {
                result.AddError("--role and --user exclude each other");
            }

            if (result.GetValue(_version) is { } version && HeadscaleVersion.Parse(version) is null)
            {
                result.AddError($"'{version}' is not a version of Headscale, such as 0.28");
            }
        });
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        using var client = new HeadscaleClient(new Live<Configuration>(configuration), TimeProvider.System);
        if (await FactsAsync(parsed, configuration, client, cancel) is not { } facts)
        {
            return Output.Failed;
        }

        var body = parsed.GetValue(_body) is { } file ? await File.ReadAllBytesAsync(file, cancel) : [];
        var judgement = await new Judge(new OwnerLookup(client)).DecideAsync(
            new Case(configuration.Table, parsed.GetValue(_method)!, RawTarget.Parse(parsed.GetValue(_path)!), body.Length > 0, facts),
            limit => Task.FromResult<(byte[], (Reason, string)?)>(body.Length > limit ? ([], (Reason.TooLarge, $"the body is larger than {limit} bytes")) : (body, null)),
            () => VersionAsync(parsed, client, cancel),
            cancel);
        Print(parsed, facts, judgement);
        return judgement.Decision.IsAllowed ? Output.Fine : Output.Failed;
    }

    private static async ValueTask<HeadscaleVersion> VersionAsync(ParseResult parsed, HeadscaleClient client, CancellationToken cancel) =>
        (parsed.GetValue(_version) is { } given ? HeadscaleVersion.Parse(given)!.Value : await client.GetVersionAsync(cancel)).Known;

    /// <summary>Who would be asking; null when there is no such role or person.</summary>
    private static async Task<Facts?> FactsAsync(ParseResult parsed, Configuration configuration, HeadscaleClient client, CancellationToken cancel)
    {
        if (parsed.GetValue(_user) is { } wanted)
        {
            var people = new SqlitePersonStore(SqliteFile.Open(configuration.Settings.Store.File), TimeProvider.System).List().People;
            if (PersonReference.Find(people, wanted) is not { } person)
            {
                await Console.Error.WriteLineAsync(PersonReference.NotFound(wanted));
                return null;
            }

            var user = person.Link is null ? null : Admission.LinkOf(person, new UserSnapshot(await client.ListUsersAsync(cancel)));
            return new Facts(true, configuration.Table.RoleNamed(person.Role), user is null ? null : await LinkedAsync(client, user.Id, cancel), false, Ownership.Unknown);
        }

        if (parsed.GetValue(_role) is not { } role)
        {
            return new Facts(false, Role.Unknown, null, false, Ownership.Unknown);
        }

        if (!configuration.Table.HasRole(role))
        {
            await Console.Error.WriteLineAsync($"there is no role '{role}'{Problems.Suggest(role, configuration.Table.Roles.Select(one => one.Name))}");
            return null;
        }

        return new Facts(true, configuration.Table.RoleNamed(role), parsed.GetValue(_headscaleUser) is { } id ? await LinkedAsync(client, id, cancel) : null, false, Ownership.Unknown);
    }

    private static async Task<LinkedUser?> LinkedAsync(HeadscaleClient client, string id, CancellationToken cancel)
    {
        var users = new UserSnapshot(await client.ListUsersAsync(cancel));
        return users.Find(id) is { } user ? new LinkedUser(user.Id, user.Name, users.IsUnique(user.Name)) : null;
    }

    private static void Print(ParseResult parsed, Facts facts, Judgement judgement)
    {
        var decision = judgement.Decision;
        var text = Refusals.TextOf(new(decision.Reason, facts.SignedIn ? facts.Role.Name : null, decision.Lacks, decision.Detail));
        var upstream = decision.IsAllowed
            ? new UpstreamLine(judgement.Call.Method, judgement.UpstreamTarget, judgement.UpstreamBody is { } sent ? Encoding.UTF8.GetString(sent) : null)
            : null;
        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(
                new Explanation(
                    decision.IsAllowed, SnakeCase.From(decision.Reason.ToString()), Refusals.StatusOf(decision.Reason), decision.Row?.Id,
                    decision.Lacks is Capability.None ? null : decision.Lacks.Name, SnakeCase.From(decision.View.ToString()), text, upstream),
                CliJson.Default.Explanation);
            return;
        }

        Console.WriteLine($"{(decision.IsAllowed ? "allowed" : "refused")}: {SnakeCase.From(decision.Reason.ToString())} ({(decision.Row is { } row ? $"row {row.Id}" : "no row")})");
        Console.WriteLine(decision.IsAllowed ? $"sends {upstream!.Method} {upstream.Target}{(upstream.Body is null ? "" : $" {upstream.Body}")}" : $"{Refusals.StatusOf(decision.Reason)}: {text}");
        if (decision is { IsAllowed: true, View: View.Own })
        {
            Console.WriteLine("the caller sees and touches only what is their own");
        }
    }
}
