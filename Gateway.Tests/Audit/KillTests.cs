using System.Net.Sockets;
using System.Security.Cryptography;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Store.Segments;
using Gateway.Tests.Support;

namespace Gateway.Tests.Audit;

/// <summary>The process may die at any moment.</summary>
public sealed class KillTests
{
    private const int Lanes = 4;
    private const int KillsPerLane = 8;
    private const int Callers = 6;

    [Fact]
    public async Task AfterSixtyFourKillsUnderLoadEveryChangeThatHeadscaleSawIsInTheAudit() =>
        await Task.WhenAll(new[] { "sqlite", "litedb" }.SelectMany(kind => Enumerable.Range(0, Lanes).Select(_ => kind))
            .Select(kind => Task.Run(() => RunLaneAsync(kind))));

    private static async Task RunLaneAsync(string kind)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        Sandbox.People.Settle(headscale);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        var yaml = TestGateway.Yaml(
            headscale, folder.Path, port: port, more: $"bootstrap: {{owner: proxy:alice}}\nstore: {{kind: {kind}}}");
        for (var round = 0; round < KillsPerLane; round++)
        {
            await using var gateway = await GatewayProcess.SpawnAsync(folder.Path, yaml, port, quiet: true, default);
            await LoadAndKillAsync(gateway, answers: RandomNumberGenerator.GetInt32(0, 60));
        }

        var audited = (await StoredState.ReadAuditAsync(Path.Combine(folder.Path, "audit"))).Select(one => one.Path).ToHashSet();
        var changes = headscale.Forwarded.Where(one => one.Method == "POST").ToArray();
        (changes.Length > KillsPerLane).Should().BeTrue($"only {changes.Length} changes came through");
        changes.Should().NotContain(one => !audited.Contains(one.Target));
        (await new SegmentAuditStore(Path.Combine(folder.Path, "audit"), null, TimeProvider.System)
            .VerifyAsync([], default)).Problems.Should()
            .BeEmpty();
        (await StoredState.ReadPeopleAsync(folder.Path, kind)).Should().ContainSingle().Subject.Label.Should().Be("proxy:alice");
    }

    /// <summary>Callers change things until one of them got so many answers and kills; the others are in the middle of it.</summary>
    private static async Task LoadAndKillAsync(GatewayProcess gateway, int answers)
    {
        await ListensAsync(gateway);
        var killed = false;
        var left = answers + 1;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            using var http = new HttpClient { BaseAddress = gateway.Url };
            http.DefaultRequestHeaders.Add("Remote-User", "alice");
            while (!Volatile.Read(ref killed))
            {
                try
                {
                    using var answer = await http.PostAsync(
                        new Uri($"/api/v1/node/11/rename/n-{Guid.NewGuid():n}", UriKind.Relative), null);
                    if (Interlocked.Decrement(ref left) == 0)
                    {
                        Volatile.Write(ref killed, true);
                        await gateway.KillAsync();
                    }
                }
                catch (HttpRequestException)
                {
                    // Dead.
                    Volatile.Read(ref killed).Should().BeTrue("the gateway ended by itself");
                }
            }
        }));
    }

    /// <summary>Callers that are refused thousands of times while it starts would cost more than it.</summary>
    private static async Task ListensAsync(GatewayProcess gateway)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(gateway.Url.Host, gateway.Url.Port);
                return;
            }
            catch (SocketException)
            {
                gateway.HasExited.Should().BeFalse("it is to start");
                await pause.WaitForNextTickAsync();
            }
        }
    }
}
