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
        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);
        gateway.Headscale.Tailnet.ApiKeys.Clear();

        var (status, text) = await gateway.CallAsAsync("alice", "GET", "/api/v1/node");

        Assert.Equal(503, status);
        Assert.Contains("Headscale rejects the gateway's API key", text, StringComparison.Ordinal);
        var (ready, readiness) = await ReadyAsync(gateway);
        Assert.Equal((503, false), (ready, readiness["key"]!["ok"]!.GetValue<bool>()));
        Assert.Equal("upstream_key_rejected", (await gateway.StopAndReadAuditAsync())[^1].Reason);
    }

    [Fact]
    public async Task WhileHeadscaleIsDownCallsAreRefusedAndItsReturnIsNoticed()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);
        await Until.TrueAsync(async () => (await ReadyAsync(gateway)).Status == 200, "the gateway is ready");
        var port = headscale.Url.Port;
        await headscale.DisposeAsync();

        var (status, text) = await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        Assert.Equal(503, status);
        Assert.Contains("Headscale cannot be reached", text, StringComparison.Ordinal);

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

        Assert.Equal(200, (await gateway.CallAsAsync(null, "GET", "/admin/healthz")).Status);
        var (status, readiness) = await ReadyAsync(gateway);
        Assert.Equal((503, false, true), (status, readiness["headscale"]!["ok"]!.GetValue<bool>(), readiness["store"]!["ok"]!.GetValue<bool>()));
        Assert.Equal(503, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);
    }

    [Fact]
    public async Task AnUnknownNewerVersionIsTreatedLikeTheNewestKnownAndSaidSo()
    {
        await using var gateway = await TestGateway.StartAsync(31);
        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);

        await Until.TrueAsync(async () => (await ReadyAsync(gateway)).Status == 200, "the gateway is ready");
        Assert.Contains("treated like 0.30", $"{(await ReadyAsync(gateway)).Readiness["headscale"]!["detail"]}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherVersionInTheSamePlaceIsNoticedByTheFirstCallThatReconnects()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);
        await Until.TrueAsync(async () => $"{(await ReadyAsync(gateway)).Readiness["headscale_version"]}" == "0.29", "0.29 is known");
        await headscale.DisposeAsync();
        await using var back = await HeadscaleStandIn.StartAsync(30, headscale.Url.Port);
        Sandbox.People.Settle(back);
        back.Tailnet.ApiKeys.Add(new TailnetApiKey(1, headscale.ApiKey, "2036-01-01T00:00:00Z"));

        Assert.Equal(200, (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status);

        await Until.TrueAsync(async () => $"{(await ReadyAsync(gateway)).Readiness["headscale_version"]}" == "0.30", "0.30 is known");
        Assert.True(gateway.Log.Has("Headscale 0.30 was found"));
    }

    [Fact]
    public async Task WhoOwnsANodeIsRememberedForReadsUntilSomethingChangesAndNeverForChanges()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.AsPerson("sam");
        int LookUps() => gateway.Headscale.Everything.Count(one => one.IsOwn && one.Target == "/api/v1/node/17");

        await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17");
        await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17");
        Assert.Equal(1, LookUps());

        Assert.Equal(200, (await TestGateway.CallAsync(sam, "POST", "/api/v1/node/17/rename/one")).Status);
        Assert.Equal(200, (await TestGateway.CallAsync(sam, "POST", "/api/v1/node/17/rename/two")).Status);
        Assert.Equal(3, LookUps());

        // Somebody with a key of their own gives the node away; the next read knows.
        await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17");
        using var key = gateway.As(null);
        key.DefaultRequestHeaders.Authorization = new("Bearer", gateway.Headscale.ApiKey);
        Assert.Equal(200, (await TestGateway.CallAsync(key, "POST", "/api/v1/node/17/tags", """{"tags":["tag:a"]}""")).Status);
        Assert.Equal(404, (await TestGateway.CallAsync(sam, "GET", "/api/v1/node/17")).Status);
    }

    [Fact]
    public async Task AKeyThatExpiresSoonIsSaid()
    {
        await using var gateway = await TestGateway.StartAsync();
        var keys = gateway.Headscale.Tailnet.ApiKeys;
        keys[0] = keys[0] with { Expiration = TimeProvider.System.GetUtcNow().AddDays(3).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) };
        var watch = (Gateway.Headscale.UpstreamWatch)gateway.App.Services.GetService(typeof(Gateway.Headscale.UpstreamWatch))!;
        await watch.RefreshAsync(default);

        var (status, readiness) = await ReadyAsync(gateway);
        Assert.Equal(200, status);
        Assert.Contains("create a new one", $"{readiness["key"]!["detail"]}", StringComparison.Ordinal);
        Assert.True(gateway.Log.Has("expires"));
    }

    private static async Task<(int Status, JsonNode Readiness)> ReadyAsync(TestGateway gateway)
    {
        var (status, text) = await gateway.CallAsAsync(null, "GET", "/admin/readyz");
        return (status, JsonNode.Parse(text)!);
    }
}
