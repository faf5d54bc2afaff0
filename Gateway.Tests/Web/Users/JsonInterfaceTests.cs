using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Web.Users;

/// <summary>The pages as JSON: the same rules, and a document that names everything there is.</summary>
public sealed class JsonInterfaceTests
{
    [Fact]
    public async Task TheDocumentNamesEveryOperationAndNoOther()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = new Browser(gateway);
        var document = JsonNode.Parse((await browser.GetAsync("/admin/api/openapi.json")).Text)!;

        var named = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(one => $"{one.Key.ToUpperInvariant()} {path.Key}"));
        var mapped = gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(one => one.RoutePattern.RawText!.StartsWith("/admin/api/", StringComparison.Ordinal))
            .SelectMany(
                one => one.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} "
                    + $"{one.RoutePattern.RawText!["/admin".Length..].Replace(":long", "", StringComparison.Ordinal)}"));
        named.Order().Should().Equal(mapped.Order());
        ((string?)document["servers"]![0]!["url"]).Should().Be("/admin");
        References(document).Should()
            .AllSatisfy(
                one => one.TrimStart('#', '/').Split('/').Aggregate((JsonNode?)document, (at, step) => at![step]).Should().NotBeNull());
    }

    [Fact]
    public async Task RightsThatNothingAsksForAreSaidToBeReserved()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.AsPerson("alice");

        var me = (await CallAsync(alice, "GET", "/admin/api/me")).Json!;

        string[] reserved = ["configure_iam", "write_network", "write_tailnet"];
        me["reserved"]!.AsArray().Select(one => (string?)one).Should().Equal(reserved);
        me["capabilities"]!.AsArray().Select(one => (string?)one).Should().Contain("write_machines").And.NotContain(reserved);
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
        (await CallAsync(mel, "POST", "/admin/api/me/claim", """{"headscaleUser":"60"}""")).Should()
            .Be(((HttpStatusCode, JsonNode?))(HttpStatusCode.NoContent, null));

        var (status, list) = await CallAsync(vera, "GET", "/admin/api/users");
        var asking = list!["users"]!.AsArray().Single(one => one!["claim"] is not null)!;
        (status, (string?)asking["claim"]!["name"], (bool)asking["mayChange"]!).Should().Be((HttpStatusCode.OK, "spare", false));
        var id = (long)asking["id"]!;

        (await CallAsync(mel, "GET", "/admin/api/users")).Status.Should().Be(HttpStatusCode.Forbidden);
        var (refused, why) = await CallAsync(vera, "POST", $"/admin/api/users/{id}/approve");
        (refused, (string?)why!["detail"]).Should().Be((HttpStatusCode.Forbidden, "your role viewer lacks assign_roles"));
        var (done, person) = await CallAsync(alice, "POST", $"/admin/api/users/{id}/approve");
        (done, (string?)person!["headscaleUser"]!["id"], (string?)person["linkedBy"]).Should().Be((HttpStatusCode.OK, "60", "claim"));
        (await CallAsync(alice, "POST", $"/admin/api/users/{id}/nothing")).Status.Should().Be(HttpStatusCode.NotFound);
        (await CallAsync(alice, "GET", "/admin/api/users/999")).Status.Should().Be(HttpStatusCode.NotFound);
        (await CallAsync(alice, "POST", $"/admin/api/users/{id}/role", """{"role":"viewer","role":"admin"}"""))
            .Status.Should().Be(HttpStatusCode.BadRequest);
        (await CallAsync(alice, "POST", $"/admin/api/users/{id}/role", """{"rank":"viewer"}"""))
            .Status.Should().Be(HttpStatusCode.BadRequest);
        (await CallAsync(alice, "POST", $"/admin/api/users/{id}/remove")).Status.Should().Be(HttpStatusCode.NoContent);
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
        var before = gateway.People.Snapshot.Everyone;

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Url, "/admin/api/users/2/role"))
        {
            Content = new StringContent("""{"role":"admin"}""", null, type),
        };
        request.Headers.Add(header, value);
        request.Headers.Host = "gateway.example.test";
        using var answer = await alice.SendAsync(request);

        (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType).Should().Be((expected, "application/problem+json"));
        gateway.People.Snapshot.Everyone.Should().Equal(before);
    }

    [Fact]
    public async Task ThePolicyIsReadAndExplained()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = gateway.AsPerson("vera");

        var (_, access) = await CallAsync(vera, "GET", "/admin/api/access");
        access!["roles"]!.AsArray().Select(one => (string)one!).Should().Equal(gateway.Configuration.Table.Roles.Select(one => one.Name));
        access["rows"]!.AsArray().Should()
            .AllSatisfy(one => one!["perRole"]!.AsArray().Count.Should().Be(gateway.Configuration.Table.Roles.Count));
        var (_, explained) = await CallAsync(vera, "GET", "/admin/api/access/explain?method=DELETE&path=/api/v1/node/7");
        ((bool)explained!["answers"]![0]!["isAllowed"]!, (string?)explained["answers"]![0]!["text"]).Should()
            .Be((false, "your role viewer lacks write_machines"));
    }

    [Fact]
    public async Task EveryPageSaysThatHeadscaleRejectsTheKey()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = gateway.BrowserOf("vera");
        (await vera.GetAsync("/admin/")).Text.Should().NotContain("role=\"alert\"");
        gateway.Headscale.Tailnet.ApiKeys.Clear();
        await vera.GetAsync("/admin/machines");

        foreach (var path in new[] { "/admin/", "/admin/access", "/admin/connect" })
        {
            (await vera.GetAsync(path)).Text.Should().Contain("role=\"alert\"");
        }

        (await vera.GetAsync("/admin/access")).Text.Should().Contain("API key");
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(member => member.Key == "$ref" ? [(string)member.Value!] : References(member.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };

    private static async Task<(HttpStatusCode Status, JsonNode? Json)> CallAsync(
        HttpClient client, string method, string target, string? body = null)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method),
            new Uri(client.BaseAddress!, target))
        { Content = body is null ? null : new StringContent(body, null, "application/json") };
        request.Headers.Host = "gateway.example.test";
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }
}
