using System.Text.RegularExpressions;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Layout;

/// <summary>Own pages: what is not allowed is not offered, and asking for it anyway is refused and written down.</summary>
public sealed partial class PagesTests
{
    public static TheoryData<string> People => [.. Sandbox.People.All.Select(one => one.Login)];

    [Theory]
    [MemberData(nameof(People))]
    public async Task EveryPageOffersWhatTheRoleMayAndNothingElse(string login)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = gateway.BrowserOf(login);
        var person = Sandbox.People.All.Single(one => one.Login == login);
        var role = gateway.Configuration.Table.RoleNamed(person.Role);
        var (reads, readsOwn) = (role.Has(Capability.ReadMachines), role.Has(Capability.ReadOwnMachines));

        var home = await browser.GetAsync("/admin/");
        (Has(home, "href=\"/admin/machines\""), Has(home, "href=\"/admin/audit\"")).Should()
            .Be((reads || readsOwn, role.Has(Capability.ReadAudit)));
        home.Text.Should().Contain(person.Role);

        var machines = await browser.GetAsync("/admin/machines");
        (machines.Status, Has(machines, "db-1"), Has(machines, $"{login}-laptop")).Should()
            .Be((reads || readsOwn ? 200 : 403, reads, reads || readsOwn));
        (await browser.GetAsync("/admin/audit")).Status.Should().Be(role.Has(Capability.ReadAudit) ? 200 : 403);
        (await browser.GetAsync("/admin/access")).Status.Should().Be(role.Held.Count > 0 ? 200 : 403);

