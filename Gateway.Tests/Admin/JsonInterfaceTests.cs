using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Admin;

/// <summary>The pages as JSON: the same rules, and a document that names everything there is.</summary>
public sealed class JsonInterfaceTests
{
    [Fact]
    public async Task TheDocumentNamesEveryOperationAndNoOther()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = new Browser(gateway);
        var document = JsonNode.Parse((await browser.GetAsync("/admin/api/openapi.json")).Text)!;

        var named = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(one => $"{one.Key.ToUpperInvariant()} {path.Key}"));
        var mapped = gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(one => one.RoutePattern.RawText!.StartsWith("/admin/api/", StringComparison.Ordinal))
            .SelectMany(one => one.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {one.RoutePattern.RawText!["/admin".Length..].Replace(":long", "", StringComparison.Ordinal)}"));
        Assert.Equal(mapped.Order(), named.Order());
        Assert.Equal("/admin", (string?)document["servers"]![0]!["url"]);
        Assert.All(References(document), one => Assert.NotNull(one.TrimStart('#', '/').Split('/').Aggregate((JsonNode?)document, (at, step) => at![step])));
    }

    [Fact]
    public async Task PeopleAreChangedUnderTheRulesOfThePages()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.AsPerson("alice");
        using var vera = gateway.AsPerson("vera");
        using var mel = gateway.AsPerson("mel");
        gateway.Headscale.Tailnet.Users.Add(new(60, "spare", ""));
        await CallAsync(alice, "GET", "/admin/api/me");
        await CallAsync(vera, "GET", "/admin/api/me");
        Assert.Equal((HttpStatusCode.NoContent, null), await CallAsync(mel, "POST", "/admin/api/me/claim", """{"headscaleUser":"60"}"""));

        var (status, list) = await CallAsync(vera, "GET", "/admin/api/users");
        var asking = list!["users"]!.AsArray().Single(one => one!["claim"] is not null)!;
        Assert.Equal((HttpStatusCode.OK, "spare", false), (status, (string?)asking["claim"]!["name"], (bool)asking["mayChange"]!));
        var id = (long)asking["id"]!;

        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(mel, "GET", "/admin/api/users")).Status);
        var (refused, why) = await CallAsync(vera, "POST", $"/admin/api/users/{id}/approve");
        Assert.Equal((HttpStatusCode.Forbidden, "your role viewer lacks assign_roles"), (refused, (string?)why!["detail"]));
        var (done, person) = await CallAsync(alice, "POST", $"/admin/api/users/{id}/approve");
        Assert.Equal((HttpStatusCode.OK, "60", "claim"), (done, (string?)person!["headscaleUser"]!["id"], (string?)person["linkedBy"]));
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(alice, "POST", $"/admin/api/users/{id}/nothing")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(alice, "GET", "/admin/api/users/999")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await CallAsync(alice, "POST", $"/admin/api/users/{id}/role", """{"role":"viewer","role":"admin"}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await CallAsync(alice, "POST", $"/admin/api/users/{id}/role", """{"rank":"viewer"}""")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await CallAsync(alice, "POST", $"/admin/api/users/{id}/remove")).Status);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", "application/json", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "https://evil.example", "application/json", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-origin", "text/plain", HttpStatusCode.BadRequest)]
    public async Task AnotherSiteChangesNothing(string header, string value, string type, HttpStatusCode expected)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.AsPerson("alice");
        using var vera = gateway.AsPerson("vera");
        await CallAsync(alice, "GET", "/admin/api/me");
        await CallAsync(vera, "GET", "/admin/api/me");
        var before = gateway.People.Snapshot.Generation;

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/admin/api/users/2/role")) { Content = new StringContent("""{"role":"admin"}""", null, type) };
        request.Headers.Add(header, value);
        request.Headers.Host = "gateway.example.test";
        using var answer = await alice.SendAsync(request);

        Assert.Equal((expected, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        Assert.Equal(before, gateway.People.Reload().Generation);
    }

    [Fact]
    public async Task ThePolicyIsReadAndExplained()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = gateway.AsPerson("vera");

        var (_, access) = await CallAsync(vera, "GET", "/admin/api/access");
        Assert.Equal(gateway.Configuration.Table.Roles.Select(one => one.Name), access!["roles"]!.AsArray().Select(one => (string)one!));
        Assert.All(access["rows"]!.AsArray(), one => Assert.Equal(gateway.Configuration.Table.Roles.Count, one!["perRole"]!.AsArray().Count));
        var (_, explained) = await CallAsync(vera, "GET", "/admin/api/access/explain?method=DELETE&path=/api/v1/node/7");
        Assert.Equal((false, "your role viewer lacks write_machines"), ((bool)explained!["answers"]![0]!["isAllowed"]!, (string?)explained["answers"]![0]!["text"]));
    }

    [Fact]
    public async Task EveryPageSaysThatHeadscaleRejectsTheKey()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = PagesTests.As(gateway, "vera");
        Assert.DoesNotContain("role=\"alert\"", (await vera.GetAsync("/admin/")).Text, StringComparison.Ordinal);
        gateway.Headscale.Tailnet.ApiKeys.Clear();
        await vera.GetAsync("/admin/machines");

        foreach (var path in new[] { "/admin/", "/admin/access", "/admin/connect" })
        {
            Assert.Contains("role=\"alert\"", (await vera.GetAsync(path)).Text, StringComparison.Ordinal);
        }

        Assert.Contains("API key", (await vera.GetAsync("/admin/access")).Text, StringComparison.Ordinal);
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(member => member.Key == "$ref" ? [(string)member.Value!] : References(member.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };

    private static async Task<(HttpStatusCode Status, JsonNode? Json)> CallAsync(HttpClient client, string method, string target, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(client.BaseAddress!, target)) { Content = body is null ? null : new StringContent(body, null, "application/json") };
        request.Headers.Host = "gateway.example.test";
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }
}
