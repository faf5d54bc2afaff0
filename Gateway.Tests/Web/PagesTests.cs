using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web;

/// <summary>Own pages: what is not allowed is not offered, and asking for it anyway is refused and written down.</summary>
public sealed class PagesTests
{
    public static TheoryData<string> People => [.. Sandbox.People.All.Select(one => one.Login)];

    [Theory]
    [MemberData(nameof(People))]
    public async Task EveryPageOffersWhatTheRoleMayAndNothingElse(string login)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = As(gateway, login);
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
            using var browser = As(gateway, login);
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
        using var sam = As(gateway, "sam");

        var renamed = await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/rename", ("name", "new-name"));
        (renamed.Status, renamed.Location).Should().Be((302, "/admin/machines/17?done=rename"));
        var page = await sam.GetAsync(renamed.Location!);
        (Has(page, "The machine has its new name.") && Has(page, "new-name")).Should().BeTrue();

        (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/expire")).Location.Should().Be("/admin/machines/17?done=expire");
        (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/delete")).Location.Should().Be("/admin/machines?done=delete");
        gateway.Headscale.Tailnet.Nodes.Should().NotContain(one => one.Id == 17);
        (await sam.GetAsync("/admin/machines")).Text.Should().Contain("You have no machines yet");

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method != "GET")
            .Select(one => (one.Row, one.Actor, one.Status));
        entries.Should()
            .Equal([("nodes.rename", "proxy:sam", 200), ("nodes.expire", "proxy:sam", 200), ("nodes.delete", "proxy:sam", 200)]);
    }

    [Fact]
    public async Task TagsAndRoutesAreSetFromTheirForms()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = As(gateway, "nina");

