using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Home;

/// <summary>From an empty Headscale to a connected device, and from a newcomer to somebody with rights, in the pages alone.</summary>
public sealed class FirstStepsTests
{
    [Fact]
    public async Task TheOwnerOfAnEmptyHeadscaleCreatesTheirUserAndIsLinkedInOneStep()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29, isFresh: true);
        headscale.Tailnet.Users.Add(new TailnetUser(900, "somebody", ""));
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        headscale.Tailnet.Nodes.Clear();
        using var alice = gateway.BrowserOf("alice");

        (await alice.GetAsync("/admin/")).Text.Should().Contain("Get started").And.Contain("0 of 3 done").And.Contain("Waiting …");
        var created = await alice.SubmitAsync("/admin/", "/admin/start/user", ("name", "alice"));
        (await alice.GetAsync(created.Location!)).Text.Should().Contain("1 of 3 done").And
            .Contain("You are connected to your Headscale user.");

        var audit = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row is "users.create" or "people.claim").ToArray();
        audit.Select(one => (one.Row, one.Status)).Should().Equal(("users.create", 200), ("people.claim", 200));
        audit.Select(one => one.RequestId.Split('-')[0]).Distinct().Should().ContainSingle();
    }

    [Fact]
    public async Task SomebodyWithoutRightsAsksForThemAndAnAdministratorGivesThemWithOneClick()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var mel = gateway.BrowserOf("mel");
        using var bob = gateway.BrowserOf("bob");

        (await mel.GetAsync("/admin/")).Text.Should().Contain("Ask for access");
        (await mel.SubmitAsync("/admin/", "/admin/ask")).Location.Should().Be("/admin/?done=ask");
        (await mel.GetAsync("/admin/")).Text.Should().Contain("Request sent.").And.NotContain(">Ask for access<");
        (await bob.GetAsync("/admin/")).Text.Should().Contain("mel asks for access");
        var person = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "mel").Id;
        (await bob.GetAsync("/admin/users")).Text.Should().Contain("Make them self_service");
        (await bob.SubmitAsync("/admin/connect", $"/admin/users/{person}/role", ("role", "self_service"))).Status.Should().Be(302);

        gateway.People.Snapshot.Find(person)!.Role.Should().Be("self_service");
        gateway.People.Snapshot.Find(person)!.AskedForAccess.Should().BeNull();
        (await mel.GetAsync("/admin/")).Text.Should().Contain("<h1>Overview</h1>").And.NotContain("Ask for access");
        (await bob.GetAsync("/admin/")).Text.Should().NotContain("asks for access");
        (await bob.SubmitAsync("/admin/connect", "/admin/ask")).Status.Should().Be(403, "who has a role needs none");
    }

    [Fact]
    public async Task WhoLeavesLosesSessionsDevicesAndKeysUnderOneReference()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.BrowserOf("sam").GetAsync("/admin/");
        var person = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "sam").Id;
        using var bob = gateway.BrowserOf("bob");

        (await bob.GetAsync($"/admin/users/{person}")).Text.Should().Contain("Offboard").And.Contain("sam-laptop");
        (await bob.SubmitAsync($"/admin/users/{person}", $"/admin/users/{person}/offboard")).Location.Should()
            .Be("/admin/users?done=offboard");

        gateway.People.Snapshot.Find(person).Should().BeNull();
        gateway.Headscale.Everything.Where(one => one.Method == "POST").Select(one => one.Target.Split('?')[0]).Should()
            .Equal("/api/v1/node/17/expire", "/api/v1/preauthkey/expire");
        var audit = (await gateway.StopAndReadAuditAsync())
            .Where(one => one.Row is "nodes.expire" or "keys.expire" or "people.remove").ToArray();
        audit.Select(one => (one.Row, one.Status)).Should().Equal(("nodes.expire", 200), ("keys.expire", 200), ("people.remove", 200));
        audit.Select(one => one.RequestId.Split('-')[0]).Distinct().Should().ContainSingle();
    }

    [Theory]
    [InlineData("ivan", 403)]
    [InlineData("sam", 403)]
    public async Task NobodyOffboardsWhomTheyDoNotOutrank(string login, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.BrowserOf("bob").GetAsync("/admin/");
        var person = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "bob").Id;

        (await gateway.BrowserOf(login).SubmitAsync("/admin/", $"/admin/users/{person}/offboard")).Status.Should().Be(status);

        gateway.People.Snapshot.Find(person).Should().NotBeNull();
        gateway.Headscale.Everything.Should().NotContain(one => one.Method == "POST");
    }
}
