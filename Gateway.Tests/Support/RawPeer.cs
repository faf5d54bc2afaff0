using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Loading;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Support;

/// <summary>An upstream that writes its bytes itself, for answers that no server library would give.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    /// <param name="answer">Answers a forwarded request.</param>
    /// <param name="isUpgrade">Whether forwarded requests ask for an upgrade, by which GETs are told from the gateway's own.</param>
    public RawPeer(Func<NetworkStream, Task> answer, bool isUpgrade = false)
    {
        _listener.Start();
        _serving = ServeAsync(answer, isUpgrade);
    }

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>A gateway in front of this peer. Look-ups of its own get a plain 404, which Headscale 0.26 answers to /version.</summary>
    public async Task<RawGateway> StartGatewayAsync()
    {
        var folder = new TemporaryFolder();
        var file = folder.File(
            "headtower.yaml",
            $"headscale: {{url: http://127.0.0.1:{Port}}}\nserver: {{listen: ['http://127.0.0.1:0'], data_path: {folder.Path}, "
            + $"drain_seconds: 0}}");
        var (configuration, problems, _) = new ConfigurationFiles(file, null, Some.NoEnvironment).Load();
        problems.Errors.Should().BeEmpty();
        var app = await App.BuildAsync(configuration!, null, builder => builder.Logging.ClearProviders());
        await app.StartAsync();
        return new RawGateway(app, folder);
    }

    /// <summary>The lines up to the empty one.</summary>
    public static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving;
    }

    private async Task ServeAsync(Func<NetworkStream, Task> answer, bool isUpgrade)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeOneAsync(await _listener.AcceptSocketAsync(), answer, isUpgrade));
            }
        }
        catch (SocketException)
        {
            // The listener was stopped.
        }

        await Task.WhenAll(serving);
    }

    private static async Task ServeOneAsync(Socket socket, Func<NetworkStream, Task> answer, bool isUpgrade)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        var start = new byte[13];
        var length = await socket.ReceiveAsync(start, SocketFlags.Peek);
        var line = Encoding.ASCII.GetString(start, 0, length);
        if (isUpgrade ? line.StartsWith("GET /version", StringComparison.Ordinal) : line.StartsWith('G'))
        {
            await ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            return;
        }

        await answer(stream);
    }
}

/// <summary>A gateway without sign-in.</summary>
internal sealed class RawGateway(WebApplication app, TemporaryFolder folder) : IAsyncDisposable
{
    public async Task<NetworkStream> ConnectAsync()
    {
        var url = new Uri(app.Urls.First());
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(url.Host, url.Port);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        folder.Dispose();
    }
}
