using System.Net.Http.Headers;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forwarding;

/// <summary>Callers with a Headscale key of their own are treated as Headscale itself would treat them.</summary>
public sealed class OwnKeyTests
{
    [Theory]
    [InlineData(26, "text/plain;charset=UTF-8")]
    [InlineData(29, "text/plain;charset=UTF-8")]
    [InlineData(29, null)]
    [InlineData(29, "application/x-www-form-urlencoded")]
    [InlineData(30, null)]
    public async Task TheMediaTypeOfABodyMeansNothing(int version, string? type)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var client = WithKey(gateway);

        (await SendAsync(client, "/api/v1/apikey", """{"expiration":"2036-01-01T00:00:00.000Z"}""", type)).Should().Be(200);
        var sent = gateway.Headscale.Forwarded.Should().ContainSingle().Subject;
        (sent.Header("Content-Type"), sent.Body).Should().Be(("application/json", """{"expiration":"2036-01-01T00:00:00.000Z"}"""));
    }

    [Fact]
    public async Task WhatIsNotJsonIsRefused()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = WithKey(gateway);

        (await SendAsync(client, "/api/v1/apikey", "expiration=2036", "text/plain")).Should().Be(400);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Theory]
    [InlineData("/api/v1/user/1/rename/two%20words", 200)]
    [InlineData("/api/v1/user/1/rename/a%2Fb", 404)]
    [InlineData("/api/v1/user/1/rename/a%5Cb", 404)]
    [InlineData("/api/v1/user/1/rename/a%00b", 400)]
    [InlineData("/api/v1/user/1/rename/a%25b", 404)]
    [InlineData("/api/v1/user/1/rename/%2e%2e", 404)]
    [InlineData("/api/v1/user/1/rename/a%zzb", 404)]
    public async Task BothDoorsReadAPathAlike(string path, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        await Until.TrueAsync(() => gateway.Log.Has("was found"), "the version is known, and so how errors are written");
        var byKey = await RawAsync(gateway, path, $"Authorization: Bearer {gateway.Headscale.ApiKey}");
        var asOwner = await RawAsync(gateway, path, "Remote-User: alice");

        byKey.Head.Should().StartWith($"HTTP/1.1 {status} ");
        asOwner.Head.Should().StartWith($"HTTP/1.1 {status} ");
        if (status != 200)
        {
            byKey.Text.Should().Be(asOwner.Text);
        }
    }

    [Fact]
    public async Task NobodyUsesUpTheShareOfAKeyByItsPublicPrefix()
    {
        await using var gateway = await TestGateway.StartAsync(
            more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 0, caller_per_minute: 5}");
        var key = gateway.Headscale.ApiKey;
        var forged = key[..^64] + new string('0', 64);
        for (var times = 0; times < 12; times++)
        {
            await RawAsync(gateway, "/api/v1/node", $"Authorization: Bearer {forged}", "GET");
        }

        (await RawAsync(gateway, "/api/v1/node", $"Authorization: Bearer {key}", "GET")).Head.Should().StartWith("HTTP/1.1 200 ");
    }

    [Fact]
    public async Task AKeyThatHeadscaleTookIsNotHeldUpByStrangersAtItsAddress()
    {
        await using var gateway = await TestGateway.StartAsync(
            more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 5}");
        using var client = WithKey(gateway);
        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(200);
        for (var times = 0; times < 8; times++)
        {
            await gateway.CallAsAsync(null, "GET", "/api/v1/node");
        }

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(200);
        (await gateway.CallAsAsync(null, "GET", "/api/v1/node")).Status.Should().Be(429);
    }

    [Theory]
    [InlineData(29, "Unauthorized")]
    [InlineData(30, null)]
    public async Task ARefusalOfAnUnknownBearerIsInHeadscalesOwnForm(int version, string? body)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var client = gateway.As(null);
        await Until.TrueAsync(() => Task.FromResult(gateway.Log.Has($"Headscale 0.{version} was found")), "the version is known");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "made-up");
        using var answer = await client.GetAsync(new Uri("/api/v1/node", UriKind.Relative));

        ((int)answer.StatusCode).Should().Be(401);
        answer.Headers.WwwAuthenticate.ToString().Should().Contain("error=\"invalid_token\"").And.Contain("error_description=");
        if (body is not null)
        {
            (await answer.Content.ReadAsStringAsync()).Should().Be(body);
        }
    }

    private static HttpClient WithKey(TestGateway gateway)
    {
        var client = gateway.As(null);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Headscale.ApiKey);
        return client;
    }

    private static async Task<int> SendAsync(HttpClient client, string target, string body, string? type)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await client.PostAsync(new Uri(target, UriKind.Relative), content);
        return (int)answer.StatusCode;
    }

    private static async Task<(string Head, string Text)> RawAsync(
        TestGateway gateway, string path, string credential, string method = "POST")
    {
        var (head, text) = await gateway.SendRawAsync(
            $"{method} {path} HTTP/1.1\r\nHost: x\r\n{credential}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", []);
        return (head, text);
    }
}
