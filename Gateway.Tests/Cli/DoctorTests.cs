using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary><c>gateway doctor</c> behind fronts that somebody has set up wrongly, each in one way.</summary>
public sealed class DoctorTests
{
    private const string Portal = "HTTP/1.1 302 Found\r\nLocation: https://portal.test/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    private const string Away = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    [Fact]
    public async Task BehindAGoodFrontAllIsWell()
    {
        var (exit, said) = await WalkAsync("none");

        exit.Should().Be(0, said);
        said.Should().NotContain("WRONG").And.NotContain("warning").And.Contain("Tunnels are let through")
            .And.Contain("the address of each client (this machine: 198.51.100.7)");
    }

    [Theory]
    [InlineData("no address", "make a DNS record")]
    [InlineData("nothing listens", "is the front running")]
    [InlineData("certificate", "correct the certificate in the front's file")]
    [InlineData("portal for clients", "guard /admin and /api/ alone")]
    [InlineData("gateway is away", "is the gateway running")]
    [InlineData("passes by", "the front passes by the gateway")]
    [InlineData("another host", "Pass it on (nginx: proxy_set_header Host")]
    [InlineData("portal for programs", "programs expect 401")]
    [InlineData("no upgrade", "the front drops Upgrade and Connection")]
    [InlineData("forged identity", "let the front remove Remote-User")]
    [InlineData("loop", "leads back to the gateway")]
    [InlineData("no client address", "nginx: proxy_set_header X-Forwarded-For $remote_addr")]
    [InlineData("client address of choice", "the front hands on the X-Forwarded-For that a client makes up")]
    [InlineData("front is not trusted", "add 127.0.0.1, the front, to server.trusted_proxies in")]
    public async Task EachMistakeIsFoundAndItsPlaceIsNamed(string mistake, string words)
    {
        var (exit, said) = await WalkAsync(mistake);

        said.Should().Contain(words);
        exit.Should().Be(mistake == "portal for programs" ? 0 : 1, said);
    }

    private static async Task<(int Exit, string Said)> WalkAsync(string mistake)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var front = new TcpListener(IPAddress.Loopback, 0);
        front.Start();
        var (port, own) = (((IPEndPoint)front.LocalEndpoint).Port, GatewayProcess.FreePort());
        var address = mistake switch
        {
            "no address" => "http://headscale.invalid",
            "nothing listens" => $"http://127.0.0.1:{GatewayProcess.FreePort()}",
            "certificate" => $"https://127.0.0.1:{port}",
            _ => $"http://127.0.0.1:{port}",
        };
        var yaml = TestGateway.Yaml(
            headscale, folder.Path, port: own, server: $"  base_url: {address}\n  cookie_secure: false\n"
                + $"  trusted_proxies: [{(mistake == "front is not trusted" ? "" : "127.0.0.1")}]",
            more: "bootstrap: {owner: proxy:alice}");
        yaml = mistake != "loop" ? yaml
            : yaml.Replace(headscale.Url.GetLeftPart(UriPartial.Authority), $"http://127.0.0.1:{port}", StringComparison.Ordinal);
        await using var gateway = await GatewayProcess.SpawnAsync(folder.Path, yaml, own, quiet: true, default);
        await Until.TrueAsync(() => Task.FromResult(IsListening(own)), "the gateway listens");
        var certificate = mistake == "certificate" ? Certificate(folder) : null;
        using var stop = new CancellationTokenSource();
        var serving = ServeAsync(front, mistake, mistake == "passes by" ? headscale.Url.Port : own, certificate, stop.Token);

        var result = await Verb.RunAsync("doctor", "--config", gateway.ConfigFile);

        await stop.CancelAsync();
        await serving;
        front.Dispose();
        certificate?.Dispose();
        return (result.Exit, result.Output + result.Error);
    }

    /// <summary>A front that hands on one request of each connection, and makes its mistake with it.</summary>
    private static async Task ServeAsync(
        TcpListener front, string mistake, int upstream, X509Certificate2? certificate, CancellationToken stop)
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(HandOnAsync(await front.AcceptTcpClientAsync(stop), mistake, upstream, certificate, stop));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private static async Task HandOnAsync(
        TcpClient client, string mistake, int upstream, X509Certificate2? certificate, CancellationToken stop)
    {
        using var one = client;
        using var gateway = new TcpClient();
        try
        {
            Stream stream = client.GetStream();
            if (certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(certificate);
                stream = tls;
            }

            var head = await ReadHeadAsync(stream, stop);
            var target = head.Split(' ').ElementAtOrDefault(1) ?? "";
            if ((mistake, target) switch
            {
                ("portal for clients", ['/', 'k', 'e', 'y', ..]) or ("portal for programs", ['/', 'a', 'p', 'i', ..]) => Portal,
                ("gateway is away", _) => Away,
                _ => null,
            } is { } answer)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), stop);
                return;
            }

            await gateway.ConnectAsync("127.0.0.1", upstream, stop);
            await gateway.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Written(head, mistake)), stop);
            await Task.WhenAny(stream.CopyToAsync(gateway.GetStream(), stop), gateway.GetStream().CopyToAsync(stream, stop));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException)
        {
            // One of the two left.
        }
    }

    /// <summary>What a client says of itself is removed; one request to a connection.</summary>
    private static string Written(string head, string mistake)
    {
        var lines = head.TrimEnd().Split("\r\n").Where(line => mistake == "forged identity" || !IsIdentity(line)
                || (mistake == "client address of choice" && line.StartsWith("X-Forwarded-For:", StringComparison.OrdinalIgnoreCase)))
            .Where(line => mistake != "no upgrade" || !line.StartsWith("Upgrade:", StringComparison.OrdinalIgnoreCase))
            .Select(line => mistake == "another host" && line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)
                ? "Host: 127.0.0.1:1" : line);
        if (mistake is not ("no client address" or "client address of choice" or "forged identity"))
        {
            lines = lines.Append("X-Forwarded-For: 198.51.100.7");
        }

        return string.Join("\r\n", head.Contains("pgrade", StringComparison.Ordinal) ? lines : lines.Append("Connection: close"))
            + "\r\n\r\n";
    }

    private static bool IsIdentity(string line) => line.StartsWith("Remote-", StringComparison.OrdinalIgnoreCase)
        || line.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)
        || line.StartsWith("X-Auth", StringComparison.OrdinalIgnoreCase)
        || line.StartsWith("X-Remote", StringComparison.OrdinalIgnoreCase) || line.StartsWith("X-WEBAUTH", StringComparison.Ordinal);

    private static async Task<string> ReadHeadAsync(Stream stream, CancellationToken stop)
    {
        var head = new StringBuilder();
        var buffer = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer, stop) == 1)
        {
            head.Append((char)buffer[0]);
        }

        return head.ToString();
    }

    private static X509Certificate2 Certificate(TemporaryFolder folder)
    {
        var (file, key) = (Path.Combine(folder.Path, "front.pem"), Path.Combine(folder.Path, "front.key"));
        Certificates.Write(file, key, "localhost");
        return X509Certificate2.CreateFromPemFile(file, key);
    }

    private static bool IsListening(int port)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
