using System.Text.RegularExpressions;
using Gateway.Audit;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Web.Activity;

/// <summary>The audit as a page.</summary>
public sealed partial class AuditPageTests
{
    [Fact]
    public async Task TheAuditIsSearchedPagedAndTakenAlong()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var audrey = gateway.BrowserOf("audrey");
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
        (Has(refused, "tried to ") && Has(refused, "which the role") && !Has(refused, ">done<")).Should().BeTrue();
        Has(await audrey.GetAsync("/admin/audit?q=%25"), "Nothing matches.").Should().BeTrue();

        using var vera = gateway.BrowserOf("vera");
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

    [Fact]
    public async Task AnEntryShowsWhatAChangeSetsAndNoSecret()
    {
        await using var gateway = await TestGateway.StartAsync(27);
        using var audrey = gateway.BrowserOf("audrey");
        using var nina = gateway.AsPerson("nina");
        var key = gateway.Headscale.Tailnet.Keys[0];
        await TestGateway.CallAsync(nina, "POST", "/api/v1/node/12/approve_routes", """{"routes":["10.0.0.0/8"]}""");
        await TestGateway.CallAsync(nina, "POST", "/api/v1/preauthkey/expire", $$"""{"user":"{{key.UserId}}","key":"{{key.Key}}"}""");
        await TestGateway.CallAsync(nina, "PUT", "/api/v1/policy", $$"""{"policy":"{{new string(' ', 300)}}"}""");

        (await EntryAsync("approve_routes")).Should().Contain("<dt>Sets</dt><dd>routes: [10.0.0.0/8]</dd>");
        var expired = await EntryAsync("keys.expire");
        expired.Should().Contain("key: (hidden)");
        expired.Should().NotContain(key.Key);
        (await EntryAsync("policy.set")).Should().Contain("policy: 300 characters, sha256 ");
        (await audrey.GetAsync("/admin/audit/99999")).Status.Should().Be(404);
        (await gateway.BrowserOf("vera").GetAsync("/admin/audit/1")).Status.Should().Be(403);

        async Task<string> EntryAsync(string search)
        {
            var link = "";
            await Until.TrueAsync(
                async () => (link = Entry().Match((await audrey.GetAsync($"/admin/audit?q={search}")).Text).Groups[1].Value).Length > 0,
                "the entry is stored");
            return (await audrey.GetAsync(link)).Text;
        }
    }

    [Fact]
    public async Task TheWholeAuditIsTakenAlongHoweverLongItIs()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var audrey = gateway.BrowserOf("audrey");
        await audrey.GetAsync("/admin/");
        await gateway.App.Services.GetRequiredService<IAuditStore>().WriteAsync(
            [.. Enumerable.Range(0, 1234).Select(one =>
                new AuditRecord.Begun(new AuditEntry { At = DateTimeOffset.UnixEpoch.AddYears(50), RequestId = $"r{one}",
                    Kind = AuditKind.Api, Method = "GET", Path = "/=cmd", Reason = "many", Detail = "=1+1" }))], isDurable: false, default);

        var lines = (await audrey.GetAsync("/admin/audit.csv?q=many")).Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

        lines.Length.Should().Be(1235);
        lines[1..].Select(one => one.Split(',')[9]).Distinct().Count().Should().Be(1234);
        lines[1..].Should().AllSatisfy(one => one.Should().Contain("\"'=1+1\""));
    }

    [GeneratedRegex("href=\"(/admin/audit/[0-9]+)\"")]
    private static partial Regex Entry();

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);

    [Fact]
    public async Task OnePersonsActionIsFoundAndTakenAwayAsJson()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var audrey = gateway.BrowserOf("audrey");
        using var sam = gateway.AsPerson("sam");
        using var vera = gateway.AsPerson("vera");
        await TestGateway.CallAsync(sam, "POST", "/api/v1/node/17/rename/first");
        await TestGateway.CallAsync(sam, "POST", "/api/v1/node/17/expire");
        await TestGateway.CallAsync(vera, "POST", "/api/v1/node/17/rename/second");

        foreach (var who in new[] { "proxy:sam", "sam@example.test", "sam" })
        {
            var page = (await audrey.GetAsync($"/admin/audit?who={who}&what=nodes.rename")).Text;
            System.Text.RegularExpressions.Regex.Count(page, "renamed a device").Should().Be(1, who);
            page.Should().NotContain("signed out a device").And.NotContain("tried to rename");
        }

        var ofDevice = (await audrey.GetAsync("/admin/audit?show=all&device=17")).Text;
        System.Text.RegularExpressions.Regex.Count(ofDevice, "renamed a device|signed out a device|tried to rename").Should().Be(3);
        (await audrey.GetAsync("/admin/audit?show=all&device=1")).Text.Should().Contain("Nothing matches.");

        var json = (await audrey.GetAsync("/admin/audit.jsonl?what=nodes.rename&days=1")).Text
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(one => System.Text.Json.JsonDocument.Parse(one).RootElement).ToArray();
        json.Select(one => $"{one.GetProperty("actor")} {one.GetProperty("status")}").Should()
            .BeEquivalentTo("proxy:sam 200", "proxy:vera 403");
        (await sam.GetAsync(new Uri("/admin/audit.jsonl", UriKind.Relative))).StatusCode.Should().NotBe(System.Net.HttpStatusCode.OK);
    }
}
