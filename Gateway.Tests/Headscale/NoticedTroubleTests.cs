using System.Net;
using Gateway.Edge;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>What goes wrong at Headscale is noticed with the first request that meets it.</summary>
public sealed class NoticedTroubleTests
{
    [Fact]
    public async Task AHeadscaleThatGoesDownIsNewsAtOnceAndAgainWhenItIsBack()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        var port = headscale.Url.Port;
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        using var client = gateway.As("alice");
        await Until.TrueAsync(
            async () => (await TestGateway.CallAsync(client, "GET", "/admin/readyz")).Status == 200, "the gateway is ready");
        await headscale.DisposeAsync();

        (await TestGateway.CallAsync(client, "GET", "/key?v=1")).Status.Should().Be(502);
        (await TestGateway.CallAsync(client, "GET", "/admin/readyz")).Status.Should().Be(503);
        gateway.Log.Count("Warning: Headscale: ").Should().BeGreaterThan(0);

        await using var again = await HeadscaleStandIn.StartAsync(29, port);
        await Until.TrueAsync(() => Task.FromResult(gateway.Log.Has("Headscale answers again")), "it is said that Headscale is back");
    }

    [Fact]
    public async Task ConnectionsOfStrangersDoNotMakeHeadscaleCheckKeys()
    {
        await using var gateway = await TestGateway.StartAsync();
        await Until.TrueAsync(
            () => Task.FromResult(gateway.Headscale.Everything.Any(call => call.Target == "/api/v1/apikey")), "the key was checked once");
        var before = gateway.Headscale.Everything.Count(call => call.Target == "/api/v1/apikey");
        var versions = gateway.Headscale.Everything.Count(call => call.Target == "/version");
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync("GET /derp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n"u8.ToArray());
        await RawPeer.ReadHeadAsync(tunnel);

        await Until.TrueAsync(
            () => Task.FromResult(gateway.Headscale.Everything.Count(call => call.Target == "/version") > versions),
            "the version was asked for");
        gateway.Headscale.Everything.Count(call => call.Target == "/api/v1/apikey").Should().Be(before);
    }

    [Theory]
    [InlineData(26)]
    [InlineData(29)]
    public async Task TheDescriptionOfTheApiIsForAnybody(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        (await gateway.CallAsAsync(null, "GET", "/swagger/v1/openapiv2.json")).Status.Should().Be((int)HttpStatusCode.OK);
        gateway.Headscale.Forwarded.Single().Header("Authorization").Should().BeNull();
    }

    [Theory]
    [InlineData(27, "?user=sam", 400, null)]
    [InlineData(27, "?user=7", 200, "?user=7")]
    [InlineData(28, "?user=sam", 200, "")]
    [InlineData(28, "?user=7", 200, "")]
    [InlineData(30, "?user=sam", 200, "")]
    [InlineData(30, "?_=1", 400, null)]
    public async Task AParameterThatTheVersionIgnoresIsLeftOut(int version, string query, int status, string? sent)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var answer = await gateway.CallAsAsync("alice", "GET", "/api/v1/preauthkey" + query);

        answer.Status.Should().Be(status);
        gateway.Headscale.Forwarded.Select(call => call.Target).Should().Equal(sent is null ? [] : ["/api/v1/preauthkey" + sent]);
        if (status == 400 && query == "?_=1")
        {
            answer.Text.Should().Contain("'_'");
        }
    }

    [Theory]
    [InlineData(29, """{"name":"u4","display_name":"x"}""", 200, """{"name":"u4","displayName":"x"}""")]
    [InlineData(26, """{"name":"u4","picture_url":"https://x"}""", 200, """{"name":"u4","pictureUrl":"https://x"}""")]
    [InlineData(29, """{"name":"u4","display_name":"x","displayName":"y"}""", 400, null)]
    [InlineData(29, """{"name":"u4","displayName":null,"email":null}""", 200, """{"name":"u4"}""")]
    [InlineData(30, """{"name":"u4","displayName":null}""", 200, """{"name":"u4"}""")]
    [InlineData(30, """{"name":"u4","display_name":"x"}""", 400, null)]
    [InlineData(29, """{"name":null}""", 400, null)]
    public async Task MembersHaveTheirProtoNamesUpTo029AndNullIsAbsence(int version, string body, int status, string? sent)
    {
        await using var gateway = await TestGateway.StartAsync(version);

        (await gateway.CallAsAsync("alice", "POST", "/api/v1/user", body)).Status.Should().Be(status);
        gateway.Headscale.Forwarded.Select(call => call.Body).Should().Equal(sent is null ? [] : [sent]);
    }

    [Fact]
    public async Task ARuleAboutAMemberHoldsForItsProtoName()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.AsPerson("ivan");
        const string Body = """{"user":"1","expiration":"2030-01-01T00:00:00Z","acl_tags":["tag:x"]}""";

        var (status, text) = await TestGateway.CallAsync(ivan, "POST", "/api/v1/preauthkey", Body);
        (status, text.Contains("use_tags", StringComparison.Ordinal)).Should().Be((403, true));
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task AGrpcCallThatAFrontMadeHttp11OfIsToldSo()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, "/headscale.v1.HeadscaleService/ListUsers")
        { Content = new ByteArrayContent([0, 0, 0, 0, 0]) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        using var answer = await client.SendAsync(request);

        ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, answer.Headers.GetValues("grpc-status").Single()).Should()
            .Be((200, "application/grpc", "13"));
        answer.Headers.GetValues("grpc-message").Single().Should().Contain("HTTP/2 all the way");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }
}
