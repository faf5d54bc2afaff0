using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

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
        Assert.Equal((reads || readsOwn, role.Has(Capability.ReadAudit)), (Has(home, "href=\"/admin/machines\""), Has(home, "href=\"/admin/audit\"")));
        Assert.Contains(person.Role, home.Text, StringComparison.Ordinal);

        var machines = await browser.GetAsync("/admin/machines");
        Assert.Equal((reads || readsOwn ? 200 : 403, reads, reads || readsOwn), (machines.Status, Has(machines, "db-1"), Has(machines, $"{login}-laptop")));
        Assert.Equal(role.Has(Capability.ReadAudit) ? 200 : 403, (await browser.GetAsync("/admin/audit")).Status);
        Assert.Equal(role.Held.Count > 0 ? 200 : 403, (await browser.GetAsync("/admin/access")).Status);

        foreach (var (id, isOwn) in new[] { (person.HeadscaleId + 10, true), (login == "alice" ? 12UL : 11UL, false), (20UL, false) })
        {
            if (id is null)
            {
                continue;
            }

            var machine = await browser.GetAsync($"/admin/machines/{id}");
            Assert.Equal(reads || (readsOwn && isOwn) ? 200 : readsOwn ? 404 : 403, machine.Status);
            var writes = machine.Status == 200 && (role.Has(Capability.WriteMachines) || (isOwn && role.Has(Capability.WriteOwnMachines)));
            foreach (var (action, may) in new[]
            {
                ("rename", writes), ("expire", writes), ("delete", writes), ("tags", machine.Status == 200 && role.Has(Capability.UseTags)),
            })
            {
                Assert.True(Has(machine, $"/admin/machines/{id}/{action}\"") == may, $"{login} is {(may ? "not " : "")}offered to {action} {id}");
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
            var answer = await browser.SubmitAsync("/admin/login", $"/admin/machines/11/{action}", ("name", "mine"), ("tags", "tag:a"), ("route", "10.0.0.0/8"));

            Assert.True(answer.Status == 403, $"{login}: {answer.Status}");
            Assert.Contains("lacks", answer.Text.Replace("may only do this to what is your own", "lacks", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(gateway.Headscale.Everything, one => one.Method != "GET");
        Assert.Equal(3, (await gateway.StopAndReadAuditAsync()).Count(one => one is { Status: 403, Method: "POST" or "DELETE", Path: not null } && one.Path.StartsWith("/api/v1/node/11", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task WhatIsDoneIsSaidAndWrittenDown()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = As(gateway, "sam");

        var renamed = await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/rename", ("name", "new-name"));
        Assert.Equal((302, "/admin/machines/17?done=rename"), (renamed.Status, renamed.Location));
        var page = await sam.GetAsync(renamed.Location!);
        Assert.True(Has(page, "The machine has its new name.") && Has(page, "new-name"));

        Assert.Equal("/admin/machines/17?done=expire", (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/expire")).Location);
        Assert.Equal("/admin/machines?done=delete", (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/delete")).Location);
        Assert.DoesNotContain(gateway.Headscale.Tailnet.Nodes, one => one.Id == 17);
        Assert.Contains("You have no machines yet", (await sam.GetAsync("/admin/machines")).Text, StringComparison.Ordinal);

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method != "GET").Select(one => (one.Row, one.Actor, one.Status));
        Assert.Equal([("nodes.rename", "proxy:sam", 200), ("nodes.expire", "proxy:sam", 200), ("nodes.delete", "proxy:sam", 200)], entries);
    }

    [Fact]
    public async Task TagsAndRoutesAreSetFromTheirForms()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = As(gateway, "nina");

        Assert.Equal(302, (await nina.SubmitAsync("/admin/machines/11", "/admin/machines/11/tags", ("tags", " tag:a, tag:b "))).Status);
        Assert.Equal(["tag:a", "tag:b"], gateway.Headscale.Tailnet.Node(11).Tags);
        Assert.Equal(302, (await nina.SubmitAsync("/admin/machines/12", "/admin/machines/12/routes", ("route", "10.0.0.0/8"), ("route", "10.1.0.0/16"))).Status);
        Assert.Equal(["10.0.0.0/8", "10.1.0.0/16"], gateway.Headscale.Tailnet.Node(12).ApprovedRoutes);
    }

    [Fact]
    public async Task AFormFromElsewhereChangesNothing()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = As(gateway, "sam");
        await sam.GetAsync("/admin/machines/17");

        Assert.Equal(400, (await sam.PostAsync("/admin/machines/17/delete")).Status);
        sam.Headers["Sec-Fetch-Site"] = "cross-site";
        Assert.Equal(403, (await sam.SubmitAsync("/admin/machines/17", "/admin/machines/17/delete")).Status);
        Assert.NotNull(gateway.Headscale.Tailnet.Node(17));
        Assert.Equal(["cross_site", "cross_site"], (await gateway.StopAndReadAuditAsync()).Where(one => one.Method == "POST").Select(one => one.Reason));
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

        Assert.Equal(404, (await alice.GetAsync(path)).Status);
        Assert.DoesNotContain(gateway.Headscale.Everything, one => one.Target.Contains("/node", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TenThousandMachinesComeInPages()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.AddRange(Enumerable.Range(1000, 10_000).Select(id => new TailnetNode((ulong)id, $"machine-{id}", 5)));
        using var vera = As(gateway, "vera");

        var first = await vera.GetAsync("/admin/machines");
        Assert.True(first.Text.Length < 60_000 && Has(first, "10008 machines") && Has(first, "Page 1 of 201") && Has(first, "vera-laptop"), $"{first.Text.Length} {first.Text[..2500]}");
        Assert.True(Has(await vera.GetAsync("/admin/machines?page=201"), "Page 201 of 201"));
        Assert.True(Has(await vera.GetAsync("/admin/machines?page=999"), "Page 201 of 201"));
        var found = await vera.GetAsync("/admin/machines?q=machine-1234");
        Assert.True(Has(found, "1 machine") && Has(found, "machine-1234"));
        Assert.True(Has(await vera.GetAsync("/admin/machines?q=%3Cscript%3E"), "No machine matches “&lt;script&gt;”"));
    }

    [Fact]
    public async Task HeadscalesOwnWordsAreShownWhereItRefuses()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = As(gateway, "alice");
        await alice.GetAsync("/admin/");
        gateway.Headscale.Broken = System.Net.HttpStatusCode.InternalServerError;

        var page = await alice.GetAsync("/admin/machines");

        Assert.Equal(502, page.Status);
        Assert.True(Has(page, "Headscale refused") && Has(page, "broken"));
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

        await Until.TrueAsync(async () => Has(await audrey.GetAsync("/admin/audit?q=policy.get"), "rel=\"next\""), "sixty entries are stored");
        var refused = await audrey.GetAsync("/admin/audit?refused=true&q=proxy%3Asam");
        Assert.True(Has(refused, "role_too_low") && !Has(refused, "200 allowed"));
        Assert.True(Has(await audrey.GetAsync("/admin/audit?q=%25"), "Nothing matches."));

        using var vera = As(gateway, "vera");
        var denied = await vera.GetAsync("/admin/api/audit");
        Assert.Equal((403, "application/problem+json"), (denied.Status, denied.Response.Content.Headers.ContentType!.MediaType));

        var csv = await audrey.GetAsync("/admin/audit.csv?q=policy.get");
        Assert.Equal(61, csv.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        var json = System.Text.Json.Nodes.JsonNode.Parse((await audrey.GetAsync("/admin/api/audit?q=policy.get")).Text)!;
        Assert.Equal((50, "role_too_low"), (json["entries"]!.AsArray().Count, $"{json["entries"]![0]!["reason"]}"));
        Assert.Equal(10, System.Text.Json.Nodes.JsonNode.Parse((await audrey.GetAsync($"/admin/api/audit?q=policy.get&before={json["next"]}")).Text)!["entries"]!.AsArray().Count);
    }

    [Theory]
    [InlineData(28)]
    [InlineData(29)]
    public async Task APolicyIsSavedUnlessSomebodyElseWasFaster(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var nina = As(gateway, "nina");
        using var audrey = As(gateway, "audrey");
        Assert.False(Has(await audrey.GetAsync("/admin/policy"), "<textarea"));
        Assert.Equal(403, (await As(gateway, "vera").GetAsync("/admin/policy")).Status);

        Assert.Equal("/admin/policy?done=set", (await nina.SubmitAsync("/admin/policy", "/admin/policy", ("policy", "// mine\r\n{}"), ("step", "save"))).Location);
        Assert.Equal("// mine\n{}", gateway.Headscale.Tailnet.Policy);

        var page = await nina.GetAsync("/admin/policy");
        var stale = System.Text.RegularExpressions.Regex.Match(page.Text, "name=\"base\" value=\"([^\"]+)\"").Groups[1].Value;
        gateway.Headscale.Tailnet.Policy = "// theirs\n{}";
        var conflict = await nina.SubmitAsync("/admin/login", "/admin/policy", ("policy", "// mine again"), ("step", "save"), ("base", stale));
        Assert.Equal(409, conflict.Status);
        Assert.True(Has(conflict, "// mine again") && Has(conflict, "// theirs"));
        Assert.Equal("// theirs\n{}", gateway.Headscale.Tailnet.Policy);

        Assert.Equal(403, (await audrey.SubmitAsync("/admin/login", "/admin/policy", ("policy", "{}"), ("step", "save"), ("base", HashOf("// theirs\n{}")))).Status);
        var rows = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method != "GET").Select(one => $"{one.Row} {one.Status}");
        Assert.Equal(version >= 29 ? ["policy.check 200", "policy.set 200", "policy.set 403"] : ["policy.set 200", "policy.set 403"], rows);
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
        Assert.Equal(2, page.Text.Split("/end\"").Length - 1);
        var all = System.Text.Json.Nodes.JsonNode.Parse((await alice.GetAsync("/admin/api/sessions")).Text)!["sessions"]!.AsArray();
        Assert.Equal(3, all.Count);
        var ofAlice = all.Single(one => (bool)one!["current"]!)!["id"];
        Assert.Equal(404, (await sam.SubmitAsync("/admin/account", $"/admin/account/sessions/{ofAlice}/end")).Status);

        var mine = System.Text.Json.Nodes.JsonNode.Parse((await sam.GetAsync("/admin/api/sessions")).Text)!["sessions"]!.AsArray().Single(one => !(bool)one!["current"]!)!["id"];
        Assert.Equal("/admin/account?done=end", (await sam.SubmitAsync("/admin/account", $"/admin/account/sessions/{mine}/end")).Location);
        Assert.Equal(302, (await other.GetAsync("/admin/")).Status);
        Assert.Equal(200, (await sam.GetAsync("/admin/")).Status);
        Assert.Equal(200, (await alice.GetAsync("/admin/status")).Status);
        Assert.Equal(403, (await sam.GetAsync("/admin/status")).Status);
    }

    [Fact]
    public async Task AccessIsExplainedByTheDeciderItself()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = As(gateway, "vera");

        Assert.True(Has(await vera.GetAsync("/admin/access?method=DELETE&path=%2Fapi%2Fv1%2Fnode%2F7&role=viewer"), "your role viewer lacks write_machines"));
        var own = await vera.GetAsync("/admin/access?method=DELETE&path=%2Fapi%2Fv1%2Fnode%2F7&role=self_service");
        Assert.True(Has(own, "On own: allowed") && Has(own, "On somebody else&#x27;s: your role self_service may only"), own.Text);
        Assert.True(Has(await vera.GetAsync("/admin/access?method=GET&path=%2Fapi%2Fv1%2F..%2Fx&role=owner"), "no such operation"));
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);

    internal static Browser As(TestGateway gateway, string login)
    {
        var person = Sandbox.People.All.Single(one => one.Login == login);
        return new Browser(gateway) { Headers = { ["Remote-User"] = login, ["Remote-Groups"] = person.Role, ["Remote-Email"] = person.Email } };
    }
}
