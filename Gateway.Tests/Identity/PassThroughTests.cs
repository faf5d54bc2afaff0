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

        // Since 0.30 Headscale itself refuses a member that it does not know.
        var expected = version >= 30 ? 422 : 200;
        status.Should().Be(expected);
        var received = gateway.Headscale.Forwarded.Should().ContainSingle().Subject;
        (received.Method, received.Target, received.Body, received.Header("Authorization")).Should()
            .Be(("POST", "/api/v1/user?any=thing", Body, $"Bearer {key}"));
        var entry = (await gateway.StopAndReadAuditAsync()).Should().ContainSingle().Subject;
        (entry.Reason, entry.Status, entry.Row).Should().Be(((string, int?, string?))("passed_through", expected, "users.create"));
        entry.Actor.Should().StartWith("key:");
        entry.ToString().Should().NotContain(key[^20..]);
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

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(status);
        using var alice = gateway.As("alice");
        (await TestGateway.CallAsync(alice, "GET", "/api/v1/node")).Status.Should().Be(200);
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

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(401);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task AKeyAndASignedInPersonAreOneTooMany()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As("alice");
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {gateway.Headscale.ApiKey}");

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(400);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task WithPassThroughOffAKeyIsNoCredential()
    {
        await using var gateway = await TestGateway.StartAsync(
            server: "", more: "bootstrap: {owner: proxy:alice}", headscaleSection: "  api_key_passthrough: false");
        using var client = WithKey(gateway, gateway.Headscale.ApiKey);

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(401);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Theory]
    [InlineData("/api/v1/../v1/node")]
    [InlineData("/api//v1/node")]
    [InlineData("/api/v1/node/%2e%2e/user")]
    public async Task APathThatIsNotCanonicalIsRefusedEvenWithAKey(string path)
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var connection = await gateway.ConnectAsync();
        await connection.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.Headscale.ApiKey}\r\n\r\n"));

        (await RawPeer.ReadHeadAsync(connection)).Should().StartWith("HTTP/1.1 404 ");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    private static HttpClient WithKey(TestGateway gateway, string key)
    {
        var client = gateway.As(null);
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key}");
        return client;
    }
}
