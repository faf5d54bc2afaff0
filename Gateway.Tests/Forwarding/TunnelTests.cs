using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forwarding;

/// <summary>The upgraded connections: every byte, both ways, until both sides are gone.</summary>
public sealed class TunnelTests
{
    private static readonly string _handshake = Convert.ToBase64String(new byte[102]);

    private static string Ts2021 =>
        $"POST /ts2021 HTTP/1.1\r\nHost: gateway.example.test\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 0\r\nConnection: "
        + $"upgrade\r\nUpgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: {_handshake}\r\n\r\n";

    [Fact]
    public async Task TheControlProtocolIsUpgradedAndItsFirstBytesArrive()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var tunnel = await gateway.ConnectAsync();

        // The client does not wait: its first record goes out together with the head.
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021 + "early"));

        var head = await ReadHeadAsync(tunnel);
        head.Should().StartWith("HTTP/1.1 101 ");
        head.Should().Contain("\r\nUpgrade: tailscale-control-protocol\r\n");
        (await ReadAsync(tunnel, ClientPlane.Greeting.Length)).Should().Equal(ClientPlane.Greeting);
        (await ReadAsync(tunnel, 5)).Should().Equal("early"u8.ToArray());
        var seen = gateway.Headscale.Forwarded.Should().ContainSingle().Subject;
        (seen.Method, seen.Header("X-Tailscale-Handshake")).Should().Be(("POST", _handshake));
    }

    [Fact]
    public async Task DerpIsUpgraded()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(
            "GET /derp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: DERP\r\nIdeal-Node: 1\r\n\r\n"u8.ToArray());

        (await ReadHeadAsync(tunnel)).Should().Contain("\r\nUpgrade: DERP\r\n");
        (await ReadAsync(tunnel, 5)).Should().Equal([1, 0, 0, 0, 40]);
    }

    [Theory]
    [InlineData("ts2021", "tailscale-control-protocol")]
    [InlineData("derp", "derp")]
    public async Task TheWebSocketVariantsWork(string path, string protocol)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        socket.Options.SetRequestHeader("Origin", "https://elsewhere.example");
        await socket.ConnectAsync(
            new Uri($"ws://{gateway.Url.Authority}/{path}?X-Tailscale-Handshake={Uri.EscapeDataString(_handshake)}"), default);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, default);
        var buffer = new byte[16];
        var answer = await socket.ReceiveAsync(buffer.AsMemory(), default);

        socket.SubProtocol.Should().Be(protocol);
        Encoding.ASCII.GetString(buffer, 0, answer.Count).Should().Be("hello");
    }

    [Fact]
    public async Task TwoHundredMegabytesGoBothWaysAtOnce()
    {
        const int Megabytes = 200;
        await using var gateway = await TestGateway.StartAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021));
        await ReadHeadAsync(tunnel);
        await ReadAsync(tunnel, ClientPlane.Greeting.Length);

        var chunk = RandomNumberGenerator.GetBytes(1 << 20);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Megabytes; i++)
            {
                await tunnel.WriteAsync(chunk);
            }
        });
        for (var i = 0; i < Megabytes; i++)
        {
            var received = await ReadAsync(tunnel, chunk.Length);
            chunk.AsSpan().SequenceEqual(received).Should().BeTrue();
        }

        await sending;
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nwrong", "400", "wrong")]
    [InlineData("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 14\r\n\r\nInternal error", "500", "Internal error")]
    [InlineData("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", "405", "")]
    public async Task AnAnswerThatIsNoUpgradePassesUnchanged(string answer, string status, string body)
    {
        await using var peer = new RawPeer(async stream =>
        {
            await RawPeer.ReadHeadAsync(stream);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
        });
        await using var gateway = await peer.StartGatewayAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021));

        (await ReadHeadAsync(tunnel)).Should().StartWith($"HTTP/1.1 {status} ");
        Encoding.ASCII.GetString(await ReadAsync(tunnel, body.Length)).Should().Be(body);
    }

    [Fact]
    public async Task AnUpgradeInTwoSegmentsArrivesWhole()
    {
        var received = new TaskCompletionSource<byte[]>();
        await using var peer = new RawPeer(async stream =>
        {
            await RawPeer.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: tailscale-con"u8.ToArray());
            await stream.FlushAsync();
            await stream.WriteAsync("trol-protocol\r\nConnection: upgrade\r\n\r\nfirst bytes"u8.ToArray());
            received.SetResult(await ReadAsync(stream, 4));
        });
        await using var gateway = await peer.StartGatewayAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021));

        (await ReadHeadAsync(tunnel)).Should().Contain("Upgrade: tailscale-control-protocol");
        (await ReadAsync(tunnel, 11)).Should().Equal("first bytes"u8.ToArray());
        await tunnel.WriteAsync("done"u8.ToArray());
        (await received.Task.WaitAsync(TimeSpan.FromSeconds(10))).Should().Equal("done"u8.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhenOneHalfGoesTheOtherHalfGoesToo(bool clientGoes)
    {
        var upstreamEnded = new TaskCompletionSource();
        var letGo = new TaskCompletionSource();
        await using var peer = new RawPeer(async stream =>
        {
            await RawPeer.ReadHeadAsync(stream);
            await stream.WriteAsync(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tailscale-control-protocol\r\nConnection: upgrade\r\n\r\n"u8.ToArray());
            if (clientGoes)
            {
                (await ReadToEndAsync(stream)).Should().Be(0);
                upstreamEnded.SetResult();
            }
            else
            {
                await letGo.Task;
                stream.Socket.LingerState = new LingerOption(true, 0);
            }
        });
        await using var gateway = await peer.StartGatewayAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021));
        await ReadHeadAsync(tunnel);

        if (clientGoes)
        {
            // RST, as when a laptop's lid is closed.
            tunnel.Socket.LingerState = new LingerOption(true, 0);
            tunnel.Socket.Close();
            await upstreamEnded.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }
        else
        {
            letGo.SetResult();
            (await ReadToEndAsync(tunnel).WaitAsync(TimeSpan.FromSeconds(10))).Should().Be(0);
        }
    }

    [Fact]
    public void TunnelsHaveNoTimeoutAndEverythingElseHas()
    {
        foreach (var row in Some.Table.Rules)
        {
            Gateway.Forwarding.Upstreams.ConfigFor(row).ActivityTimeout.Should().Be(row.Tunnel ? Timeout.InfiniteTimeSpan : null);
        }
    }

    [Fact]
    public async Task OpenTunnelsDoNotHoldAShutdown()
    {
        await using var gateway = await TestGateway.StartAsync(server: "  drain_seconds: 0");
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021));
        await ReadHeadAsync(tunnel);
        await ReadAsync(tunnel, ClientPlane.Greeting.Length);

        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(10));

        (await ReadToEndAsync(tunnel).WaitAsync(TimeSpan.FromSeconds(10))).Should().Be(0);
    }

    private static Task<string> ReadHeadAsync(NetworkStream stream) => RawPeer.ReadHeadAsync(stream);

    private static async Task<byte[]> ReadAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    /// <summary>How many bytes still came; a reset is an end, too.</summary>
    private static async Task<int> ReadToEndAsync(NetworkStream stream)
    {
        var buffer = new byte[1024];
        var total = 0;
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer)) > 0)
            {
                total += read;
            }
        }
        catch (IOException)
        {
            // Reset by the other side.
        }

        return total;
    }
}
