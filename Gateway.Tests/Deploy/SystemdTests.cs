using System.Diagnostics;
using System.Net;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Deploy;

/// <summary>The shipped units under systemd itself: what it sends, what it is told, and what the unit denies the process.</summary>
public sealed class SystemdTests
{
    private const int Devices = 500;

    [SystemdContainerFact]
    public async Task ReloadRestartAndStopUnderFiveHundredTunnelsLoseNoCallAndEndWithZero()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var container = await SystemdContainer.StartAsync(headscale);
        using var end = new CancellationTokenSource();
        var calls = CallAsync(container.Url, end.Token);
        var tunnels = await OpenAsync(container.Port);
        (await container.ShowAsync("Type", "ActiveState", "NRestarts")).Should()
            .BeEquivalentTo("Type=notify", "ActiveState=active", "NRestarts=0");

        await container.RunAsync("systemctl", "reload", "headtower.service");
        (await Task.WhenAll(tunnels.Select(one => one.EchoAsync("still")))).Should().AllBe("still");

        await container.RunAsync("systemctl", "restart", "headtower.service");
        (await EndsAsync(tunnels)).Should().Be(Devices);
        tunnels = await OpenAsync(container.Port);
        await end.CancelAsync();
        (await calls).Should().OnlyContain(one => one == HttpStatusCode.OK).And.HaveCountGreaterThan(3);

        await container.RunAsync("systemctl", "stop", "headtower.socket", "headtower.service");
        (await EndsAsync(tunnels)).Should().Be(Devices);
        (await container.ShowAsync("ActiveState", "Result", "NRestarts")).Should()
            .BeEquivalentTo("ActiveState=inactive", "Result=success", "NRestarts=0");

        var journal = await container.RunAsync("journalctl", "--unit=headtower.service", "--output=cat");
        journal.Should().MatchRegex("(?s)(Deactivated successfully.*){2}", "systemd says so of the status 0 alone")
            .And.Contain($"Stopping: {Devices} connections are open").And.NotContain("Unhandled");
        (await container.RunAsync("journalctl", "--unit=headtower.service", "--priority=warning", "--output=cat")).Should()
            .NotContain("Listening on", "each line has its priority");
    }

    [SystemdContainerFact]
    public async Task CertificateAndKeyAreHandedOverToAUserWithoutAHomeAndEachSocketSpeaksWhatItsPortDoes()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        var plain = GatewayProcess.FreePort();
        await using var container = await SystemdContainer.StartAsync(
            headscale,
            "LoadCredential=tls-cert:/etc/headtower/tls-cert\nLoadCredential=tls-key:/etc/headtower/tls-key",
            $"listen: ['https://127.0.0.1:1', 'http://0.0.0.0:{plain}'], base_url: https://gateway.example.test, "
                + "tls_cert_path: '${CREDENTIALS_DIRECTORY}/tls-cert', tls_key_path: '${CREDENTIALS_DIRECTORY}/tls-key'",
            $"ListenStream=0.0.0.0:{plain}");
        using var http = new HttpClient(
            new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null } });

        using var answer = await http.GetAsync(new Uri($"https://127.0.0.1:{container.Port}/key?v=113"));
        answer.StatusCode.Should().Be(HttpStatusCode.OK);

        using var captive = await http.GetAsync(new Uri($"http://127.0.0.1:{plain}/generate_204"));
        captive.StatusCode.Should().Be(HttpStatusCode.NoContent, "the socket speaks what the entry with its port does");
        using var sent = await http.PostAsync(new Uri($"http://127.0.0.1:{plain}/admin/login"), null);
        sent.StatusCode.Should().Be(HttpStatusCode.Forbidden, "no secret is taken without TLS");
    }

    [SystemdContainerFact]
    public async Task AGatewayThatHangsIsStartedAnew()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var container = await SystemdContainer.StartAsync(headscale, "WatchdogSec=2\nTimeoutAbortSec=1");
        using var http = new HttpClient();
        (await http.GetAsync(new Uri(container.Url, "/key?v=113"))).StatusCode.Should().Be(HttpStatusCode.OK);
        var hanging = (await container.ShowAsync("MainPID"))[0];

        await container.RunAsync("kill", "-STOP", hanging["MainPID=".Length..]);

        await Until.TrueAsync(
            async () => (await container.ShowAsync("NRestarts"))[0] != "NRestarts=0", "systemd starts it again");
        (await http.GetAsync(new Uri(container.Url, "/key?v=113"))).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    private static Task<ClientTunnel[]> OpenAsync(int port) =>
        Task.WhenAll(Enumerable.Range(0, Devices).Select(_ => ClientTunnel.OpenAsync(port)));

    private static async Task<int> EndsAsync(ClientTunnel[] tunnels)
    {
        var clock = Stopwatch.StartNew();
        return (await Task.WhenAll(tunnels.Select(one => one.EndAsync(clock)))).Length;
    }

    /// <summary>One call after the other, each on a connection of its own, until the token says so.</summary>
    private static async Task<List<HttpStatusCode>> CallAsync(Uri url, CancellationToken end)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.ConnectionClose = true;
        var answers = new List<HttpStatusCode>();
        while (!end.IsCancellationRequested)
        {
            using var answer = await http.GetAsync(new Uri(url, "/key?v=113"), CancellationToken.None);
            answers.Add(answer.StatusCode);
        }

        return answers;
    }
}
