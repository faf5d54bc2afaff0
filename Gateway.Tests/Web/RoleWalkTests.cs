using System.Text.RegularExpressions;
using Gateway.Policy;
using Gateway.Sandbox;
using Gateway.Tests.Support;
using Gateway.Tests.Web.Layout;
using Gateway.Users;
using Microsoft.Playwright;

namespace Gateway.Tests.Web;

/// <summary>
/// Each role walks all pages in a real browser. What it may not do is in no page, and sending it anyway is refused and written down.
/// </summary>
public sealed partial class RoleWalkTests
{
    /// <summary>What every action takes: a right on everything, or one on one's own where it is one's own.</summary>
    private static readonly (Regex Action, Capability All, Capability? Own)[] _rules =
    [
        (Machine(), Capability.WriteMachines, Capability.WriteOwnMachines),
        (Tags(), Capability.UseTags, null),
        (Routes(), Capability.ApproveRoutes, null),
        (Keys(), Capability.GenerateAuthkeys, Capability.GenerateOwnAuthkeys),
        (Register(), Capability.WriteMachines, Capability.WriteOwnMachines),
        (ApiKeys(), Capability.ManageApiKeys, null),
        (HeadscaleUsers(), Capability.WriteUsers, null),
        (People(), Capability.AssignRoles, null),
        (Policy(), Capability.WritePolicy, null),
        (Owner(), Capability.Owner, null),
    ];

    [ChromiumFact]
    public async Task EveryRoleSeesWhatItMayAndIsRefusedTheRest()
    {
        await using var gateway = await TestGateway.StartReachableAsync(more: "limits: {anonymous_per_minute: 0, caller_per_minute: 0}");
        gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z");
        gateway.Headscale.Tailnet.Users.Add(new(60, "spare", ""));
        gateway.Headscale.Tailnet.Nodes[0] = gateway.Headscale.Tailnet.Nodes[0] with { AvailableRoutes = ["10.0.0.0/8"] };
        await using var chromium = await Chromium.LaunchAsync();
        var everybody = new List<(SandboxPerson Person, IPage Page)>();
        foreach (var person in Sandbox.People.All)
        {
            var page = await PageLooksTests.NewPageAsync(chromium.Browser, gateway, person.Login);
            await page.GotoAsync("/admin/");
            everybody.Add((person, page));
        }

        var mel = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "mel").Id;
        (await gateway.People.ClaimAsync(mel, new("60", "created:0", LinkSource.Claim))).Should().Be(Change.Done);
        string[] pages =
        [
            "", "connect", "machines", "machines/11", "machines/17", "machines/20", "search?q=a", "keys", "apikeys", "users", "users/new",
            $"users/{mel}", "users/headscale", "users/headscale/60", "policy", "audit", "audit/1", "access", "status", "account", "tokens",
        ];
        var seen = new Dictionary<string, HashSet<string>>();
        foreach (var (person, page) in everybody)
        {
            seen[person.Login] = await ActionsAsync(page, pages);
        }

        var (all, wrong, refused) = (seen["alice"], new List<string>(), 0);
        all.Count.Should().BeInRange(28, 60);
        foreach (var (person, page) in everybody)
        {
            var role = gateway.Configuration.Table.RoleNamed(person.Role);
            var actions = all.Union(seen[person.Login]).ToArray();
            wrong.AddRange(
                actions.Where(one => seen[person.Login].Contains(one) != May(role, one, person.HeadscaleId))
                    .Select(one => $"{person.Login} and {one}: offered, or not, against the rule"));

            var forbidden = actions.Where(one => !May(role, one, person.HeadscaleId)).ToArray();
            var answers = await SendAnywayAsync(page, forbidden);
            wrong.AddRange(
                forbidden.Zip(answers).Where(one => one.Second is not (403 or 404))
                    .Select(one => $"{person.Login} sent {one.First}: {one.Second}"));
            refused += forbidden.Length;
        }

