using System.Net;
using System.Net.Sockets;
using Gateway.Edge;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Edge;

/// <summary>A front that has sent a change may not send it again: whoever got a connection before the end gets an answer.</summary>
public sealed class ListeningSocketsTests
{
    [Fact]
    public async Task WhoWaitsInTheQueueIsLetInAndNobodyJoinsIt()
    {
        using var folder = new TemporaryFolder();
        using var listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        using var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        local.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder.Path, "http.sock")));
        var sockets = new ListeningSockets(TimeProvider.System, NullLogger<ListeningSockets>.Instance);
        foreach (var socket in new[] { listener, local })
        {
            socket.Listen();
            sockets.Add(socket);
        }

        var (address, path) = (listener.LocalEndPoint!, local.LocalEndPoint!);
        using var early = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        await early.ConnectAsync(address);
        using var earlyLocal = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await earlyLocal.ConnectAsync(path);

        var stopping = sockets.StoppingAsync(CancellationToken.None);
        using var late = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        var lateConnect = late.ConnectAsync(address);
        using var lateLocal = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var lateLocalConnect = async () => await lateLocal.ConnectAsync(path);

        await lateLocalConnect.Should().ThrowAsync<SocketException>("the path is gone");
        stopping.IsCompleted.Should().BeFalse("somebody waits in the queue");
        using var accepted = await listener.AcceptAsync();
        using var acceptedLocal = await local.AcceptAsync();
        await stopping;
        lateConnect.IsCompleted.Should().BeFalse("its first packet was dropped, and is sent again in a second");
        (await accepted.SendAsync("still open"u8.ToArray())).Should().Be(10);
        (await early.ReceiveAsync(new byte[10])).Should().Be(10, "a connection that was accepted is not filtered");

        listener.Dispose();
        var refused = async () => await lateConnect;
        (await refused.Should().ThrowAsync<SocketException>()).Which.SocketErrorCode.Should().Be(SocketError.ConnectionRefused);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryChangeThatWasSentBeforeTheEndIsAnswered(bool isLocal)
    {
        using var folder = new TemporaryFolder();
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        var (port, path) = (GatewayProcess.FreePort(), Path.Combine(folder.Path, "http.sock"));
        await using var gateway = await GatewayProcess.StartAsync(
            folder.Path, TestGateway.Yaml(headscale, folder.Path, port: port, listen: isLocal ? $", 'unix:{path}'" : ""), port, quiet: true,
            CancellationToken.None);

        gateway.Pause();
        var callers = Enumerable.Range(0, 300)
            .Select(_ => Sent(isLocal ? new UnixDomainSocketEndPoint(path) : new IPEndPoint(IPAddress.Loopback, port)))
            .ToList();
        gateway.Terminate();
        gateway.GoOn();

        var outcomes = await Task.WhenAll(callers.Select(OutcomeAsync));
        (await gateway.ExitCodeAsync()).Should().Be(0);
        outcomes.Should().OnlyContain(outcome => outcome == "401", "nobody signed in");
    }

    /// <summary>A connection of its own, on which a change was sent.</summary>
    private static Socket Sent(EndPoint address)
    {
        var socket = address is IPEndPoint
            ? new Socket(SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(address);
        socket.Send("POST /api/v1/node/11/rename/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"u8);
        return socket;
    }

    /// <summary>The status of what was sent, or what happened to it.</summary>
    private static async Task<string> OutcomeAsync(Socket sent)
    {
        try
        {
            using var reader = new StreamReader(new NetworkStream(sent, ownsSocket: true));
            var answer = await reader.ReadToEndAsync();
            return answer.Length > 12 ? answer[9..12] : $"ended with '{answer}'";
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }
}
