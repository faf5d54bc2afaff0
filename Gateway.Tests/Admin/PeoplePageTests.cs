using Gateway.Policy;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Admin;

/// <summary>Roles, links and ownership on the page: only downwards, and all of it written down.</summary>
public sealed class PeoplePageTests
{
    [Fact]
    public async Task EverybodyChangesOnlyWhomTheyOutrank()
    {
        await using var gateway = await StartAsync();
        var table = gateway.Configuration.Table;
        foreach (var me in Sandbox.People.All)
        {
            var mine = table.RoleNamed(me.Role);
            using var browser = PagesTests.As(gateway, me.Login);
            var page = await browser.GetAsync("/admin/users");
            Assert.Equal(mine.Has(Capability.ReadUsers) ? 200 : 403, page.Status);
            foreach (var other in gateway.People.Snapshot.Everyone)
            {
                var isMe = other.Subject == me.Login;
                var may = mine.Has(Capability.AssignRoles) && !isMe && mine.Outranks(table.RoleNamed(other.Role));
                var shown = await browser.GetAsync($"/admin/users/{other.Id}");
                Assert.Equal(page.Status, shown.Status);
                Assert.True(shown.Text.Contains($"/admin/users/{other.Id}/role\"", StringComparison.Ordinal) == may, $"{me.Login} and {other.Subject}");
                Assert.Equal(mine.IsOwner && !isMe, shown.Text.Contains($"/admin/users/{other.Id}/owner\"", StringComparison.Ordinal));
                if (!may)
                {
                    foreach (var action in new[] { "role", "link", "unlink", "remove", "approve", "decline" }.Concat(mine.IsOwner && !isMe ? [] : ["owner"]))
                    {
                        Assert.Equal(403, (await browser.SubmitAsync("/admin/login", $"/admin/users/{other.Id}/{action}", ("role", "member"), ("user", "7"))).Status);
                    }
                }
            }

            foreach (var role in table.Roles.Where(one => !mine.Outranks(one) || one.IsOwner || !mine.Has(Capability.AssignRoles)))
            {
                Assert.Equal(403, (await browser.SubmitAsync("/admin/login", $"/admin/users/{IdOf(gateway, "mel")}/role", ("role", role.Name))).Status);
            }
        }

        Assert.Equal(Sandbox.People.All.Select(one => (one.Login, one.Role)).Order(), gateway.People.Snapshot.Everyone.Select(one => (one.Subject, one.Role)).Order());
        Assert.All((await gateway.StopAndReadAuditAsync()).Where(one => one.Row?.StartsWith("people.", StringComparison.Ordinal) is true), one => Assert.Equal((403, "refused"), (one.Status, one.Reason)));
    }

    [Fact]
    public async Task ARoleALinkAndOwnershipChangeHandsAtOnce()
    {
        await using var gateway = await StartAsync();
        using var alice = PagesTests.As(gateway, "alice");
        var mel = IdOf(gateway, "mel");

        Assert.Equal($"/admin/users/{mel}?done=role", (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/role", ("role", "self_service"))).Location);
        gateway.Headscale.Tailnet.Users.Add(new(60, "new", "new@example.test"));
        await Until.TrueAsync(async () => (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/link", ("user", "60"))).Location == $"/admin/users/{mel}?done=link", "the new Headscale user is known");
        Assert.Equal(("self_service", "60", LinkSource.Admin), (Find("mel").Role, Find("mel").Link!.HeadscaleUserId, Find("mel").Link!.Source));
        Assert.Equal(409, (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/link", ("user", "7"))).Status);
        Assert.Equal($"/admin/users/{mel}?done=unlink", (await alice.SubmitAsync("/admin/login", $"/admin/users/{mel}/unlink")).Location);
        Assert.Equal($"/admin/users/{IdOf(gateway, "bob")}?done=owner", (await alice.SubmitAsync("/admin/login", $"/admin/users/{IdOf(gateway, "bob")}/owner")).Location);
        Assert.Equal(("owner", "admin"), (Find("bob").Role, Find("alice").Role));

        var rows = (await gateway.StopAndReadAuditAsync()).Where(one => one is { Method: "POST", Status: 200, Row: not null }).Select(one => (one.Row, one.Actor, one.Reason));
        Assert.Equal(["people.role", "people.link", "people.unlink", "people.owner"], rows.Select(one => one.Row));
        Assert.All(rows, one => Assert.Equal(("proxy:alice", "done"), (one.Actor, one.Reason)));

        Person Find(string login) => gateway.People.Snapshot.Everyone.Single(one => one.Subject == login);
    }

    private static long IdOf(TestGateway gateway, string login) => gateway.People.Snapshot.Everyone.Single(one => one.Subject == login).Id;

    /// <summary>Roles are given by hand here: a group map would give them back with the next request.</summary>
    private static async Task<TestGateway> StartAsync()
    {
        var gateway = await TestGateway.StartAsync(proxyAuth: "    name_header: Remote-Name", more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 0}");
        foreach (var person in Sandbox.People.All)
        {
            var link = person.HeadscaleId is { } id ? new UserLink($"{id}", UserLink.Unpinned, LinkSource.Auto) : null;
            Assert.Equal(Change.Done, gateway.People.Store.Add(new(Gateway.Identity.Source.Proxy, "", person.Login, null, null, null, person.Role), link));
        }

        gateway.People.Reload();
        return gateway;
    }
}
