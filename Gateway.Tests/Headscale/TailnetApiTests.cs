using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>Tailscale's API, of which Headscale 0.30 has a part.</summary>
public sealed class TailnetApiTests
{
    private const string Tailnet = "/api/v2/tailnet/-";

    [Fact]
    public async Task SelfServiceSeesItsOwnAndNothingElse()
    {
        await using var gateway = await TestGateway.StartAsync(30);
        gateway.Headscale.Api.CreateKey(7, "2036-01-01T00:00:00Z", ["tag:ci"]);
        using var sam = gateway.AsPerson("sam");

        (await ListAsync("/devices", "devices")).Should().ContainSingle().Subject!["id"]!.ToString().Should().Be("17");
        (await ListAsync("/users", "users")).Should().ContainSingle().Subject!["id"]!.ToString().Should().Be("7");
        var key = (await ListAsync("/keys", "keys")).Should().ContainSingle().Subject!;
        (key["userId"]!.ToString(), key["tags"]).Should().Be(("7", (JsonNode?)null));
        (await TestGateway.CallAsync(sam, "GET", "/api/v2/device/11")).Should().Be((404, """{"message":"not found","status":404}"""));

        async Task<JsonArray> ListAsync(string target, string member)
        {
            var (status, text) = await TestGateway.CallAsync(sam, "GET", Tailnet + target);
            status.Should().Be(200);
            return JsonNode.Parse(text)![member]!.AsArray();
        }
    }