        foreach (var (id, isOwn) in new[] { (person.HeadscaleId + 10, true), (login == "alice" ? 12UL : 11UL, false), (20UL, false) })
        {
            if (id is null)
            {
                continue;
            }

            var machine = await browser.GetAsync($"/admin/machines/{id}");
            machine.Status.Should().Be(reads || (readsOwn && isOwn) ? 200 : readsOwn ? 404 : 403);
            var writes = machine.Status == 200 && (role.Has(Capability.WriteMachines) || (isOwn && role.Has(Capability.WriteOwnMachines)));
            foreach (var (action, may) in new[]
            {
                ("rename", writes), ("expire", writes), ("delete", writes), ("tags", machine.Status == 200 && role.Has(Capability.UseTags)),
            })
            {
                (Has(machine, $"/admin/machines/{id}/{action}\"") == may).Should()
                    .BeTrue($"{login} is {(may ? "not " : "")}offered to {action} {id}");
            }
        }
    }

    [Theory]
    [InlineData("rename")]
    [InlineData("expire")]
    [InlineData("delete")]
    [InlineData("tags")]
    [InlineData("routes")]
    public async Task PostingWhatIsNotOfferedIsRefusedAndWrittenDown(string action)
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var login in new[] { "vera", "audrey", "sam" })
        {
            using var browser = gateway.BrowserOf(login);
            var answer = await browser.SubmitAsync(
                "/admin/login", $"/admin/machines/11/{action}", ("name", "mine"), ("tags", "tag:a"), ("route", "10.0.0.0/8"));

            (answer.Status == 403).Should().BeTrue($"{login}: {answer.Status}");
            answer.Text.Replace("may only do this to what is your own", "lacks", StringComparison.Ordinal).Should().Contain("lacks");
        }

        gateway.Headscale.Everything.Should().NotContain(one => one.Method != "GET");
        (await gateway.StopAndReadAuditAsync()).Count(
            one => one is { Status: 403, Method: "POST" or "DELETE", Path: not null }
                && one.Path.StartsWith("/api/v1/node/11", StringComparison.Ordinal))
            .Should().Be(3);
    }

    [Fact]
    public async Task WhatIsDoneIsSaidAndWrittenDown()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");

        var renamed = await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/rename", ("name", "new-name"));
        (renamed.Status, renamed.Location).Should().Be((302, "/admin/machines/17?done=rename"));
        var page = await sam.GetAsync(renamed.Location!);
        (Has(page, "The device has its new name.") && Has(page, "new-name")).Should().BeTrue();

        (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/expire")).Location.Should().Be("/admin/machines/17?done=expire");
        (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/delete")).Location.Should().Be("/admin/machines?done=delete");
        gateway.Headscale.Tailnet.Nodes.Should().NotContain(one => one.Id == 17);
        (await sam.GetAsync("/admin/machines")).Text.Should().Contain("You have no devices yet");

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method != "GET")
            .Select(one => (one.Row, one.Actor, one.Status));
        entries.Should()
            .Equal([("nodes.rename", "proxy:sam", 200), ("nodes.expire", "proxy:sam", 200), ("nodes.delete", "proxy:sam", 200)]);
    }

    [Fact]
    public async Task AFormFromElsewhereChangesNothing()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");
        await sam.GetAsync("/admin/machines/17");

        (await sam.PostAsync("/admin/machines/17/delete")).Status.Should().Be(400);
        sam.Headers["Sec-Fetch-Site"] = "cross-site";
        (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/delete")).Status.Should().Be(403);
        gateway.Headscale.Tailnet.Node(17).Should().NotBeNull();
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Method == "POST").Select(one => one.Reason).Should()
            .Equal(["cross_site", "cross_site"]);
    }

    [Fact]
    public async Task TheSameFormSentTwiceDoesItsWorkOnce()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");
        var keys = gateway.Headscale.Tailnet.Keys.Count;
        var token = Token().Match((await sam.GetAsync("/admin/keys")).Text);
        (string, string)[] form = [(token.Groups[1].Value, token.Groups[2].Value), ("days", "1")];

        (await sam.PostAsync("/admin/keys", form)).Status.Should().Be(302);
        var again = await sam.PostAsync("/admin/keys", form);

        again.Status.Should().Be(409);
        again.Text.Should().Contain("was sent already");
        gateway.Headscale.Tailnet.Keys.Count.Should().Be(keys + 1);
        (await sam.PostAsync("/admin/keys", [form[0], ("days", "7")])).Status.Should().Be(302);
    }

    [Fact]
    public async Task NoPageGrowsWithHowMuchThereIs()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");
        await alice.GetAsync("/admin/");
        for (var number = 0UL; number < 1000; number++)
        {
            gateway.Headscale.Tailnet.Users.Add(new(1000 + number, $"user-{number}", $"user-{number}@example.test"));
            gateway.Headscale.Api.CreateKey(1000 + number, "2036-01-01T00:00:00Z", []);
            gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z");
            await gateway.People.AddAsync(new(Source.Proxy, "", $"user-{number}", $"User {number}", null, null, "member"), null);
        }

        await Until.TrueAsync(
            async () => (await alice.GetAsync("/admin/users/headscale?q=user-999")).Text.Contains("user-999", StringComparison.Ordinal),
            "the new users are known");
        await Until.TrueAsync(
            async () => (await alice.GetAsync("/admin/keys")).Text.Contains("Too many to list here", StringComparison.Ordinal),
            "the keys know them, too");
        var token = Token().Match((await alice.GetAsync("/admin/keys")).Text);
        (await alice.PostAsync("/admin/keys", (token.Groups[1].Value, token.Groups[2].Value), ("user", "1900"), ("days", "1"))).Status
            .Should().Be(302);
        gateway.Headscale.Tailnet.Keys[^1].UserId.Should().Be(1900UL, "each of them can be chosen");
        foreach (var path in new[] { "keys", "apikeys", "users", "users/headscale", "connect", "machines", "machines/11",
            $"users/{gateway.People.Snapshot.Everyone[500].Id}", "audit", "access" })
        {
            var page = await alice.GetAsync($"/admin/{path}");
            (page is { Status: 200, Text.Length: < 60_000 }).Should().BeTrue($"{path}: {page.Status}, {page.Text.Length} characters");
        }

        (await alice.GetAsync("/admin/keys?page=41")).Text.Should().Contain("Page 41 of 41");
        (await alice.GetAsync("/admin/apikeys?page=2")).Text.Should().Contain("Page 2 of 41");
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Token();

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);
}
