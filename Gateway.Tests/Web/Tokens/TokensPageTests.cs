using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Identity;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Web.Tokens;

/// <summary>Tokens on pages and on the command line: who makes, sees, renews and revokes them.</summary>
public sealed partial class TokensPageTests
{
    [Fact]
    public async Task ATokenIsMadeShownOnceUsedRenewedAndRevoked()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");

        var made = await ivan.SubmitAsync(
            "/admin/tokens", "/admin/tokens", ("name", "ci <b>"), ("role", "it_admin"), ("days", "90"), ("networks", "127.0.0.0/8, ::1"),
            ("operations", "nodes.list keys.create nodes.list"));
        made.Location.Should().Be("/admin/tokens", made.Text);
        var shown = (await ivan.GetAsync("/admin/tokens")).Text;
        var token = TokenIn().Match(shown).Value;
        shown.Should().Contain("ci &lt;b&gt;").And.Contain("keys.create, nodes.list").And.Contain("127.0.0.0/8");
        (await ivan.GetAsync("/admin/tokens")).Text.Should().NotContain(token, "it is shown once");
        (await StatusOfAsync(gateway, token)).Should().Be(200);

        (await ivan.SubmitAsync("/admin/tokens", "/admin/tokens/1/rotate", ("overlap", "0"))).Location.Should().Be("/admin/tokens");
        var renewed = TokenIn().Match((await ivan.GetAsync("/admin/tokens")).Text).Value;
        (await StatusOfAsync(gateway, token)).Should().Be(401);
        (await StatusOfAsync(gateway, renewed)).Should().Be(200);

