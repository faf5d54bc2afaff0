using System.Net;
using System.Net.Sockets;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forwarding;

/// <summary>A gateway whose headscale.url leads back to it says so, and does not ask itself for ever.</summary>
public sealed class LoopTests
{
    [Fact]
    public async Task ARequestThatPassedBeforeIsAnswered508AndSaidInTheLog()
    {
        var port = GatewayProcess.FreePort();
        using var relay = new Relay(port);
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartFileAsync(
            headscale,
            folder => $"server: {{listen: ['http://127.0.0.1:{port}'], data_path: {folder.Path}, base_url: https://gateway.example.test}}\n"
                + $"headscale: {{url: 'http://127.0.0.1:{relay.Port}', api_key: {headscale.ApiKey}}}\n");
        using var client = gateway.As("alice");
        foreach (var target in new[] { "/key?v=1", "/health", "/derp/probe" })
        {
            (await client.GetAsync(new Uri(target, UriKind.Relative))).StatusCode.Should().Be(HttpStatusCode.LoopDetected);
        }

        gateway.Log.Count("leads back to this gateway: a request came in that it had sent itself").Should().Be(1);
        await Until.TrueAsync(() => Task.FromResult(gateway.Log.Has("name the address of Headscale itself")), "the cause is said");
        (await TestGateway.CallAsync(client, "GET", "/admin/readyz")).Status.Should().Be(503);
    }

    /// <summary>A public name that leads to the gateway: connections go there and back, byte for byte.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Relay(int target)
        {
            _listener.Start();
            Serving = ServeAsync(target);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        private Task Serving { get; }

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync(int target)
        {
            var pumps = new List<Task>();
            try
            {
                while (true)
                {
                    pumps.Add(PumpAsync(await _listener.AcceptTcpClientAsync(), target));
                }
            }
            catch (SocketException)
            {
                // The listener was stopped.
            }
        }

        private static async Task PumpAsync(TcpClient from, int target)
        {
            using var to = new TcpClient();
            try
            {
                await to.ConnectAsync(IPAddress.Loopback, target);
                await Task.WhenAny(from.GetStream().CopyToAsync(to.GetStream()), to.GetStream().CopyToAsync(from.GetStream()));
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // One side is gone.
            }
            finally
            {
                from.Dispose();
            }
        }
    }
}
