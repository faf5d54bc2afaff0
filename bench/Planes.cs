using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Sandbox;

namespace Gateway.Bench;

/// <summary>
/// What a request costs the gateway beside bare YARP of the same build: processor time of the process for a request, in rounds
/// that take turns, and what it costs when nobody asks.
/// </summary>
internal static partial class Planes
{
    private const int Rounds = 9;
    private const int PerRound = 4_000;
    private const int AtOnce = 16;
    private const int Tunnels = 1_000;
    private const int Busy = 1_024;

    private static readonly string _key = $"hskey-api-{new string('a', 12)}-{new string('b', 64)}";

    /// <summary>Prints the ratios.</summary>
    public static async Task MeasureAsync()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
        var (upstreamPort, yarpPort, port) = (GatewayProcess.FreePort(), GatewayProcess.FreePort(), GatewayProcess.FreePort());
        using var upstream = Servers.Start("upstream", upstreamPort, _key);
        using var yarp = Servers.Start("yarp", yarpPort, upstreamPort);
        try
        {
            await using var gateway = await GatewayProcess.StartAsync(
                folder, Configuration(folder, port, upstreamPort), port, quiet: true, default, isBrief: false);
            using var process = Process.GetProcessById(gateway.Id);
            await MeasureIdleAsync(process);
            await MeasureRequestsAsync(process, yarp, gateway.Url, new Uri($"http://127.0.0.1:{yarpPort}"));
            await MeasureTunnelsAsync(process, gateway.Url);
            await MeasureBusyAsync(process, gateway.Url);
        }
        finally
        {
            upstream.Kill();
            yarp.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The configuration of a gateway that is measured.</summary>
    /// <param name="access">The setting that gives access to the API; null: the key of the small upstream.</param>
    public static string Configuration(string folder, int port, int upstream, string? access = null) =>
        $$"""
        server:
          listen: ["http://127.0.0.1:{{port}}"]
          base_url: http://127.0.0.1:{{port}}
          data_path: {{folder}}
          cookie_secure: false
          drain_seconds: 0
          proxy_auth: {enabled: true, email_header: Remote-Email}
        headscale: {url: "http://127.0.0.1:{{upstream}}", {{access ?? $"api_key: {_key}"}}}
        bootstrap: {owner: "proxy:alice"}
        limits: {anonymous_per_minute: 0, caller_per_minute: 0}

        """;

    private static async Task MeasureRequestsAsync(Process gateway, Process yarp, Uri url, Uri bare)
    {
        var kinds = new (string Name, string Target, Action<HttpRequestHeaders> Sign)[]
        {
            ("client plane", "/key?v=1", _ => { }),
            ("signed in by a session", "/api/v1/node/11", await SessionAsync(url)),
            ("signed in by headers", "/api/v1/node/11", SignByHeaders),
            ("own Headscale key", "/api/v1/node/11", headers => headers.Authorization = new("Bearer", _key)),
            ("refused stranger", "/api/v1/node/11", _ => { }),
        };
        using var client = new HttpClient(
            new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, MaxConnectionsPerServer = AtOnce });
        var ratios = kinds.ToDictionary(kind => kind.Name, _ => new List<double>());
        for (var round = -6; round < Rounds; round++)
        {
            foreach (var kind in kinds)
            {
                var alone = await CostAsync(yarp, client, bare, kind.Target, kind.Sign);
                var ours = await CostAsync(gateway, client, url, kind.Target, kind.Sign);
                if (round >= 0)
                {
                    ratios[kind.Name].Add(ours / alone);
                }
            }
        }

        foreach (var kind in kinds)
        {
            var all = ratios[kind.Name];
            Say($"{kind.Name,-24} {Median(all),5:0.00} x bare YARP (from {all.Min():0.00} to {all.Max():0.00})");
        }
    }

    private static void SignByHeaders(HttpRequestHeaders headers)
    {
        headers.Add("Remote-User", "alice");
        headers.Add("Remote-Email", "alice@example.test");
    }

