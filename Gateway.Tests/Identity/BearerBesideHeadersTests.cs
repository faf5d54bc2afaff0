using System.Net.Http.Headers;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity;

/// <summary>What a bearer means beside the headers of a person, and when a person's JSON needs no media type.</summary>
public sealed class BearerBesideHeadersTests
{
    [Theory]
    [InlineData("", "made-up", 401)]
    [InlineData("", null, 400)]
    [InlineData("    bearer: refuse\n", "made-up", 401)]
    [InlineData("    bearer: ignore\n", "made-up", 200)]
    [InlineData("    bearer: ignore\n", null, 200)]
    public async Task TheSettingSaysWhetherThePersonCounts(string setting, string? bearer, int status)
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: setting + TestGateway.RoleMap);
        using var client = gateway.AsPerson("vera");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer ?? gateway.Headscale.ApiKey);

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(status);
        (await TestGateway.CallAsync(client, "DELETE", "/api/v1/node/11")).Status.Should().Be(status == 200 ? 403 : status);
        gateway.Headscale.Forwarded.Should().HaveCount(status == 200 ? 1 : 0);
        gateway.Headscale.Forwarded.Should()
            .NotContain(received => received.Header("Authorization") != $"Bearer {gateway.Headscale.ApiKey}");
    }

    [Fact]
    public async Task WithoutAPersonABearerIsNeverIgnored()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    bearer: ignore\n" + TestGateway.RoleMap);
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "made-up");

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(401);
    }

    [Theory]
    [InlineData("Origin: https://gateway.example.test", "text/plain;charset=UTF-8", 200)]
    [InlineData("Origin: https://gateway.example.test", "", 200)]
    [InlineData("Sec-Fetch-Site: same-origin", "text/plain", 200)]
    [InlineData("Origin: https://evil.example", "text/plain", 403)]
    [InlineData("Sec-Fetch-Site: cross-site", "text/plain", 403)]
    [InlineData("Sec-Fetch-Site: none", "text/plain", 415)]
    [InlineData("", "text/plain", 415)]
    [InlineData("", "application/json", 200)]
    public async Task JsonOfAnyTypeIsTakenWhenTheOriginIsProven(string header, string type, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        const string Body = """{"name":"from-a-page"}""";
        var (head, _) = await gateway.SendRawAsync(
            $"POST /api/v1/user HTTP/1.1\r\nHost: gateway.example.test\r\nRemote-User: "
            + $"alice\r\n{(header.Length > 0 ? header + "\r\n" : "")}"
            + $"{(type.Length > 0 ? $"Content-Type: {type}\r\n" : "")}Content-Length: {Body.Length}\r\nConnection: close\r\n\r\n",
            Encoding.ASCII.GetBytes(Body));

        head.Should().StartWith($"HTTP/1.1 {status} ");
        gateway.Headscale.Forwarded.Should().HaveCount(status == 200 ? 1 : 0);
    }
}