        (await nina.SubmitAsync("/admin/machines/11", "/admin/machines/11/tags", ("tags", " tag:a, tag:b "))).Status.Should().Be(302);
        gateway.Headscale.Tailnet.Node(11).Tags.Should().Equal(["tag:a", "tag:b"]);
        (await nina.SubmitAsync("/admin/machines/12", "/admin/machines/12/routes", ("route", "10.0.0.0/8"),
            ("route", "10.1.0.0/16"))).Status.Should()
            .Be(302);
        gateway.Headscale.Tailnet.Node(12).ApprovedRoutes.Should().Equal(["10.0.0.0/8", "10.1.0.0/16"]);
    }

    [Fact]
    public async Task AFormFromElsewhereChangesNothing()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = As(gateway, "sam");
        await sam.GetAsync("/admin/machines/17");

        (await sam.PostAsync("/admin/machines/17/delete")).Status.Should().Be(400);
        sam.Headers["Sec-Fetch-Site"] = "cross-site";
        (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/delete")).Status.Should().Be(403);
        gateway.Headscale.Tailnet.Node(17).Should().NotBeNull();
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Method == "POST").Select(one => one.Reason).Should()
            .Equal(["cross_site", "cross_site"]);
    }

    [Theory]
    [InlineData("/admin/machines/x")]
    [InlineData("/admin/machines/017")]
    [InlineData("/admin/machines/17%2Fexpire")]
    [InlineData("/admin/machines/..%2Fuser")]
    [InlineData("/admin/machines/17%3Fa=b")]
    public async Task AnAddressThatNamesNoMachineIsNotSentOn(string path)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = As(gateway, "alice");

        (await alice.GetAsync(path)).Status.Should().Be(404);
        gateway.Headscale.Everything.Should().NotContain(one => one.Target.Contains("/node", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TenThousandMachinesComeInPages()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.AddRange(
            Enumerable.Range(1000, 10_000).Select(id => new TailnetNode((ulong)id, $"machine-{id}", 5)));
        using var vera = As(gateway, "vera");

        var first = await vera.GetAsync("/admin/machines");
        (first.Text.Length < 60_000 && Has(first, "10008 machines") && Has(first, "Page 1 of 201") && Has(first, "vera-laptop")).Should()
            .BeTrue($"{first.Text.Length} {first.Text[..2500]}");
        Has(await vera.GetAsync("/admin/machines?page=201"), "Page 201 of 201").Should().BeTrue();
        Has(await vera.GetAsync("/admin/machines?page=999"), "Page 201 of 201").Should().BeTrue();
        var found = await vera.GetAsync("/admin/machines?q=machine-1234");
        (Has(found, "1 machine") && Has(found, "machine-1234")).Should().BeTrue();
        Has(await vera.GetAsync("/admin/machines?q=%3Cscript%3E"), "No machine matches “&lt;script&gt;”").Should().BeTrue();
    }

    [Fact]
    public async Task HeadscalesOwnWordsAreShownWhereItRefuses()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = As(gateway, "alice");
        await alice.GetAsync("/admin/");
        gateway.Headscale.Broken = System.Net.HttpStatusCode.InternalServerError;

        var page = await alice.GetAsync("/admin/machines");

        page.Status.Should().Be(502);
        (Has(page, "Headscale refused") && Has(page, "broken")).Should().BeTrue();
    }

    [Fact]
    public async Task TheAuditIsSearchedPagedAndTakenAlong()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var audrey = As(gateway, "audrey");
        using (var sam = gateway.AsPerson("sam"))
        {
            for (var times = 0; times < 60; times++)
            {
                await TestGateway.CallAsync(sam, "GET", "/api/v1/policy");
            }
        }

        await Until.TrueAsync(
            async () => Has(await audrey.GetAsync("/admin/audit?q=policy.get"), "rel=\"next\""), "sixty entries are stored");
        var refused = await audrey.GetAsync("/admin/audit?refused=true&q=proxy%3Asam");
        (Has(refused, "role_too_low") && !Has(refused, "200 allowed")).Should().BeTrue();
        Has(await audrey.GetAsync("/admin/audit?q=%25"), "Nothing matches.").Should().BeTrue();

        using var vera = As(gateway, "vera");
        var denied = await vera.GetAsync("/admin/api/audit");
        (denied.Status, denied.Response.Content.Headers.ContentType!.MediaType).Should().Be((403, "application/problem+json"));

        var csv = await audrey.GetAsync("/admin/audit.csv?q=policy.get");
        csv.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length.Should().Be(61);
        var json = System.Text.Json.Nodes.JsonNode.Parse((await audrey.GetAsync("/admin/api/audit?q=policy.get")).Text)!;
        (json["entries"]!.AsArray().Count, $"{json["entries"]![0]!["reason"]}").Should().Be((50, "role_too_low"));
        System.Text.Json.Nodes.JsonNode.Parse(
            (await audrey.GetAsync($"/admin/api/audit?q=policy.get&before={json["next"]}")).Text)!["entries"]!
            .AsArray().Count.Should().Be(10);
    }

    [Theory]
    [InlineData(28)]
    [InlineData(29)]
    public async Task APolicyIsSavedUnlessSomebodyElseWasFaster(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var nina = As(gateway, "nina");
        using var audrey = As(gateway, "audrey");
        Has(await audrey.GetAsync("/admin/policy"), "<textarea").Should().BeFalse();
        (await As(gateway, "vera").GetAsync("/admin/policy")).Status.Should().Be(403);

        (await nina.SubmitAsync("/admin/policy", "/admin/policy", ("policy", "// mine\r\n{}"), ("step", "save"))).Location.Should()
            .Be("/admin/policy?done=set");
        gateway.Headscale.Tailnet.Policy.Should().Be("// mine\n{}");

        var page = await nina.GetAsync("/admin/policy");
        var stale = System.Text.RegularExpressions.Regex.Match(page.Text, "name=\"base\" value=\"([^\"]+)\"").Groups[1].Value;
        gateway.Headscale.Tailnet.Policy = "// theirs\n{}";
        var conflict = await nina.SubmitAsync(
            "/admin/login", "/admin/policy", ("policy", "// mine again"), ("step", "save"), ("base", stale));
        conflict.Status.Should().Be(409);
        (Has(conflict, "// mine again") && Has(conflict, "// theirs")).Should().BeTrue();
        gateway.Headscale.Tailnet.Policy.Should().Be("// theirs\n{}");

        (await audrey.SubmitAsync("/admin/login", "/admin/policy", ("policy", "{}"), ("step", "save"),
            ("base", HashOf("// theirs\n{}")))).Status.Should()
            .Be(403);
        var rows = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method != "GET").Select(one => $"{one.Row} {one.Status}");
        rows.Should()
            .Equal(version >= 29 ? ["policy.check 200", "policy.set 200", "policy.set 403"] : ["policy.set 200", "policy.set 403"]);
    }

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
    public async Task AccessIsExplainedByTheDeciderItself()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = As(gateway, "vera");

        Has(
            await vera.GetAsync("/admin/access?method=DELETE&path=%2Fapi%2Fv1%2Fnode%2F7&role=viewer"),
            "your role viewer lacks write_machines").Should()
            .BeTrue();
        var own = await vera.GetAsync("/admin/access?method=DELETE&path=%2Fapi%2Fv1%2Fnode%2F7&role=self_service");
        (Has(own, "On own: allowed") && Has(own, "On somebody else&#x27;s: your role self_service may only")).Should().BeTrue(own.Text);
        Has(await vera.GetAsync("/admin/access?method=GET&path=%2Fapi%2Fv1%2F..%2Fx&role=owner"), "no such operation").Should().BeTrue();
    }

    private static string HashOf(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);

    internal static Browser As(TestGateway gateway, string login)
    {
        var person = Sandbox.People.All.Single(one => one.Login == login);
        return new Browser(gateway)
        {
            Headers = { ["Remote-User"] = login, ["Remote-Groups"] = person.Role,
            ["Remote-Email"] = person.Email }
        };
    }
}