        (await ivan.SubmitAsync("/admin/tokens", "/admin/tokens/1/revoke")).Location.Should().Be("/admin/tokens?done=revoke");
        (await StatusOfAsync(gateway, renewed)).Should().Be(401);
        using var alice = gateway.BrowserOf("alice");
        (await alice.GetAsync("/admin/audit")).Text.Should().Contain("made an access token").And.Contain("revoked an access token");
        var audit = await gateway.StopAndReadAuditAsync();
        audit.Where(one => one.Row?.StartsWith("tokens.", StringComparison.Ordinal) is true)
            .Select(one => (one.Row, one.Actor, one.Path, one.Reason)).Should().Equal(
                ("tokens.create", "proxy:ivan", "proxy:ivan", "done"), ("tokens.rotate", "proxy:ivan", "proxy:ivan", "done"),
                ("tokens.revoke", "proxy:ivan", "proxy:ivan", "done"));
        audit.Single(one => one.Row == "tokens.create").Detail.Should().Be("token 1 (ci <b>)");
        audit.Where(new Gateway.Audit.AuditSearch { Text = "1 (ci" }.Matches).Should().Contain(one => one.Row == "nodes.list");
        string.Concat(audit.Select(one => $"{one.Before}{one.After}{one.Detail}")).Should().NotContain("htg_");
    }

    [Theory]
    [InlineData("", "it_admin", "90", "", "", "the name is empty")]
    [InlineData("ci", "admin", "90", "", "", "the role admin is above that of proxy:ivan")]
    [InlineData("ci", "owner", "90", "", "", "no token is the owner")]
    [InlineData("ci", "member", "90", "", "", "may do nothing")]
    [InlineData("ci", "root", "90", "", "", "there is no role")]
    [InlineData("ci", "it_admin", "0", "", "", "1 to 366 days")]
    [InlineData("ci", "it_admin", "367", "", "", "1 to 366 days")]
    [InlineData("ci", "it_admin", "x", "", "", "1 to 366 days")]
    [InlineData("ci", "it_admin", "90", "10.0.0.1/8", "", "bits set behind the prefix")]
    [InlineData("ci", "it_admin", "90", "here", "", "is not a network")]
    [InlineData("ci", "it_admin", "90", "", "node.list", "did you mean")]
    [InlineData("ci", "it_admin", "90", "", "client.register", "there is no operation")]
    [InlineData("ci", "it_admin", "90", "", "people.role", "there is no operation")]
    public async Task WhatNoTokenMayBeIsRefusedWithTheReasonAndRecorded(
        string name, string role, string days, string networks, string operations, string reason)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");

        var answer = await ivan.SubmitAsync(
            "/admin/tokens", "/admin/tokens", ("name", name), ("role", role), ("days", days), ("networks", networks),
            ("operations", operations));

        answer.Status.Should().Be(403);
        WebUtility.HtmlDecode(answer.Text).Should().Contain(reason);
        gateway.App.Services.GetRequiredService<AccessTokens>().All.Should().BeEmpty();
        (await gateway.StopAndReadAuditAsync()).Should().ContainSingle(one => one.Row == "tokens.create" && one.Reason == "refused");
    }

    [Fact]
    public async Task TokensAreSeenAndRevokedByWhomMayChangeThePersonAndByNobodyElse()
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var login in new[] { "alice", "bob", "ivan", "sam" })
        {
            using var visitor = gateway.BrowserOf(login);
            await visitor.GetAsync("/admin/");
        }

        var ofAlice = await gateway.MakeTokenAsync("proxy:alice", "admin");
        var ofSam = await gateway.MakeTokenAsync("proxy:sam", "self_service");
        var sam = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "sam").Id;
        using var bob = gateway.BrowserOf("bob");
        using var ivan = gateway.BrowserOf("ivan");

        (await bob.GetAsync("/admin/tokens")).Text.Should().Contain("/admin/tokens/2/revoke").And.NotContain("/admin/tokens/1/")
            .And.NotContain("/rotate", "nobody sees the text of another's token");
        (await ivan.GetAsync("/admin/tokens")).Text.Should().NotContain("/revoke");
        foreach (var (who, path) in new[]
        {
            (bob, "/admin/tokens/1/revoke"), (bob, "/admin/tokens/1/rotate"), (ivan, "/admin/tokens/2/revoke"),
            (bob, "/admin/tokens/9/revoke"), (bob, "/admin/tokens/2/show"),
        })
        {
            (await who.SubmitAsync("/admin/tokens", path)).Status.Should().Be(404, path);
        }

        (await bob.SubmitAsync("/admin/tokens", "/admin/tokens/2/rotate")).Status.Should().Be(403);
        (await StatusOfAsync(gateway, ofAlice)).Should().Be(200);
        (await bob.GetAsync($"/admin/users/{sam}")).Text.Should().Contain("/admin/tokens/2/revoke");
        (await bob.SubmitAsync($"/admin/users/{sam}", "/admin/tokens/2/revoke")).Location.Should().Be($"/admin/users/{sam}?done=token");
        (await StatusOfAsync(gateway, ofSam)).Should().Be(401);
    }

    [Fact]
    public async Task WhatWasPromisedToTheOneBeforeIsNotTakenBackByAccident()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");
        await ivan.GetAsync("/admin/");
        var first = await gateway.MakeTokenAsync("proxy:ivan", "it_admin");

        (await ivan.SubmitAsync("/admin/tokens", "/admin/tokens/1/rotate", ("overlap", "24"))).Status.Should().Be(302);
        (await ivan.SubmitAsync("/admin/tokens", "/admin/tokens/1/rotate", ("overlap", "24"))).Text.Should().Contain("made anew already");
        foreach (var overlap in new[] { "", "x", "-1", "169" })
        {
            (await ivan.SubmitAsync("/admin/tokens", "/admin/tokens/1/rotate", ("overlap", overlap))).Status.Should().Be(403);
        }

        (await StatusOfAsync(gateway, first)).Should().Be(200);
        (await Verb.RunAsync("tokens", "rotate", "1", "--overlap", "-1", "--config", gateway.Files.Config)).Exit.Should().Be(1);
        (await Verb.RunAsync("tokens", "rotate", "1", "--overlap", "0", "--config", gateway.Files.Config)).Exit.Should().Be(0);
        (await StatusOfAsync(gateway, first)).Should().Be(401);
    }

    [Fact]
    public async Task OffboardingEndsTokensFirst()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");
        await sam.GetAsync("/admin/");
        var token = await gateway.MakeTokenAsync("proxy:sam", "self_service");
        var id = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "sam").Id;
        using var alice = gateway.BrowserOf("alice");
        await alice.GetAsync("/admin/");
        gateway.Headscale.Prepared = call => call is { Method: "POST" } ? "no"u8.ToArray() : null;

        var answer = await alice.SubmitAsync($"/admin/users/{id}", $"/admin/users/{id}/offboard");

        gateway.Headscale.Prepared = null;
        (await StatusOfAsync(gateway, token)).Should().Be(401, "whatever came of the rest: {0}", answer.Status);
        (await gateway.StopAndReadAuditAsync()).Should().Contain(
            one => one.Row == "tokens.revoke" && one.Actor == "proxy:alice" && one.Path == "proxy:sam" && one.Reason == "done");
    }

    [Fact]
    public async Task WhoseTokenEndsSoonIsToldOnTheFirstPage()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");
        await ivan.GetAsync("/admin/");
        await gateway.MakeTokenAsync("proxy:ivan", "it_admin", age: TimeSpan.FromDays(80), lasts: TimeSpan.FromDays(10));

        (await ivan.GetAsync("/admin/")).Text.Should().Contain("Your token test ends");
        using var alice = gateway.BrowserOf("alice");
        (await alice.GetAsync("/admin/")).Text.Should().NotContain("Your token");
    }

    [Fact]
    public async Task WhoHasNoRightsHasNoTokensAndAnApiKeyIsNobody()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var mel = gateway.BrowserOf("mel");
        (await mel.GetAsync("/admin/tokens")).Text.Should().Contain("no rights yet").And.NotContain("Make token");
        using var key = new Browser(gateway);
        await key.SubmitAsync("/admin/login", "/admin/login", ("api_key", gateway.Headscale.ApiKey));

        (await key.SubmitAsync("/admin/tokens", "/admin/tokens", ("name", "ci"), ("role", "admin"), ("days", "1"))).Status.Should().Be(403);
    }

    [Fact]
    public async Task TheCommandLineMakesListsRenewsAndRevokesTokensOfTheRunningGateway()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");
        await ivan.GetAsync("/admin/");
        Task<VerbResult> RunAsync(params string[] arguments) =>
            Verb.RunAsync(["tokens", .. arguments, "--config", gateway.Files.Config]);

        var made = await RunAsync(
            "create", "proxy:ivan", "--name", "ci", "--role", "it_admin", "--for", "nodes.list", "--for", "keys.list");
        made.Exit.Should().Be(0, made.Error);
        (await StatusOfAsync(gateway, made.Output.Trim())).Should().Be(200);
        made.Error.Should().StartWith("token 1 (ci) acts for proxy:ivan as it_admin until");
        (await RunAsync("create", "proxy:ivan", "--name", "ci", "--role", "admin")).Error.Should().Contain("is above that of proxy:ivan");
        (await RunAsync("create", "proxy:nobody", "--name", "ci", "--role", "admin")).Error.Should().Contain("there is no person");
        var listed = JsonNode.Parse((await RunAsync("list", "--json")).Output)!.AsArray().Should().ContainSingle().Subject!;
        ((string?)listed["person"], listed["operations"]!.AsArray().Count, listed["token"]).Should().Be(("proxy:ivan", 2, null));
        var renewed = JsonNode.Parse((await RunAsync("rotate", "1", "--overlap", "0", "--json")).Output)!;
        (await StatusOfAsync(gateway, made.Output.Trim())).Should().Be(401);
        (await StatusOfAsync(gateway, (string)renewed["token"]!)).Should().Be(200);
        (await RunAsync("revoke", "1")).Output.Should().Be("token 1 was revoked\n");
        (await StatusOfAsync(gateway, (string)renewed["token"]!)).Should().Be(401);
        (await RunAsync("revoke", "1")).Error.Should().Contain("'gateway tokens list'");
        (await RunAsync("rotate", "1")).Error.Should().Contain("'gateway tokens list'");
    }

    [Fact]
    public async Task ARestoreEndsAllTokens()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "backup.db");
        using var ivan = gateway.BrowserOf("ivan");
        await ivan.GetAsync("/admin/");
        var token = await gateway.MakeTokenAsync("proxy:ivan", "it_admin");
        (await Verb.RunAsync("backup", file, "--config", gateway.Files.Config)).Exit.Should().Be(0);

        (await Verb.RunAsync("restore", file, "--config", gateway.Files.Config)).Exit.Should().Be(0);

        (await StatusOfAsync(gateway, token)).Should().Be(401, "one that was revoked since would come back");
    }

    private static async Task<int> StatusOfAsync(TestGateway gateway, string token)
    {
        using var program = gateway.WithToken(token);
        return (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status;
    }

    [GeneratedRegex("htg_[0-9a-f]{64}")]
    private static partial Regex TokenIn();
}
