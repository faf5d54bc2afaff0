using Gateway.Policy;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Web.Users;

/// <summary>Roles, links and ownership on the page: only downwards, and all of it written down.</summary>
public sealed class PeoplePageTests
{
    [Fact]
    public async Task EverybodyChangesOnlyWhomTheyOutrank()
    {
        await using var gateway = await StartAsync();
        var table = gateway.Configuration.Table;
        var refused = 0;
        foreach (var me in Sandbox.People.All)
        {
            var mine = table.RoleNamed(me.Role);
            using var browser = gateway.BrowserOf(me.Login);
            var page = await browser.GetAsync("/admin/users");
            page.Status.Should().Be(mine.Has(Capability.ReadUsers) ? 200 : 403);
            foreach (var other in gateway.People.Snapshot.Everyone)
            {
                var isMe = other.Subject == me.Login;
                var may = mine.Has(Capability.AssignRoles) && !isMe && mine.Outranks(table.RoleNamed(other.Role));
                var shown = await browser.GetAsync($"/admin/users/{other.Id}");
                shown.Status.Should().Be(page.Status);
                (shown.Text.Contains($"/admin/users/{other.Id}/role\"", StringComparison.Ordinal) == may).Should()
                    .BeTrue($"{me.Login} and {other.Subject}");
                shown.Text.Contains($"/admin/users/{other.Id}/owner\"", StringComparison.Ordinal).Should().Be(mine.IsOwner && !isMe);
                if (!may)
                {
                    foreach (var action in new[] { "role", "link", "unlink", "remove", "approve", "decline" }.Concat(mine.IsOwner && !isMe
                        ? [] : ["owner"]))
                    {
                        (await browser.SubmitAsync("/admin/login", $"/admin/users/{other.Id}/{action}", ("role", "member"),
                            ("user", "7"))).Status.Should()
                            .Be(403);
                        refused++;
                    }
                }
            }

            foreach (var role in table.Roles.Where(one => !mine.Outranks(one) || one.IsOwner || !mine.Has(Capability.AssignRoles)))
            {
                (await browser.SubmitAsync("/admin/login", $"/admin/users/{IdOf(gateway, "mel")}/role",
                    ("role", role.Name))).Status.Should()
                    .Be(403);
                refused++;
            }
        }

        gateway.People.Snapshot.Everyone.Select(one => (one.Subject, one.Role)).Order().Should()
            .Equal(Sandbox.People.All.Select(one => (one.Login, one.Role)).Order());
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Row?.StartsWith("people.", StringComparison.Ordinal) is true).Should()
            .HaveCount(refused).And.AllSatisfy(one => (one.Status, one.Reason).Should().Be(((int?, string))(403, "refused")));
    }

    [Fact]
    public async Task ARoleALinkAndOwnershipChangeHandsAtOnce()
    {
        await using var gateway = await StartAsync();
        using var alice = gateway.BrowserOf("alice");
        var mel = IdOf(gateway, "mel");

        (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/role", ("role", "self_service"))).Location.Should()
            .Be($"/admin/users/{mel}?done=role");
        gateway.Headscale.Tailnet.Users.Add(new(60, "new", "new@example.test"));
        await Until.TrueAsync(
            async () =>
                (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/link",
                    ("user", "60"))).Location == $"/admin/users/{mel}?done=link",
            "the new Headscale user is known");
        (Find("mel").Role, Find("mel").Link!.HeadscaleUserId, Find("mel").Link!.Source).Should()
            .Be(("self_service", "60", LinkSource.Admin));
        (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/link", ("user", "7"))).Status.Should().Be(409);
        (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/unlink")).Location.Should().Be($"/admin/users/{mel}?done=unlink");
        (await alice.SubmitAsync("/admin/login", $"/admin/users/{IdOf(gateway, "bob")}/owner")).Location.Should()
            .Be($"/admin/users/{IdOf(gateway, "bob")}?done=owner");
        (Find("bob").Role, Find("alice").Role).Should().Be(("owner", "admin"));

        var rows = (await gateway.StopAndReadAuditAsync()).Where(one => one is { Method: "POST", Status: 200, Row: not null })
            .Select(one => (one.Row, one.Actor, one.Reason));
        rows.Select(one => one.Row).Should().Equal(["people.role", "people.link", "people.unlink", "people.owner"]);
        rows.Should().AllSatisfy(one => (one.Actor, one.Reason).Should().Be(("proxy:alice", "done")));

        Person Find(string login) => gateway.People.Snapshot.Everyone.Single(one => one.Subject == login);
    }

    private static long IdOf(TestGateway gateway, string login) => gateway.People.Snapshot.Everyone.Single(one => one.Subject == login).Id;

    /// <summary>Roles are given by hand here: a group map would give them back with the next request.</summary>
    private static async Task<TestGateway> StartAsync()
    {
        var gateway = await TestGateway.StartAsync(
            proxyAuth: "    name_header: Remote-Name", more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 0}");
        foreach (var person in Sandbox.People.All)
        {
            var link = person.HeadscaleId is { } id ? new UserLink($"{id}", UserLink.Unpinned, LinkSource.Auto) : null;
            (await gateway.People.AddAsync(new(Gateway.Identity.Source.Proxy, "", person.Login, null, null, null, person.Role), link))
                .Should()
                .Be(Change.Done);
        }

        return gateway;
    }
}
