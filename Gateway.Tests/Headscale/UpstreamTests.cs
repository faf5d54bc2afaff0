using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>A Headscale that is down, that no longer takes our key, or that nobody has seen before.</summary>
public sealed class UpstreamTests
{
    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task WhenOurKeyIsRejectedTheCallerIsToldSoAndReadinessToo(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        gateway.Headscale.Tailnet.ApiKeys.Clear();

        var (status, text) = await gateway.CallAsAsync("alice", "GET", "/api/v1/node");

        status.Should().Be(503);
        text.Should().Contain("Headscale rejects the gateway's API key");
        var (ready, readiness) = await ReadyAsync(gateway);
        (ready, readiness["key"]!["ok"]!.GetValue<bool>()).Should().Be((503, false));
        (await gateway.StopAndReadAuditAsync())[^1].Reason.Should().Be("upstream_key_rejected");
    }

    [Fact]
    public async Task WhileHeadscaleIsDownCallsAreRefusedAndItsReturnIsNoticed()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        await Until.TrueAsync(async () => (await ReadyAsync(gateway)).Status == 200, "the gateway is ready");
        var port = headscale.Url.Port;
        await headscale.DisposeAsync();

        var (status, text) = await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        status.Should().Be(503);
        text.Should().Contain("Headscale cannot be reached");

        // It comes back with another version and another key in the same place.
        await using var back = await HeadscaleStandIn.StartAsync(30, port);
        Sandbox.People.Settle(back);
        back.Tailnet.ApiKeys.Add(new TailnetApiKey(1, headscale.ApiKey, "2036-01-01T00:00:00Z"));
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status == 200, "Headscale is back");
    }

    [Fact]
    public async Task WithoutHeadscaleTheGatewayStartsAndSaysWhatIsMissing()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        Sandbox.People.Settle(headscale);
        await headscale.DisposeAsync();
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);

        (await gateway.CallAsAsync(null, "GET", "/admin/healthz")).Status.Should().Be(200);
        var (status, readiness) = await ReadyAsync(gateway);
        (status, readiness["headscale"]!["ok"]!.GetValue<bool>(), readiness["store"]!["ok"]!.GetValue<bool>()).Should()
            .Be((503, false, true));
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(503);
    }

    [Fact]
    public async Task AnUnknownNewerVersionIsTreatedLikeTheNewestKnownAndSaidSo()
    {
        await using var gateway = await TestGateway.StartAsync(31);
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);

        await Until.TrueAsync(async () => (await ReadyAsync(gateway)).Status == 200, "the gateway is ready");
        $"{(await ReadyAsync(gateway)).Readiness["headscale"]!["detail"]}".Should().Contain("treated like 0.30");
    }

    [Fact]
    public async Task AnotherVersionInTheSamePlaceIsNoticedByTheFirstCallThatReconnects()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        await Until.TrueAsync(async () => $"{(await ReadyAsync(gateway)).Readiness["headscale_version"]}" == "0.29", "0.29 is known");
        await headscale.DisposeAsync();
        await using var back = await HeadscaleStandIn.StartAsync(30, headscale.Url.Port);
        Sandbox.People.Settle(back);
        back.Tailnet.ApiKeys.Add(new TailnetApiKey(1, headscale.ApiKey, "2036-01-01T00:00:00Z"));

        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);

        await Until.TrueAsync(async () => $"{(await ReadyAsync(gateway)).Readiness["headscale_version"]}" == "0.30", "0.30 is known");
        gateway.Log.Has("Headscale 0.30 was found").Should().BeTrue();
    }

    [Fact]
    public async Task WhoOwnsANodeIsRememberedForReadsUntilSomethingChangesAndNeverForChanges()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.AsPerson("sam");
        int LookUps() => gateway.Headscale.Everything.Count(one => one.IsOwn && one.Target == "/api/v1/node/17");

        await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17");
        await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17");
        LookUps().Should().Be(1);

        (await TestGateway.CallAsync(sam, "POST", "/api/v1/node/17/rename/one")).Status.Should().Be(200);
        (await TestGateway.CallAsync(sam, "POST", "/api/v1/node/17/rename/two")).Status.Should().Be(200);
        LookUps().Should().Be(3);

        // Somebody with a key of their own gives the node away; the next read knows.
        await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17");
        using var key = gateway.As(null);
        key.DefaultRequestHeaders.Authorization = new("Bearer", gateway.Headscale.ApiKey);
        (await TestGateway.CallAsync(key, "POST", "/api/v1/node/17/tags", """{"tags":["tag:a"]}""")).Status.Should().Be(200);
        (await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17")).Status.Should().Be(404);
    }

    [Fact]
    public async Task AKeyThatExpiresSoonIsSaid()
    {
        await using var gateway = await TestGateway.StartAsync();
        var keys = gateway.Headscale.Tailnet.ApiKeys;
        keys[0] = keys[0] with
        {
            Expiration = TimeProvider.System.GetUtcNow().AddDays(3)
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)
        };
        var watch = (Gateway.Headscale.UpstreamMonitor)gateway.App.Services.GetService(typeof(Gateway.Headscale.UpstreamMonitor))!;
        await watch.RefreshAsync(default);

        var (status, readiness) = await ReadyAsync(gateway);
        status.Should().Be(200);
        $"{readiness["key"]!["detail"]}".Should().Contain("create a new one");
        gateway.Log.Has("expires").Should().BeTrue();
    }

    private static async Task<(int Status, JsonNode Readiness)> ReadyAsync(TestGateway gateway)
    {
        var (status, text) = await gateway.CallAsAsync(null, "GET", "/admin/readyz");
        return (status, JsonNode.Parse(text)!);
    }
}