        wrong.Should().BeEmpty();
        gateway.Headscale.Everything.Should().NotContain(one => one.Method != "GET");
        (await gateway.StopAndReadAuditAsync()).Count(one => one is { Method: not "GET", Status: 403 or 404 }).Should().Be(refused);
    }

    private static bool May(Role role, string action, ulong? headscaleUser)
    {
        var rule = _rules.First(one => one.Action.IsMatch(action));
        var isOwn = headscaleUser is { } user
            && (!action.StartsWith("/admin/machines/", StringComparison.Ordinal)
                || action.StartsWith($"/admin/machines/{user + 10}/", StringComparison.Ordinal));
        var isLinked = !action.Contains("/connect/key", StringComparison.Ordinal) || headscaleUser is not null;
        return isLinked && (role.Has(rule.All) || (isOwn && rule.Own is { } own && role.Has(own)));
    }

    /// <summary>Sends what forms would, with the token of a form that there is, and gives the statuses; 0 for a redirect.</summary>
    private static async Task<int[]> SendAnywayAsync(IPage page, string[] actions)
    {
        await page.GotoAsync("/admin/login");
        return await page.EvaluateAsync<int[]>(
            """
            async actions => {
              const token = document.querySelector('form input[type=hidden]');
              const statuses = [];
              for (const action of actions) {
                const fields = {
                  name: 'mine', user: '60', role: 'viewer', device: 'abcdefghijklmnopqrstuvwx', tags: 'tag:a', route: '10.0.0.0/8',
                  policy: '{}', step: 'save', id: '1', key: 'x', prefix: 'abcdefg' };
                const body = new URLSearchParams({ ...fields, [token.name]: token.value });
                const answer = await fetch(action, { method: 'POST', redirect: 'manual', body });
                statuses.push(answer.status);
              }
              return statuses;
            }
            """,
            actions);
    }

    /// <summary>Everything that the forms of these pages would do.</summary>
    private static async Task<HashSet<string>> ActionsAsync(IPage page, string[] pages)
    {
        var actions = (await page.EvaluateAsync<string[]>(
            """
            async paths => (await Promise.all(paths.map(async path => {
              const page = new DOMParser().parseFromString(await (await fetch('/admin/' + path)).text(), 'text/html');
              const forms = [...page.querySelectorAll('form[method=post]')].map(one => one.getAttribute('action'));
              return forms.concat([...page.querySelectorAll('[formaction]')].map(one => one.getAttribute('formaction')));
            }))).flat().map(one => new URL(one, location.href).pathname)
            """, pages)).ToHashSet(StringComparer.Ordinal);

        // One's own, whatever the role; and what only asks which of the above is to be done with several.
        actions.RemoveWhere(one => one.StartsWith("/admin/claim", StringComparison.Ordinal)
            || one.StartsWith("/admin/tokens", StringComparison.Ordinal)
            || one is "/admin/logout" or "/admin/ask" or "/admin/machines/selected");
        return actions;
    }

    [GeneratedRegex("^/admin/machines/[0-9]+/(rename|expire|delete)$")]
    private static partial Regex Machine();

    [GeneratedRegex("^/admin/machines/[0-9]+/tags$")]
    private static partial Regex Tags();

    [GeneratedRegex("^/admin/machines/[0-9]+/routes$")]
    private static partial Regex Routes();

    [GeneratedRegex("^/admin/(keys|keys/expire|connect/key)$")]
    private static partial Regex Keys();

    [GeneratedRegex("^/admin/connect/register$")]
    private static partial Regex Register();

    [GeneratedRegex("^/admin/apikeys(/expire|/delete)?$")]
    private static partial Regex ApiKeys();

    [GeneratedRegex("^/admin/users/headscale(/60/(rename|delete))?$")]
    private static partial Regex HeadscaleUsers();

    [GeneratedRegex("^/admin/users/new$|^/admin/users/[0-9]+/(role|link|unlink|remove|approve|decline|offboard)$")]
    private static partial Regex People();

    [GeneratedRegex("^/admin/policy$")]
    private static partial Regex Policy();

    [GeneratedRegex("^/admin/users/[0-9]+/owner$")]
    private static partial Regex Owner();
}
