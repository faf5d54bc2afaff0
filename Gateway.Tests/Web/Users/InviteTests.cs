using System.Net;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Users;

/// <summary>Somebody is added before they come.</summary>
public sealed class InviteTests
{
    [Fact]
    public async Task WhoeverWasAddedHasRoleAndHeadscaleUserWithTheFirstSignIn()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Users.Add(new(70, "zoe-devices", ""));
        using var alice = gateway.BrowserOf("alice");
        (await alice.GetAsync("/admin/users")).Text.Should().Contain("/admin/users/new");

        var added = await alice.SubmitAsync(
            "/admin/users/new", "/admin/users/new", ("subject", " zoe "), ("name", "Zoe Ng"), ("role", "auditor"),
            ("user", "70"));

        added.Location.Should().Be("/admin/users?done=add");
        (await alice.GetAsync("/admin/users?done=add")).Text.Should().Contain("count with their first sign-in").And.Contain("Zoe Ng");
        using var zoe = new Browser(gateway) { Headers = { ["Remote-User"] = "zoe" } };
        (await zoe.GetAsync("/admin/api/me")).Text.Should().Contain("\"auditor\"").And.Contain("zoe-devices");
        (await gateway.StopAndReadAuditAsync()).Should()
            .ContainSingle(one => one.Row == "people.add" && one.Path == "proxy:zoe" && one.Actor == "proxy:alice" && one.Reason == "done");
    }

    [Theory]
    [InlineData("proxy", "zo\u200be", "viewer", "Say how they sign in")]
    [InlineData("proxy", "", "viewer", "Say how they sign in")]
    [InlineData("oidc", "zoe", "viewer", "Say how they sign in")]
    [InlineData("ldap", "zoe", "viewer", "Say how they sign in")]
    [InlineData("proxy", "zoe", "emperor", "no role")]
    [InlineData("proxy", "zoe", "owner", "owner")]
    [InlineData("proxy", "alice", "viewer", "already")]
    public async Task WhatCannotBeAddedIsSaidAndWhatWasTypedStays(string source, string subject, string role, string why)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");
        var before = (await alice.GetAsync("/admin/users/new")).Status;

        var answer = await alice.SubmitAsync(
            "/admin/login", "/admin/users/new", ("source", source), ("subject", subject), ("name", "Zoe & Co"), ("role", role),
            ("user", ""));

        (before, answer.Status is >= 400 and < 500).Should().Be((200, true));
        WebUtility.HtmlDecode(answer.Text).Should().Contain(why).And.Contain("value=\"Zoe & Co\"");
        gateway.People.Snapshot.Everyone.Should().ContainSingle();
    }

    [Fact]
    public async Task NobodyGivesARoleThatStandsAboveTheirOwnAndOthersMayNotAddAtAll()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var bob = gateway.BrowserOf("bob");
        using var sam = gateway.BrowserOf("sam");

        (await bob.SubmitAsync(
            "/admin/users/new", "/admin/users/new", ("subject", "zoe"), ("name", ""), ("role", "admin"), ("user", "")))
            .Status.Should().Be(403);
        (await sam.GetAsync("/admin/users/new")).Status.Should().Be(403);
        (await sam.SubmitAsync(
            "/admin/login", "/admin/users/new", ("source", "proxy"), ("subject", "zoe"), ("name", ""), ("role", "viewer"), ("user", "")))
            .Status.Should().Be(403);
        gateway.People.Snapshot.Everyone.Should().NotContain(one => one.Subject == "zoe");
    }
}
