using System.CommandLine;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Users;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary>
/// <c>gateway import headplane</c>: its people with their roles, and those of its links that hold. Headplane links by the
/// last part of a subject and by addresses that nobody verified, so a link is taken over only where Headscale's own
/// <c>providerId</c> says the same, or where the Headscale user is a local one.
/// </summary>
internal static class ImportVerb
{
    private const string ProxyStart = "proxy:";

    private static readonly Option<string> _database = new("--database") { Description = "Headplane's hp_persist.db", Required = true };
    private static readonly Option<bool> _dryRun = new("--dry-run") { Description = "only say what would be done" };

    public static Command Create()
    {
        var headplane = new Command("headplane", "Take over the people of Headplane, their roles and their links.") { _database, _dryRun };
        headplane.SetAction(RunAsync);
        return new Command("import", "Take over what another program has.") { headplane };
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var found = HeadplaneDatabase.Read(parsed.GetValue(_database)!);
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        using var client = HeadscaleClient.Of(new ConfigurationMonitor(configuration));
        var users = new UserSnapshot(await client.ListUsersAsync(cancel));
        if (await ControlClient.AskAsync(configuration, ControlClient.Request("users.list"), ControlJson.Default.IReadOnlyListPersonLine,
            cancel) is not { } present)
        {
            return Output.Failed;
        }

        var hasOwner = present.Any(one => one.Role == Role.OwnerName);
        var rows = new List<string?[]>();
        foreach (var one in found)
        {
            if (PersonOf(one, configuration) is not { } person)
            {
                rows.Add([one.Subject, one.Role, null, "left out: its issuer is not known; set oidc.issuer first"]);
                continue;
            }

            var (link, note) = LinkOf(one, person, users, configuration);
            if (person.Role == Role.OwnerName && hasOwner)
            {
                (person, note) = (person with { Role = configuration.Table.Roles[1].Name }, "there is an owner already; " + note);
            }

            hasOwner |= person.Role == Role.OwnerName;
            var outcome = parsed.GetValue(_dryRun) ? "would be added" : await AddAsync(configuration, person, link, cancel);
            rows.Add(
                [$"{person.Source.Name}:{person.Subject}", person.Role, link?.HeadscaleUserId, $"{outcome}; {note}".TrimEnd(' ', ';')]);
        }

        Output.Table(["PERSON", "ROLE", "HEADSCALE USER", "WHAT"], rows);
        return Output.Fine;
    }

    private static NewPerson? PersonOf(HeadplanePerson one, Configuration configuration)
    {
        var role = configuration.Table.HasRole(one.Role) ? one.Role : Role.MemberName;
        return one.Subject.StartsWith(ProxyStart, StringComparison.Ordinal)
            ? new(Source.Proxy, "", one.Subject[ProxyStart.Length..], one.Name, one.Email, null, role)
            : configuration.Settings.Oidc?.Issuer is { Length: > 0 } issuer
                ? new(Source.Oidc, issuer, one.Subject, one.Name, one.Email, null, role)
            : null;
    }

    private static (UserLink? Link, string Note) LinkOf(
        HeadplanePerson one, NewPerson person, UserSnapshot users, Configuration configuration)
    {
        if (one.HeadscaleUserId is not { Length: > 0 } id)
        {
            return (null, "");
        }

        if (users.Find(id) is not { } user)
        {
            return (null, $"Headscale has no user {id} any more");
        }

        var holds = user.IsLocal
            || ProviderId.Candidates(configuration.Settings.Headscale.OidcIssuer ?? person.Issuer, person.Subject)
                .Contains(user.ProviderId, StringComparer.Ordinal);
        return holds
            ? (new UserLink(user.Id, user.Fingerprint, LinkSource.Auto), "")
            : (null, $"not linked to {user.Label}: to the provider, that is somebody else; link them by hand where you know better");
    }

    private static async Task<string> AddAsync(Configuration configuration, NewPerson person, UserLink? link, CancellationToken cancel)
    {
        var outcome = await ImportAsync(configuration, person, link, cancel);
        if (outcome == "claimed")
        {
            return await ImportAsync(configuration, person, null, cancel) == "done"
                ? "added without a link: that Headscale user is somebody else's"
                : "left out";
        }

        return outcome == "done" ? "added" : outcome == "exists" ? "there already" : "left out";
    }

    private static Task<string?> ImportAsync(Configuration configuration, NewPerson person, UserLink? link, CancellationToken cancel)
    {
        var request = ControlClient.Request(
            "users.import", ("source", person.Source.Name), ("issuer", person.Issuer), ("subject", person.Subject), ("name", person.Name),
            ("email", person.Email),
            ("role", person.Role), ("headscale_user", link?.HeadscaleUserId), ("fingerprint", link?.Fingerprint));
        return ControlClient.AskAsync(configuration, request, ControlJson.Default.String, cancel);
    }
}