    /// <summary>Processor time of a process for one request, in microseconds.</summary>
    private static async Task<double> CostAsync(Process process, HttpClient client, Uri url, string target, Action<HttpRequestHeaders> sign)
    {
        var before = CpuOf(process);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (var times = 0; times < PerRound / AtOnce; times++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, target));
                sign(request.Headers);
                using var answer = await client.SendAsync(request);
                await answer.Content.CopyToAsync(Stream.Null);
            }
        }));
        return (CpuOf(process) - before).TotalMicroseconds / PerRound;
    }

    /// <summary>Signs in with the API key, as a person at the login page.</summary>
    private static async Task<Action<HttpRequestHeaders>> SessionAsync(Uri url)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler) { BaseAddress = url };
        var page = await browser.GetStringAsync(new Uri("/admin/login", UriKind.Relative));
        var fields = Hidden().Matches(page).Select(field => KeyValuePair.Create(field.Groups[1].Value, field.Groups[2].Value))
            .Append(KeyValuePair.Create("api_key", _key));
        using var form = new FormUrlEncodedContent(fields.DistinctBy(field => field.Key));
        using var answer = await browser.PostAsync(new Uri("/admin/login", UriKind.Relative), form);
        var cookie = handler.CookieContainer.GetCookies(url)["headtower"]?.Value ?? throw new InvalidOperationException(
            $"no session: {(int)answer.StatusCode}");
        return headers => headers.Add("Cookie", $"headtower={cookie}");
    }

    private static async Task MeasureIdleAsync(Process gateway)
    {
        // What a start leaves to do, the just-in-time compiler's second round included, is done by then.
        await Task.Delay(TimeSpan.FromSeconds(45));
        var cost = await CpuWhileAsync(gateway, TimeSpan.FromSeconds(30));
        Say($"nobody asks: {cost / 300:0.00} % of a core, {MemoryOf(gateway):0} MB, {PrivateOf(gateway):0} MB of them its own");
    }

    /// <summary>What is not a page of a program file, which the system shares and may drop.</summary>
    private static double PrivateOf(Process process) => File.ReadLines($"/proc/{process.Id}/status")
        .Where(line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Sum(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture)) / 1024;

    private static async Task MeasureTunnelsAsync(Process gateway, Uri url)
    {
        var sockets = new List<Socket>();
        for (var at = 0; at < Tunnels; at++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(url.Host, url.Port);
            await socket.SendAsync(
                Encoding.ASCII.GetBytes("POST /ts2021 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: upgrade\r\nUpgrade: "
                    + "tailscale-control-protocol\r\nX-Tailscale-Handshake: x\r\n\r\n"));
            await socket.ReceiveAsync(new byte[512]);
            sockets.Add(socket);
        }

        await Task.Delay(TimeSpan.FromSeconds(5));
        var cost = await CpuWhileAsync(gateway, TimeSpan.FromSeconds(20));
        Say($"{Tunnels} idle tunnels: {cost / 20:0.00} ms of processor time a second, {MemoryOf(gateway):0} MB");
        sockets.ForEach(socket => socket.Dispose());
    }

    private static async Task MeasureBusyAsync(Process gateway, Uri url)
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Busy });
        var peak = 0.0;
        var asking = Task.WhenAll(Enumerable.Range(0, Busy).Select(async _ =>
        {
            for (var times = 0; times < 20; times++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, "/api/v1/node/11"));
                request.Headers.Add("Remote-User", "alice");
                using var answer = await client.SendAsync(request);
                await answer.Content.CopyToAsync(Stream.Null);
            }
        }));
        while (!asking.IsCompleted)
        {
            peak = Math.Max(peak, MemoryOf(gateway));
            await Task.WhenAny(asking, Task.Delay(TimeSpan.FromMilliseconds(200)));
        }

        await asking;
        Say($"{Busy} busy connections: at most {peak:0} MB");
    }

    private static async Task<double> CpuWhileAsync(Process process, TimeSpan time)
    {
        var before = CpuOf(process);
        await Task.Delay(time);
        return (CpuOf(process) - before).TotalMilliseconds;
    }

    private static TimeSpan CpuOf(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    private static double MemoryOf(Process process)
    {
        process.Refresh();
        return process.WorkingSet64 / 1e6;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}
