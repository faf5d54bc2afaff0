using System.Net.Sockets;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>What a user meets who may not bind a port, and may not open a socket.</summary>
public sealed class MissingRightsTests
{
    [UnprivilegedFact]
    public async Task APortBelow1024IsOneLineThatNamesTheRight()
    {
        using var folder = new TemporaryFolder();
        var config = folder.File(
            "headtower.yaml",
            $"headscale: {{url: 'http://127.0.0.1:9'}}\nserver: {{listen: ['http://127.0.0.1:81'], data_path: '{folder.Path}/data'}}\n");

        var serve = await RunAsync("serve", "--config", config);

        serve.Status.Should().Be(1, serve.Said);
        serve.Said.Trim().Split('\n')[^1].Should().Contain("CAP_NET_BIND_SERVICE");
        serve.Said.Should().NotContain("   at ").And.NotContain("Unhandled").And.NotContain("BackgroundService");
    }

    [UnprivilegedFact]
    public async Task CheckNamesTheGroupWhenTheSocketMayNotBeOpened()
    {
        using var folder = new TemporaryFolder();
        var (path, listener) = Listen(folder);
        using var _ = listener;
        FileModes.Set(path, UnixFileMode.None);

        (await CheckOnlineAsync(folder, path)).Should()
            .Contain($"headscale.socket: {path}: the gateway may not open it: its user must be in");
    }

    [Fact]
    public async Task CheckNamesTheSocketWhenItIsNotHeadscales()
    {
        using var folder = new TemporaryFolder();
        var (path, listener) = Listen(folder);

        // Closing the listener ends the other task, which is waited for.
        await Task.WhenAll(AnswerAsync(listener), CheckAsync());

        async Task CheckAsync()
        {
            using (listener)
            {
                (await CheckOnlineAsync(folder, path)).Should().Contain($"headscale.socket: {path}: ").And.Contain("is this its socket?");
            }
        }
    }

    private static (string Path, Socket Listener) Listen(TemporaryFolder folder)
    {
        var path = Path.Combine(folder.Path, "headscale.sock");
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        return (path, listener);
    }

    /// <summary>Speaks HTTP/1.1, which no Headscale does there.</summary>
    private static async Task AnswerAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                using var one = await listener.AcceptAsync();
                await one.SendAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"u8.ToArray());
            }
        }
        catch (SocketException)
        {
            // The test is over.
        }
    }

    private static async Task<string> CheckOnlineAsync(TemporaryFolder folder, string socket)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        var config = folder.File(
            "headtower.yaml",
            $"headscale: {{url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', socket: {socket}}}\n"
            + $"server: {{port: 0, data_path: '{folder.Path}'}}\n");
        var (status, said) = await RunAsync("check", "--online", "--config", config);
        status.Should().Be(1, said);
        return said;
    }

    /// <summary>Root goes without the two rights that would hide what others meet.</summary>
    private static Task<ProgramRun> RunAsync(params string[] arguments)
    {
        var start = GatewayProcess.Command(arguments);
        return Environment.UserName == "root"
            ? ProgramRun.OfAsync(
                "setpriv", ["--bounding-set=-dac_override,-net_bind_service", start.FileName, .. start.ArgumentList])
            : ProgramRun.OfAsync(start.FileName, [.. start.ArgumentList]);
    }
}
