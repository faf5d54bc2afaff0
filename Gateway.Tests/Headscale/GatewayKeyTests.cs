using System.Net.Http.Headers;
using System.Text;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>Nobody takes the gateway's own key away through the gateway, whoever they are and however they write it.</summary>
public sealed class GatewayKeyTests
{
    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task TheGatewaysKeyCanNeitherExpireNorBeDeleted(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var (key, id) = (gateway.Headscale.ApiKey, gateway.Headscale.Tailnet.ApiKeys[0].Id);
        var prefix = ApiKeyFormat.PrefixOf(key)!;
        var other = gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z");
        var calls = new List<(string Method, string Target, string? Body)>
        {
            ("POST", "/api/v1/apikey/expire", $$"""{"prefix":"{{prefix}}"}"""),
            ("DELETE", $"/api/v1/apikey/{prefix}", null),
        };
        if (version >= 28)
        {
            calls.AddRange(
            [
                ("POST", "/api/v1/apikey/expire", $$"""{"prefix":"hskey-api-{{prefix}}-***"}"""),
                ("POST", "/api/v1/apikey/expire", $$"""{"prefix":"{{prefix.ToUpperInvariant()}}"}"""),
                ("POST", "/api/v1/apikey/expire", $$"""{"id":"{{id}}"}"""),
                ("DELETE", $"/api/v1/apikey/hskey-api-{prefix}-***", null),
                ("DELETE", $"/api/v1/apikey/{ApiKeyFormat.PrefixOf(other.Key)}?id={id}", null),
            ]);
        }

        foreach (var client in new[] { gateway.AsPerson("alice"), gateway.AsPerson("bob"), WithKey(gateway, key),
            WithKey(gateway, other.Key) })
        {
            foreach (var (method, target, body) in calls)
            {
                var (status, text) = await TestGateway.CallAsync(client, method, target, body);
                (status == 403).Should().BeTrue($"{method} {target} {body} answered {status} {text}");
                text.Should().Contain("that the gateway itself uses");
            }
        }

        gateway.Headscale.Forwarded.Should().BeEmpty();
        foreach (var client in new[] { gateway.AsPerson("bob"), WithKey(gateway, key) })
        {
            other = gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z");
            (await TestGateway.CallAsync(
                client, "POST", "/api/v1/apikey/expire", $$"""{"prefix":"{{ApiKeyFormat.PrefixOf(other.Key)}}"}"""))
                .Status.Should().Be(200);
            if (version >= 28)
            {
                (await TestGateway.CallAsync(client, "POST", "/api/v1/apikey/expire", $$"""{"id":"{{other.Id}}"}"""))
                    .Status.Should().Be(200);
            }

            (await TestGateway.CallAsync(client, "DELETE", $"/api/v1/apikey/{ApiKeyFormat.PrefixOf(other.Key)}")).Status.Should().Be(200);
        }

        gateway.Headscale.Forwarded.Where(one => one.Method == "POST").Should()
            .AllSatisfy(one => (one.Body is [_, '"', 'p' or 'i', ..]).Should().BeTrue(one.Body));
        (await gateway.StopAndReadAuditAsync()).Any(one => one is { Reason: "gateway_key_spared", Status: 403, Row: "apikeys.delete" })
            .Should().BeTrue();
    }

    [Theory]
    [InlineData("POST", "/api/v1/apikey/expire", """{"prefix":"PREFIX","prefix":"other"}""")]
    [InlineData("POST", "/api/v1/apikey/expire", """{"Prefix":"PREFIX"}""")]
    [InlineData("POST", "/api/v1/apikey/expire", """{"pre\u0066ix":"PREFIX"}""")]
    [InlineData("POST", "/api/v1/apikey/expire?prefix=PREFIX", "{}")]
    [InlineData("POST", "/api/v1/%61pikey/expire", """{"prefix":"PREFIX"}""")]
    [InlineData("POST", "/api/v1/apikey/expir%65", """{"prefix":"PREFIX"}""")]
    [InlineData("POST", "/API/v1/apikey/expire", """{"prefix":"PREFIX"}""")]
    [InlineData("POST", "/api/v1/apikey/expire/", """{"prefix":"PREFIX"}""")]
    [InlineData("POST", "/api/v1/./apikey/expire", """{"prefix":"PREFIX"}""")]
    [InlineData("POST", "/api/v1//apikey/expire", """{"prefix":"PREFIX"}""")]
    [InlineData("DELETE", "/api/v1/%61pikey/PREFIX", null)]
    [InlineData("DELETE", "/api/v1/apikey/%50REFIX", null)]
    [InlineData("DELETE", "/api/v1/apikey/PREFIX/", null)]
    [InlineData("delete", "/api/v1/apikey/PREFIX", null)]
    [InlineData("PUT", "/api/v1/apikey/PREFIX", "{}")]
    public async Task NoOtherSpellingOfItPassesWithAKeyEither(string method, string target, string? body)
    {
        await using var gateway = await TestGateway.StartAsync();
        var prefix = ApiKeyFormat.PrefixOf(gateway.Headscale.ApiKey)!;
        var bytes = Encoding.UTF8.GetBytes(body?.Replace("PREFIX", prefix, StringComparison.Ordinal) ?? "");

        var (head, _) = await gateway.SendRawAsync(
            $"{method} {target.Replace("PREFIX", prefix, StringComparison.Ordinal)} HTTP/1.1\r\nHost: x\r\nConnection: "
            + $"close\r\nAuthorization: Bearer {gateway.Headscale.ApiKey}\r\n"
            + $"X-HTTP-Method-Override: DELETE\r\nContent-Type: application/json\r\nContent-Length: {bytes.Length}\r\n\r\n",
            bytes);

        head.Should().StartWith("HTTP/1.1 4");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task AMethodOverrideIsNotPassedOn()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = WithKey(gateway, gateway.Headscale.ApiKey);
        client.DefaultRequestHeaders.Add("X-HTTP-Method-Override", "DELETE");

        await TestGateway.CallAsync(client, "POST", "/api/v1/node/11/expire");

        gateway.Headscale.Forwarded.Should().ContainSingle().Subject.Header("X-HTTP-Method-Override").Should().BeNull();
    }

    private static HttpClient WithKey(TestGateway gateway, string key)
    {
        var client = gateway.As(null);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
