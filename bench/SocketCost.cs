using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;

namespace Gateway.Bench;

/// <summary>
/// Headscale's API with a key and over its socket: alone, behind the gateway with a key, and behind the gateway over the socket. The
/// stand-in's check of a key costs what Headscale's does.
/// </summary>
internal static class SocketCost
{
    private static readonly TimeSpan _keyCost = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan _perRow = TimeSpan.FromSeconds(4);

    private static readonly (string Name, string Target)[] _calls =
    [
        ("list users", "/api/v1/user"), ("300 nodes", "/api/v1/node?user=few"), ("10,000 nodes", "/api/v1/node"),
    ];

    /// <summary>Runs the stand-in until it is killed. It prints its key.</summary>
    public static async Task RunHeadscaleAsync(int version, int port, string socket)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(version, port, socket);
        headscale.Tailnet.Users.Add(new TailnetUser(1, "alice", "alice@example.test"));
        headscale.Tailnet.Users.Add(new TailnetUser(2, "few"));
        for (var id = 0UL; id < 300; id++)
        {
            headscale.Tailnet.Nodes.Add(new TailnetNode(1000 + id, $"machine-{id}", 2));
        }

        var few = await ListAsync(headscale, "/api/v1/node?user=few");
        for (var id = 0UL; id < 9_700; id++)
        {
            headscale.Tailnet.Nodes.Add(new TailnetNode(2000 + id, $"machine-{id}", 1));
        }

        var all = await ListAsync(headscale, "/api/v1/node");
        headscale.Prepared = one => one.Target switch
        {
            "/api/v1/node" => all,
            "/api/v1/node?user=few" => few,
            _ => null,
        };
        headscale.KeyCost = new KeyCost(_keyCost);
        Console.WriteLine(headscale.ApiKey);
        await Task.Delay(Timeout.Infinite);
    }

    /// <summary>Prints calls a second and the median time of a call.</summary>
    public static async Task MeasureAsync()
    {
        foreach (var version in new[] { 29, 30 })
        {
            Say($"Headscale 0.{version}: calls a second, and the median of a call");
            await MeasureAsync(version);
        }
    }

    private static async Task MeasureAsync(int version)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
        var (port, socket) = (GatewayProcess.FreePort(), Path.Combine(folder, "headscale.sock"));
        using var headscale = Servers.Start("headscale", version, port, socket);
        try
        {
            var key = await headscale.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the stand-in ended");
            foreach (var (name, target) in _calls)
            {
                foreach (var atOnce in new[] { 1, 16 })
                {
                    var alone = await RateAsync(new Uri($"http://127.0.0.1:{port}"), target, atOnce, key);
                    Say($"{name,-14} {atOnce,2} at once: Headscale alone with a key   {alone}");
                    foreach (var (way, setting) in new[] { ("with a key ", $"api_key: {key}"), ("by socket  ", $"socket: {socket}") })
                    {
                        var behind = await BehindAsync(folder, port, setting, target, atOnce);
                        var times = behind.PerSecond / alone.PerSecond;
                        Say($"{name,-14} {atOnce,2} at once: behind us {way}          {behind}, {times:0.0} times");
                    }
                }
            }
        }
        finally
        {
            headscale.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Rate> BehindAsync(string folder, int headscale, string setting, string target, int atOnce)
    {
        var (port, data) = (GatewayProcess.FreePort(), Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString())).FullName);
        await using var gateway = await GatewayProcess.StartAsync(
            data, Planes.Configuration(data, port, headscale, setting), port, quiet: true, default, isBrief: false);
        return await RateAsync(gateway.Url, target, atOnce, null);
    }

    /// <summary>One person, or one key, who asks again and again.</summary>
    private static async Task<Rate> RateAsync(Uri url, string target, int atOnce, string? key)
    {
        using var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = url, Timeout = TimeSpan.FromMinutes(1) };
        if (key is null)
        {
            client.DefaultRequestHeaders.Add("Remote-User", "alice");
            client.DefaultRequestHeaders.Add("Remote-Email", "alice@example.test");
        }
        else
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        await CallAsync(client, target);
        var started = Stopwatch.GetTimestamp();
        var times = await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            var own = new List<double>();
            while (Stopwatch.GetElapsedTime(started) < _perRow)
            {
                var began = Stopwatch.GetTimestamp();
                await CallAsync(client, target);
                own.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            return own;
        }));
        double[] all = [.. times.SelectMany(one => one).Order()];
        return new(all.Length / Stopwatch.GetElapsedTime(started).TotalSeconds, all[all.Length / 2]);
    }

    private static async Task CallAsync(HttpClient client, string target)
    {
        using var answer = await client.GetAsync(new Uri(target, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await answer.Content.CopyToAsync(Stream.Null);
    }

    private static async Task<byte[]> ListAsync(HeadscaleStandIn headscale, string target)
    {
        using var client = new HttpClient { BaseAddress = headscale.Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", headscale.ApiKey);
        return Encoding.UTF8.GetBytes(await client.GetStringAsync(new Uri(target, UriKind.Relative)));
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private readonly record struct Rate(double PerSecond, double Median)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{PerSecond,9:0.0}/s, {Median,8:0.00} ms");
    }
}
