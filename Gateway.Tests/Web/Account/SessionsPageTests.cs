using System.Text.RegularExpressions;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Account;

/// <summary>Sessions, one's own and those of others.</summary>
public sealed partial class SessionsPageTests
{
    [Fact]
    public async Task SessionsAreListedAndEndedOnThePage()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var sam = new Browser(gateway);
        using var other = new Browser(gateway);
        using var alice = new Browser(gateway);
        await sam.SignInAsync(provider, "sam");
        await other.SignInAsync(provider, "sam");
        await alice.SignInAsync(provider, "alice");

        var page = await sam.GetAsync("/admin/account");
        (page.Text.Split("/end\"").Length - 1).Should().Be(2);
        var all = System.Text.Json.Nodes.JsonNode.Parse((await alice.GetAsync("/admin/api/sessions")).Text)!["sessions"]!.AsArray();
        all.Count.Should().Be(3);
        var ofAlice = all.Single(one => (bool)one!["current"]!)!["id"];
        (await sam.SubmitAsync("/admin/account", $"/admin/account/sessions/{ofAlice}/end")).Status.Should().Be(404);

        var mine = System.Text.Json.Nodes.JsonNode.Parse((await sam.GetAsync("/admin/api/sessions")).Text)!["sessions"]!.AsArray()
            .Single(one => !(bool)one!["current"]!)!["id"];
        (await sam.SubmitAsync("/admin/account", $"/admin/account/sessions/{mine}/end")).Location.Should().Be("/admin/account?done=end");
        (await other.GetAsync("/admin/")).Status.Should().Be(302);
        (await sam.GetAsync("/admin/")).Status.Should().Be(200);
        (await alice.GetAsync("/admin/status")).Status.Should().Be(200);
        (await sam.GetAsync("/admin/status")).Status.Should().Be(403);
    }

    [Fact]
    public async Task NobodyEndsTheSessionsOfWhomTheyDoNotOutrank()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var alice = new Browser(gateway);
        await alice.SignInAsync(provider, "alice");
        var ofAlice = System.Text.Json.Nodes.JsonNode.Parse((await alice.GetAsync("/admin/api/sessions")).Text)!["sessions"]![0]!["id"];
        using var bob = gateway.BrowserOf("bob");

        (await bob.GetAsync("/admin/api/sessions")).Text.Should().NotContain($"\"id\":{ofAlice},");
        (await bob.SubmitAsync("/admin/keys", $"/admin/account/sessions/{ofAlice}/end")).Status.Should().Be(404);
        (await alice.GetAsync("/admin/")).Status.Should().Be(200);
    }

    [Fact]
    public async Task SomebodysSessionsAreSeenAndEndedOnTheirPage()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var sam = new Browser(gateway);
        using var alice = new Browser(gateway);
        await alice.SignInAsync(provider, "alice");
        await sam.SignInAsync(provider, "sam");
        var id = gateway.People.Snapshot.Everyone.Single(one => one.Subject.Contains("sam", StringComparison.Ordinal)).Id;

        var page = await alice.GetAsync($"/admin/users/{id}");
        var action = EndSession().Match(page.Text).Groups[1].Value;
        (await alice.SubmitAsync($"/admin/users/{id}", action)).Location.Should().Be($"/admin/users/{id}?done=end");
        (await sam.GetAsync("/admin/")).Status.Should().Be(302);
    }

    [GeneratedRegex("action=\"(/admin/account/sessions/[0-9]+/end)\"")]
    private static partial Regex EndSession();
}
