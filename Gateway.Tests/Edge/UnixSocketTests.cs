using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Edge;

/// <summary>A front on the same machine may come by a socket, to which the file system decides who gets.</summary>
public sealed class UnixSocketTests
{
    [Fact]
    public async Task APersonOfTheFrontIsBelievedAtTheSocketAndTunnelsPass()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "http.sock");
        await using var gateway = await TestGateway.StartAsync(listen: $", 'unix:{path}'");

        var me = await AskAsync(
            path, "GET /admin/api/me HTTP/1.1\r\nHost: gateway.example.test\r\nRemote-User: vera\r\nRemote-Groups: viewer\r\n"
                + "Remote-Email: vera@example.test\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n");
        var tunnel = await AskAsync(
            path, "POST /ts2021 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\n"
                + $"X-Tailscale-Handshake: {Convert.ToBase64String(new byte[102])}\r\n\r\n", untilHead: true);

        me.Should().StartWith("HTTP/1.1 200", string.Join('\n', gateway.Log.All)).And.Contain("\"viewer\"");
        tunnel.Should().StartWith("HTTP/1.1 101");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).Should().Be(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }

        var health = await Verb.RunAsync("healthcheck", "--config", folder.File("headtower.yaml", $$"""
            headscale: {url: http://127.0.0.1:9}
            server: {listen: ['unix:{{path}}'], data_path: '{{folder.Path}}'}
            """));
        (health.Exit, health.Output).Should().Be((0, "ok\n"), health.Error);
    }

    [Fact]
    public async Task WhatAnEarlierGatewayLeftIsReplacedAndALiveSocketIsNot()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "http.sock");
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(path + ".tmp"));
            File.Move(path + ".tmp", path);
        }

        File.Exists(path).Should().BeTrue("a program that is killed leaves its socket");

        await using var gateway = await TestGateway.StartAsync(listen: $", 'unix:{path}'");
        var second = () => TestGateway.StartAsync(listen: $", 'unix:{path}'");

        (await AskAsync(path, "GET /admin/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).Should().StartWith("HTTP/1.1 200");
        (await second.Should().ThrowAsync<Exception>()).Which.ToString().Should().Contain("ddress already in use");
        (await AskAsync(path, "GET /admin/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).Should().StartWith("HTTP/1.1 200");
    }

    private static async Task<string> AskAsync(string path, string request, bool untilHead = false)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        if (untilHead)
        {
            return await RawPeer.ReadHeadAsync(stream);
        }

        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
