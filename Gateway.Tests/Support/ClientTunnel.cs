using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Support;

/// <summary>A device's connection to the control server, which stays open.</summary>
internal sealed class ClientTunnel : IDisposable
{
    private const string Upgrade = "POST /ts2021 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: upgrade\r\nUpgrade: "
        + "tailscale-control-protocol\r\nX-Tailscale-Handshake: x\r\n\r\n";

    private readonly TcpClient _client = new();

    private ClientTunnel()
    {
    }

    public static async Task<ClientTunnel> OpenAsync(int port)
    {
        var tunnel = new ClientTunnel();
        await tunnel._client.ConnectAsync("127.0.0.1", port);
        var stream = tunnel._client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Upgrade));
        var answer = new StringBuilder();
        var buffer = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(buffer);
            answer.Append((char)buffer[0]);
        }

        answer.ToString().Should().StartWith("HTTP/1.1 101 ");
        await stream.ReadExactlyAsync(new byte[ClientPlane.Greeting.Length]);
        return tunnel;
    }

    /// <summary>What comes back when this is sent.</summary>
    public async Task<string> EchoAsync(string text)
    {
        await _client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
        var echo = new byte[text.Length];
        await _client.GetStream().ReadExactlyAsync(echo);
        return Encoding.ASCII.GetString(echo);
    }

    /// <summary>Waits until the other side closes or cuts it; gives the time on the clock.</summary>
    public async Task<TimeSpan> EndAsync(Stopwatch clock)
    {
        using (_client)
        {
            try
            {
                await _client.GetStream().ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
            }
            catch (IOException)
            {
                // Cut.
            }

            return clock.Elapsed;
        }
    }

    public void Dispose() => _client.Dispose();
}
