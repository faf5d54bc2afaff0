using System.CommandLine;
using System.Text;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary><c>gateway explain</c>: asks the very judge that the server asks, and says what it says.</summary>
internal static class ExplainVerb
{
    private static readonly Argument<string> _method = new("METHOD") { Description = "GET, POST, …" };
    private static readonly Argument<string> _path = new("PATH") { Description = "path and query, such as /api/v1/node/7" };

    /// <summary>The version that is taken where no Headscale can be asked.</summary>
    private static readonly HeadscaleVersion _usual = new(29);

    private static readonly Option<string?> _role = new("--role") { Description = "as somebody with this role" };
    private static readonly Option<string?> _user = new("--user")
    {
        Description = "as this person: the number, or the identity such as proxy:alice",
    };
    private static readonly Option<string?> _headscaleUser = new("--headscale-user")
    {
        Description = "with --role: as if linked to this Headscale user id",
    };
    private static readonly Option<string?> _body = new("--body") { Description = "the file with the request's body" };
    private static readonly Option<string?> _version = new("--headscale-version")
    {
        Description = "as if Headscale had this version, such as 0.28",
    };

    public static Command Create()
    {
        var verb = new Command("explain", "Say what would be decided about a call, by which row, and why.")
        {
            _method, _path, _role, _user, _headscaleUser, _body, _version, CommandLine.Json,
        };
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

    /// <summary>Decides as the server would. Null, with a complaint, when there is no such role or person.</summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    public static async Task<(Facts Facts, AuthorizationResult Result, IReadOnlyList<RuleCheck> Checks)?> ExplainAsync(
        Configuration configuration, HeadscaleClient client, Question question, CancellationToken cancel)
    {
        if (await FactsAsync(question, configuration, client, cancel) is not { } facts)
        {
            return null;
        }

        var target = RawTarget.Parse(question.Path);
        var match = configuration.Table.Find(question.Method, target?.Path ?? "");
        var call = new WireCall(question.Method, target, match, new HeaderDictionary(), new GivenBody(question.Body));
        var owners = new OwnerLookup(client, TimeProvider.System);
        var authorizer = new Authorizer(owners, new GatewayKey(client, new ConfigurationMonitor(configuration)), VersionAsync);
        var result = await authorizer.AuthorizeAsync(new(call, facts), cancel);
        if (match.Rule is not { Plane: Plane.Api } rule)
        {
            return (facts, result, []);
        }

        // A refusal ends the reading; whoever may do everything has the rest of it looked up.
        var read = result.Decision.IsAllowed ? result
            : await authorizer.AuthorizeAsync(new(call, facts with { SignedIn = true, Role = configuration.Table.Roles[0] }), cancel);
        var known = result.Facts with { Key = read.Facts.Key, Version = read.Facts.Version };
        return (facts, result, RuleChecks.Of(rule, read.Call, known));

        async ValueTask<HeadscaleVersion> VersionAsync(CancellationToken token) =>
            (question.Version ?? (await client.GetVersionAsync(token)).Version).Known;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var needsMore = parsed.GetValue(_user) is not null || parsed.GetValue(_headscaleUser) is not null;
        var isShipped = !needsMore && parsed.GetValue(CommandLine.Config) is null
            && ConfigurationFiles.Find(null, parsed.GetValue(CommandLine.Routes), out _) is null;
        if ((isShipped ? ConfigurationFiles.Shipped() : CommandLine.Load(parsed)?.Configuration) is not { } configuration)
        {
            return Output.Failed;
        }

        if (isShipped)
        {
            await Console.Error.WriteLineAsync($"no configuration: judged by the shipped policy, for Headscale {_usual}");
        }

        var question = new Question(
            parsed.GetValue(_method)!, parsed.GetValue(_path)!, parsed.GetValue(_role), parsed.GetValue(_user), parsed
                .GetValue(_headscaleUser),
            parsed.GetValue(_body) is { } file ? await File.ReadAllBytesAsync(file, cancel) : [],
            parsed.GetValue(_version) is { } version ? HeadscaleVersion.Parse(version) : isShipped ? _usual : null);
        using var client = HeadscaleClient.Of(new ConfigurationMonitor(configuration));
        if (await ExplainAsync(configuration, client, question, cancel) is not var (facts, result, checks))
        {
            return Output.Failed;
        }

        Print(parsed.GetValue(CommandLine.Json), facts, result, checks);
        return result.Decision.IsAllowed ? Output.Fine : Output.Failed;
    }

