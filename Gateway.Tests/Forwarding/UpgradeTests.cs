using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forwarding;

/// <summary>Upgrades exist on tunnels alone, and what asks for them upstream asks once (RFC 9110 7.8).</summary>
public sealed class UpgradeTests
{
    private static readonly string _handshake = Convert.ToBase64String(new byte[102]);

    [Theory]
    [InlineData("GET", "/derp", "websocket")]
    [InlineData("GET", "/derp", "WebSocket")]
    [InlineData("GET", "/ts2021", "websocket")]
    [InlineData("GET", "/derp", "DERP")]
    [InlineData("POST", "/ts2021", "tailscale-control-protocol")]
    public async Task HeadscaleSeesExactlyOneConnectionAndOneUpgrade(string method, string path, string protocol)
    {
        var seen = new TaskCompletionSource<string>();
        await using var peer = new RawPeer(async stream => await AnswerAsync(stream, protocol, seen), isUpgrade: true);
        await using var gateway = await peer.StartGatewayAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Version: "
            + $"13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + $"X-Tailscale-Handshake: {_handshake}\r\n{(method == "POST" ? "Content-Length: 0\r\n" : "")}\r\n"));

        var head = (await seen.Task.WaitAsync(TimeSpan.FromSeconds(20))).Split("\r\n");
        head.Should().ContainSingle(line => line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase))
            .Which.Should().BeEquivalentTo("Connection: upgrade");
        head.Should().ContainSingle(line => line.StartsWith("Upgrade:", StringComparison.OrdinalIgnoreCase)).Which.Should()
            .Be($"Upgrade: {protocol}");
        (await RawPeer.ReadHeadAsync(tunnel)).Should().StartWith("HTTP/1.1 101 ");
    }

    [Theory]
    [InlineData("/api/v1/node", "websocket")]
    [InlineData("/api/v1/node", "SPDY/3.1")]
    [InlineData("/api/v1/node", "h2c")]
    [InlineData("/api/v1/node", "tailscale-control-protocol")]
    [InlineData("/health", "websocket")]
    [InlineData("/health", "SPDY/3.1")]
    [InlineData("/key?v=1", "DERP")]
    [InlineData("/derp/probe", "websocket")]
    [InlineData("/derp", "SPDY/3.1")]
    [InlineData("/derp", "h2c")]
    public async Task NoOtherRequestIsUpgraded(string target, string protocol)
    {
        foreach (var ownKey in new[] { false, true })
        {
            await using var gateway = await TestGateway.StartAsync();
            var credential = ownKey ? $"Authorization: Bearer {gateway.Headscale.ApiKey}" : "Remote-User: alice";
            var (head, _) = await gateway.SendRawAsync(
                $"GET {target} HTTP/1.1\r\nHost: gateway.example.test\r\n{credential}\r\nConnection: Upgrade, close\r\nUpgrade: "
                + $"{protocol}\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n\r\n",
                []);

            head.Should().NotContain(" 101 ");
            gateway.Headscale.Forwarded.Should().NotContain(received => received.Header("Upgrade") != null);
            gateway.Headscale.Forwarded.Should()
                .NotContain(received => (received.Header("Connection") ?? "").Contains("pgrade", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task AnUpstreamThatSwitchesProtocolsOnAnApiCallGivesNoTunnel()
    {
        await using var peer = new RawPeer(async stream =>
        {
            await RawPeer.ReadHeadAsync(stream);
            await stream.WriteAsync(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nsecret bytes"u8.ToArray());
        });
        await using var gateway = await peer.StartGatewayAsync();
        await using var connection = await gateway.ConnectAsync();
        await connection.WriteAsync(Encoding.ASCII.GetBytes(
            "POST /api/v1/user HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abcdefg.abcdefghijklmnopqrstuvwxyzabcdef\r\nContent-Type: "
            + "application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"));
        using var answer = new StreamReader(connection);

        var text = await answer.ReadToEndAsync();
        text.Should().StartWith("HTTP/1.1 50");
        text.Should().NotContain("secret bytes");
    }

    [Fact]
    public async Task ATs2021WithoutUpgradeIsAnsweredInWordsAndLoggedOnceAMinute()
    {
        await using var gateway = await TestGateway.StartAsync();
        for (var times = 0; times < 3; times++)
        {
            var (head, text) = await gateway.SendRawAsync(
                $"POST /ts2021 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\nX-Tailscale-Handshake: "
                + $"{_handshake}\r\n\r\n",
                []);
            head.Should().StartWith("HTTP/1.1 405 ");
            text.Should().Contain("must pass Upgrade and Connection on");
        }

        gateway.Log.Count("must pass Upgrade and Connection on").Should().Be(1);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task ATs2021OverHttp10IsSaidInTheLog()
    {
        await using var gateway = await TestGateway.StartAsync();
        var (head, _) = await gateway.SendRawAsync($"POST /ts2021 HTTP/1.0\r\nHost: x\r\nX-Tailscale-Handshake: {_handshake}\r\n\r\n", []);

        head.Should().StartWith("HTTP/1.1 400 ");
        gateway.Log.Count("must speak HTTP/1.1").Should().Be(1);
    }

    private static async Task AnswerAsync(NetworkStream stream, string protocol, TaskCompletionSource<string> seen)
    {
        var head = await RawPeer.ReadHeadAsync(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Accept: "
            + $"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
        seen.TrySetResult(head);
    }
}
