using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity;

/// <summary>Callers who bring a Headscale key of their own.</summary>
public sealed class PassThroughTests
{
    private const string Body = "{ \"name\" : \"new\", \"somethingUnknown\" : [1, 2] }";

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task AWellFormedKeyAndItsCallArriveAsTheyWereSent(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var key = gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z").Key;
        using var client = WithKey(gateway, key);

        var (status, _) = await TestGateway.CallAsync(client, "POST", "/api/v1/user?any=thing", Body);

        Assert.Equal(200, status);
        var received = Assert.Single(gateway.Headscale.Forwarded);
        Assert.Equal(("POST", "/api/v1/user?any=thing", Body, $"Bearer {key}"), (received.Method, received.Target, received.Body, received.Header("Authorization")));
        var entry = Assert.Single(await gateway.StopAndReadAuditAsync());
        Assert.Equal(("passed_through", 200, "users.create"), (entry.Reason, entry.Status, entry.Row));
        Assert.StartsWith("key:", entry.Actor, StringComparison.Ordinal);
        Assert.DoesNotContain(key[^20..], entry.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(26, 500)]
    [InlineData(29, 401)]
    [InlineData(30, 401)]
    public async Task AKeyThatHeadscaleDoesNotKnowGetsHeadscalesOwnAnswer(int version, int status)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var unknown = version < 28 ? $"abcdefg.{new string('x', 32)}" : $"hskey-api-{new string('a', 12)}-{new string('b', 64)}";
        using var client = WithKey(gateway, unknown);

        Assert.Equal(status, (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status);
        using var alice = gateway.As("alice");
        Assert.Equal(200, (await TestGateway.CallAsync(alice, "GET", "/api/v1/node")).Status);
    }

    [Theory]
    [InlineData("Bearer x")]
    [InlineData("Bearer ")]
    [InlineData("Bearer hskey-api-aaaaaaaaaaaa-short")]
    [InlineData("Bearer hskey-auth-aaaaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.e30.")]
    public async Task AnythingElseAsBearerIsRefusedHere(string authorization)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);

        Assert.Equal(401, (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status);
        Assert.Empty(gateway.Headscale.Forwarded);
    }

    [Fact]
    public async Task AKeyAndASignedInPersonAreOneTooMany()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As("alice");
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {gateway.Headscale.ApiKey}");

        Assert.Equal(400, (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status);
        Assert.Empty(gateway.Headscale.Forwarded);
    }

    [Fact]
    public async Task WithPassThroughOffAKeyIsNoCredential()
    {
        await using var gateway = await TestGateway.StartAsync(server: "", more: "bootstrap: {owner: proxy:alice}", headscaleSection: "  api_key_passthrough: false");
        using var client = WithKey(gateway, gateway.Headscale.ApiKey);

        Assert.Equal(401, (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status);
        Assert.Empty(gateway.Headscale.Forwarded);
    }

    [Theory]
    [InlineData("/api/v1/../v1/node")]
    [InlineData("/api//v1/node")]
    [InlineData("/api/v1/node/%2e%2e/user")]
    public async Task APathThatIsNotCanonicalIsRefusedEvenWithAKey(string path)
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var connection = await gateway.ConnectAsync();
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.Headscale.ApiKey}\r\n\r\n"));

        Assert.StartsWith("HTTP/1.1 400 ", await RawPeer.ReadHeadAsync(connection), StringComparison.Ordinal);
        Assert.Empty(gateway.Headscale.Forwarded);
    }

    private static HttpClient WithKey(TestGateway gateway, string key)
    {
        var client = gateway.As(null);
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key}");
        return client;
    }
}