    [Fact]
    public async Task APolicyStaysAsItWasWrittenAndIsNotOverwrittenUnseen()
    {
        await using var gateway = await TestGateway.StartAsync(30);
        using var nina = gateway.AsPerson("nina");
        const string Policy = "// for people\n{\"acls\": [],}\n";

        using var read = await nina.GetAsync(new Uri(Tailnet + "/acl", UriKind.Relative));
        var etag = read.Headers.ETag!;
        (await SetAsync(Policy, etag.Tag)).Should().Be(200);
        gateway.Headscale.Tailnet.Policy.Should().Be(Policy);
        (gateway.Headscale.Forwarded[^1].Header("Content-Type"), gateway.Headscale.Forwarded[^1].Header("If-Match")).Should()
            .Be(("application/hujson", etag.Tag));

        (await SetAsync("{}", etag.Tag)).Should().Be(412);
        (await SetAsync("{}", "*")).Should().Be(200);
        gateway.Headscale.Forget();
        foreach (var bad in new[] { "", "[]", "{", "{} {}", "{\"a\":1,,}", "\uFEFF{}", "\"x\"" })
        {
            (await SetAsync(bad, null)).Should().Be(400);
        }

        (await SetAsync("{}", "\"a\u00e4\"")).Should().Be(400);
        (await SetAsync("{}", null, "text/plain")).Should().Be(415);
        gateway.Headscale.Forwarded.Should().BeEmpty();

        async Task<int> SetAsync(string text, string? ifMatch, string type = "application/hujson")
        {
            var head = $"POST {Tailnet}/acl HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRemote-User: nina\r\nRemote-Groups: "
                + $"network_admin\r\nContent-Type: {type}\r\n"
                + (ifMatch is null ? "" : $"If-Match: {ifMatch}\r\n") + $"Content-Length: {Encoding.UTF8.GetByteCount(text)}\r\n\r\n";
            return int.Parse(
                (await gateway.SendRawAsync(head, Encoding.UTF8.GetBytes(text))).Head[9..12],
                System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Theory]
    [InlineData("ivan",
        """{"keyType":"auth","capabilities":{"devices":{"create":{"reusable":true,"tags":null}}},"expirySeconds":3600}""", 200)]
    [InlineData("ivan", """{"keyType":"auth","capabilities":{"devices":{"create":{"tags":["tag:ci"]}}}}""", 403)]
    [InlineData("nina", """{"keyType":"auth","capabilities":{"devices":{"create":{"tags":["tag:ci"]}}}}""", 200)]
    [InlineData("nina", """{"keyType":"client","tags":["tag:ci"]}""", 403)]
    [InlineData("nina", """{"keyType":"client"}""", 403)]
    [InlineData("nina", """{"scopes":["all"]}""", 403)]
    [InlineData("bob", """{"keyType":"client","scopes":["all"],"tags":["tag:ci"]}""", 200)]
    [InlineData("bob", """{"keyType":"Client"}""", 400)]
    [InlineData("bob", """{"keytype":"client"}""", 400)]
    [InlineData("bob", """{"capabilities":{"devices":{}},"capabilities":{"devices":{}}}""", 400)]
    [InlineData("bob", """{"capabilities":{"devices":{"create":{"reusable":true,"reusable":false}}}}""", 400)]
    [InlineData("bob", """{"capabilities":{"devices":{"create":{"admin":true}}}}""", 400)]
    [InlineData("bob", """{"capabilities":{"devices":{"create":[]}}}""", 400)]
    [InlineData("bob", """{"capabilities.devices.create.reusable":true}""", 400)]
    [InlineData("bob", """{"expirySeconds":"3600"}""", 400)]
    [InlineData("bob", """{"expirySeconds":1.5}""", 400)]
    [InlineData("bob", """{"":1}""", 400)]
    [InlineData("sam", """{"keyType":"auth"}""", 403)]
    public async Task WhatAKeyMayDoDecidesWhoMayMakeIt(string person, string body, int expected)
    {
        await using var gateway = await TestGateway.StartAsync(30);
        using var client = gateway.AsPerson(person);

        var (status, text) = await TestGateway.CallAsync(client, "POST", Tailnet + "/keys", body);

        (status == expected).Should().BeTrue(text);
        if (status == 200)
        {
            gateway.Headscale.Forwarded.Should().ContainSingle().Subject.Body.Should()
                .Be(body.Replace("null", "[]", StringComparison.Ordinal));
        }
        else
        {
            gateway.Headscale.Forwarded.Should().BeEmpty();
            text.Should().StartWith("""{"message":""");
        }
    }

    [Fact]
    public async Task OAuthTokensAndTheTokenEndpointPassUntouched()
    {
        await using var gateway = await TestGateway.StartAsync(30);
        using var client = gateway.As(null);
        var token = $"hskey-oauthtok-{new string('b', 12)}-{new string('c', 64)}";
        foreach (var authorization in new[] { new AuthenticationHeaderValue("Bearer", token), Basic(token),
            Basic(gateway.Headscale.ApiKey) })
        {
            client.DefaultRequestHeaders.Authorization = authorization;
            (await TestGateway.CallAsync(client, "GET", Tailnet + "/devices?fields=all&x=1")).Status.Should().Be(200);
            (gateway.Headscale.Forwarded[^1].Header("Authorization"), gateway.Headscale.Forwarded[^1].Target).Should()
                .Be((authorization.ToString(), Tailnet + "/devices?fields=all&x=1"));
        }

        client.DefaultRequestHeaders.Authorization = Basic("client", "hskey-client-5f0c-secret");
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials")]);
        using var answer = await client.PostAsync(new Uri("/api/v2/oauth/token", UriKind.Relative), form);
        (await answer.Content.ReadAsStringAsync()).Should().Contain("access_token");
        var seen = gateway.Headscale.Forwarded[^1];
        (seen.Body, seen.Header("Content-Type"), seen.Header("Authorization")).Should()
            .Be(("grant_type=client_credentials", "application/x-www-form-urlencoded", $"{client.DefaultRequestHeaders.Authorization}"));

        // Of the first version of the API, tokens are no credentials.
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(401);

        static AuthenticationHeaderValue Basic(string user, string password = "") =>
            new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
    }

    [Fact]
    public async Task SecretsCannotBeGuessedWithoutEndAtTheTokenEndpoint()
    {
        await using var gateway = await TestGateway.StartAsync(
            30, more: "limits: {anonymous_per_minute: 3}\nbootstrap: {owner: 'proxy:alice'}");
        using var client = gateway.As(null);
        for (var times = 0; times < 4; times++)
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("client_secret", "guess")]);
            using var answer = await client.PostAsync(new Uri("/api/v2/oauth/token", UriKind.Relative), form);
            ((int)answer.StatusCode).Should().Be(times < 3 ? 200 : 429);
        }
    }

    [Fact]
    public async Task AnOlderHeadscaleHasNoneOfIt()
    {
        await using var gateway = await TestGateway.StartAsync(28);
        (await gateway.CallAsAsync(null, "POST", "/api/v2/oauth/token", "{}")).Status.Should().Be(404);

        (await gateway.CallAsAsync("alice", "GET", Tailnet + "/devices")).Should()
            .Be((404, """{"message":"Not Found: Headscale has it since 0.30","status":404}"""));
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }
}
