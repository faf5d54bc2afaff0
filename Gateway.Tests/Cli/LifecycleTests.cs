using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>The process as an operator meets it: what signals do, and what is said when it cannot start.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task SigtermEndsTunnelsOneAfterTheOtherAndTheProcessWithZero()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        await using var gateway = await GatewayProcess.StartAsync(
            folder.Path, TestGateway.Yaml(headscale, folder.Path, port: port, server: "  drain_seconds: 4"), port, quiet: true, default);
        var tunnels = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ClientTunnel.OpenAsync(port)));
        gateway.HangUp();

        var clock = Stopwatch.StartNew();
        gateway.Terminate();
        var ends = (await Task.WhenAll(tunnels.Select(one => one.EndAsync(clock)))).Order().ToArray();

        (await gateway.ExitCodeAsync()).Should().Be(0);
        ends.Distinct().Count().Should().BeGreaterThan(10, "clients that all come back at once are a storm");
        ends[^1].Should().BeGreaterThan(ends[0] + TimeSpan.FromSeconds(1), "they are spread over the time to drain");
    }

    [Fact]
    public async Task ACallInFlightIsAnsweredBeforeTheProcessEnds()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var arrived = new SemaphoreSlim(0);
        using var goesOn = new SemaphoreSlim(0);
        headscale.Receiving = _ =>
        {
            arrived.Release();
            goesOn.Wait();
        };
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        await using var gateway = await GatewayProcess.StartAsync(
            folder.Path,
            TestGateway.Yaml(headscale, folder.Path, port: port, server: "  drain_seconds: 60", more: "bootstrap: {owner: proxy:alice}"),
            port, quiet: true, default);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Remote-User", "alice");
        var call = http.PostAsync(
            new Uri(gateway.Url, "/api/v1/user"), new StringContent("""{"name":"carla"}""", Encoding.UTF8, "application/json"));
        await arrived.WaitAsync();

        gateway.Terminate();
        await Until.TrueAsync(async () => !await IsListeningAsync(port), "nobody new is let in");
        goesOn.Release();

        using var answer = await call;
        ((int)answer.StatusCode).Should().Be(200);
        (await gateway.ExitCodeAsync()).Should().Be(0);
    }

    [Fact]
    public async Task SighupReadsAnewAndTunnelsStay()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        await using var gateway = await GatewayProcess.StartAsync(
            folder.Path, TestGateway.Yaml(headscale, folder.Path, port: port), port, quiet: true, default);
        using var tunnel = await ClientTunnel.OpenAsync(port);

        gateway.HangUp();
        gateway.HangUp();

        (await tunnel.EchoAsync("still")).Should().Be("still");
        gateway.HasExited.Should().BeFalse();
    }

    [Fact]
    public async Task ARenewedCertificateCountsWithoutARestart()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var (certificate, key) = (Path.Combine(folder.Path, "fullchain.pem"), Path.Combine(folder.Path, "privkey.pem"));
        var first = Certificates.Write(certificate, key);
        var port = GatewayProcess.FreePort();
        await using var gateway = await GatewayProcess.SpawnAsync(
            folder.Path,
            $"headscale: {{url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', api_key: {headscale.ApiKey}}}\n"
            + $"server: {{listen: ['https://127.0.0.1:{port}'], tls_cert_path: {certificate}, tls_key_path: {key}, data_path: "
            + $"'{folder.Path}/data'}}\n",
            port, quiet: true, default);
        await Until.TrueAsync(async () => await ShownAsync(port) == first, "the certificate is shown");
        using var open = await GreetAsync(port);

        var second = Certificates.Write(certificate, key);
        gateway.HangUp();

        await Until.TrueAsync(async () => await ShownAsync(port) == second, "the renewed certificate is shown");
        await open.WriteAsync("GET /key?v=113 HTTP/1.1\r\nHost: headscale.example.com\r\n\r\n"u8.ToArray());
        var answer = new byte[15];
        await open.ReadExactlyAsync(answer);
        Encoding.ASCII.GetString(answer).Should().Be("HTTP/1.1 200 OK", "connections that are open stay");
    }

    [Fact]
    public async Task TheIntermediateCertificatesOfTheFileAreShown()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var (file, key) = (Path.Combine(folder.Path, "fullchain.pem"), Path.Combine(folder.Path, "privkey.pem"));
        var between = Certificates.WriteChain(file, key);
        var port = GatewayProcess.FreePort();
        await using var gateway = await GatewayProcess.SpawnAsync(
            folder.Path,
            $"headscale: {{url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', api_key: {headscale.ApiKey}}}\n"
            + $"server: {{listen: ['https://127.0.0.1:{port}'], tls_cert_path: {file}, tls_key_path: {key}, data_path: "
            + $"'{folder.Path}/data'}}\n",
            port, quiet: true, default);
        await Until.TrueAsync(async () => await ShownAsync(port) is not null, "it listens");
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        var shown = new List<string>();
        await using var stream = new SslStream(client.GetStream(), false, (_, certificate, chain, _) =>
        {
            shown.AddRange(chain!.ChainPolicy.ExtraStore.Select(one => one.GetCertHashString(HashAlgorithmName.SHA256)));
            return certificate is not null;
        });

        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "headscale.example.com",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
            });

        shown.Should().Contain(between);
        stream.NegotiatedApplicationProtocol.Should().Be(SslApplicationProtocol.Http2);
    }

    [Theory]
    [InlineData("port in use", "another program listens there")]
    [InlineData("foreign address", "this machine does not have that address")]
    [InlineData("broken key", "private key")]
    [InlineData("foreign key", "are no certificate with its key")]
    public async Task AStartThatFailsIsOneLineAndStatusOne(string mistake, string words)
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var (certificate, other) = (Path.Combine(folder.Path, "one.pem"), Path.Combine(folder.Path, "other.key"));
        Certificates.Write(certificate, other);
        Certificates.Write(certificate, Path.Combine(folder.Path, "one.key"));
        var listen = mistake switch
        {
            "port in use" => $"listen: ['http://127.0.0.1:{port}']",
            "foreign address" => "listen: ['http://192.0.2.77:3000']",
            "broken key" => $"port: 0, tls_cert_path: {certificate}, tls_key_path: {folder.File("broken", "no key")}",
            _ => $"port: 0, tls_cert_path: {certificate}, tls_key_path: {other}",
        };
        var config = folder.File(
            "headtower.yaml", $"headscale: {{url: 'http://127.0.0.1:9'}}\nserver: {{{listen}, data_path: '{folder.Path}/data'}}\n");

        var start = GatewayProcess.Command("serve", "--config", config);
        (start.RedirectStandardError, start.RedirectStandardOutput) = (true, true);
        using var process = Process.Start(start)!;
        var log = process.StandardOutput.ReadToEndAsync();
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        process.ExitCode.Should().Be(1, said);
        said.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(words);
        (await log + said).Should().NotContain("   at ").And.NotContain("Unhandled").And.NotContain("BackgroundService");
    }

    [Fact]
    public async Task SigtermWhileStartingEndsWithZeroAndWithoutAWord()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        await using var gateway = await GatewayProcess.SpawnAsync(
            folder.Path, TestGateway.Yaml(headscale, folder.Path, port: port), port, quiet: true, default);

        // The store's file is the first thing that a start makes.
        await Until.TrueAsync(() => Task.FromResult(Directory.GetFiles(folder.Path, "headtower.db*").Length > 0), "it is starting");
        gateway.Terminate();

        (await gateway.ExitCodeAsync()).Should().Be(0);
    }

    /// <summary>The SHA-256 of the certificate that is shown; null: nobody listens.</summary>
    private static async Task<string?> ShownAsync(int port)
    {
        try
        {
            await using var stream = await GreetAsync(port);
            return stream.RemoteCertificate?.GetCertHashString(HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    private static async Task<SslStream> GreetAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        var stream = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync("headscale.example.com");
        return stream;
    }

    private static async Task<bool> IsListeningAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