    /// <summary>Who would be asking; null when there is no such role or person.</summary>
    private static async Task<Facts?> FactsAsync(
        Question question, Configuration configuration, HeadscaleClient client, CancellationToken cancel)
    {
        if (question.User is { } wanted)
        {
            if (await ControlClient.AskAsync(configuration, ControlClient.Request("users.show", ("who", wanted)),
                ControlJson.Default.PersonLine, cancel) is not { } person)
            {
                return null;
            }

            // A link that does not hold any more says why.
            var user = person.WhyUnlinked is null ? person.HeadscaleUser : null;
            return FactsOf(configuration, person.Role, user, user is null ? null : new UserSnapshot(await client.ListUsersAsync(cancel)));
        }

        if (question.Role is null)
        {
            return Facts.Anonymous;
        }

        if (!configuration.Table.HasRole(question.Role))
        {
            await Console.Error.WriteLineAsync(
                $"there is no role '{question.Role}'{Problems.Suggest(question.Role, configuration.Table.Roles.Select(one => one.Name))}");
            return null;
        }

        return FactsOf(
            configuration, question.Role, question.HeadscaleUser,
            question.HeadscaleUser is null ? null : new UserSnapshot(await client.ListUsersAsync(cancel)));
    }

    private static Facts FactsOf(Configuration configuration, string role, string? userId, UserSnapshot? users)
    {
        var linked = userId is not null && users?.Find(userId) is { } user
            ? new LinkedUser(user.Id, user.Name, users.IsUnique(user.Name))
            : null;
        return new Facts(true, configuration.Table.RoleNamed(role), linked, false, Ownership.Unknown);
    }

    private static void Print(bool json, Facts facts, AuthorizationResult result, IReadOnlyList<RuleCheck> checks)
    {
        var decision = result.Decision;
        var text = Refusals.TextOf(new(decision.Reason, facts.SignedIn ? facts.Role.Name : null, decision.Lacks, decision.Detail));
        var upstream = decision.IsAllowed
            ? new UpstreamLine(
                result.Call.Method, result.UpstreamTarget, result.UpstreamBody is { } sent ? Encoding.UTF8.GetString(sent) : null)
            : null;
        if (json)
        {
            Output.Json(
                new Explanation(
                    decision.IsAllowed, SnakeCase.From(decision.Reason.ToString()), Refusals.StatusOf(decision.Reason), decision.Rule?.Id,
                    decision.Lacks is Capability.None ? null : decision.Lacks.Name, SnakeCase.From(decision.View.ToString()), text,
                        upstream, checks),
                CliJson.Default.Explanation);
            return;
        }

        Console.WriteLine(
            $"{(decision.IsAllowed ? "allowed" : "refused")}: {SnakeCase.From(decision.Reason.ToString())} "
            + $"({(decision.Rule is { } row ? $"row {row.Id}" : "no row")})");
        Console.WriteLine(
            decision.IsAllowed ? $"sends {upstream!.Method} "
                + $"{upstream.Target}{(upstream.Body is null ? "" : $" {upstream.Body}")}"
                    : $"{Refusals.StatusOf(decision.Reason)}: {text}");
        if (decision is { IsAllowed: true, View: View.Own })
        {
            Console.WriteLine("the caller sees and touches only what is their own");
        }

        foreach (var check in checks)
        {
            Console.WriteLine($"  {check.Holds switch { true => "yes", false => "NO ", null => "?  " }}  {check.Text}");
        }
    }
}

/// <summary>A call to explain.</summary>
internal sealed record Question(
    string Method, string Path, string? Role, string? User, string? HeadscaleUser, byte[] Body, HeadscaleVersion? Version);
