using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;

namespace Gateway.Bench;

/// <summary>What the filters cost on the largest answer that Headscale gives: the list of 10,000 nodes, 20 MB.</summary>
internal static class NodeList
{
    private const int Nodes = 10_000;
    private const int Rounds = 25;
    private const int NodeBytes = 2_000;

    /// <summary>
    /// The filters by who meets them: nothing is held back from the owner, keys from a viewer, others' nodes from self_service.
    /// </summary>
    private static readonly string[] _people = ["alice", "vera", "sam"];

    /// <summary>The page of devices: the newest, and a search.</summary>
    private static readonly string[] _pages = ["/admin/machines", "/admin/machines?q=alice&sort=seen"];

    private static readonly string _folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;

    /// <summary>Prints time and peak memory of each filter beside those of the unfiltered list.</summary>
    public static async Task MeasureAsync()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        People.Settle(headscale);
        var list = MakeList(headscale);
        headscale.Prepared = received => received.Target == "/api/v1/node" ? list : null;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Nodes} nodes, {list.Length / 1e6:0.0} MB"));

        var (times, small) = (await TimesAsync(headscale, _people, []), MakeList(headscale, routes: 0));
        headscale.Prepared = received => received.Target == "/api/v1/node" ? small : null;
        await MeasurePagesAsync(headscale, small.Length);
        headscale.Prepared = received => received.Target == "/api/v1/node" ? list : null;

        var peaks = new Dictionary<string, double>();
        foreach (var person in _people)
        {
            peaks[person] = await PeakAsync(headscale, person);
        }

        foreach (var person in _people)
        {
            var role = People.All.Single(one => one.Login == person).Role;
            var ratio = Median(times.Select(round => round[person] / round["alice"]));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{role,-13} {Median(times.Select(round => round[person])),7:0.0} ms   {ratio,5:0.00} x the unfiltered time   peak "
                + $"{peaks[person],6:0.0} MB ({peaks[person] - peaks["alice"],+6:0.0})"));
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Pages of devices beside the list that they are made from, for nodes that offer no routes.</summary>
    private static async Task MeasurePagesAsync(HeadscaleStandIn headscale, int bytes)
    {
        var times = await TimesAsync(headscale, ["alice"], _pages);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Nodes} nodes without routes, {bytes / 1e6:0.0} MB"));
        foreach (var page in _pages)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{page,-34} {Median(times.Select(round => round[page])),7:0.0} ms   "
                + $"{Median(times.Select(round => round[page] / round["alice"])),5:0.00} x the unfiltered list"));
        }
    }

    /// <summary>Everybody in turn in each round, so that a busy moment of the machine meets all of them.</summary>
    private static async Task<List<Dictionary<string, double>>> TimesAsync(HeadscaleStandIn headscale, string[] people, string[] pages)
    {
        await using var gateway = await StartAsync(headscale);
        var rounds = new List<Dictionary<string, double>>();
        for (var round = -5; round < Rounds; round++)
        {
            var times = new Dictionary<string, double>();
            foreach (var person in people)
            {
                times[person] = await FetchAsync(gateway, person);
            }

            foreach (var page in pages)
            {
                times[page] = await FetchAsync(gateway, "alice", page);
            }

            if (round >= 0)
            {
                rounds.Add(times);
            }
        }

        return rounds;
    }

    /// <summary>The largest resident set of a process that served nothing but this, in MB.</summary>
    private static async Task<double> PeakAsync(HeadscaleStandIn headscale, string person)
    {
        await using var gateway = await StartAsync(headscale);
        for (var times = 0; times < 20; times++)
        {
            await FetchAsync(gateway, person);
        }

        var line = (await File.ReadAllLinesAsync($"/proc/{gateway.Id}/status")).Single(
            one => one.StartsWith("VmHWM:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
    }

    private static async Task<double> FetchAsync(GatewayProcess gateway, string person, string path = "/api/v1/node")
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Host = "gateway.example.test";
        http.DefaultRequestHeaders.Add("Remote-User", person);
        http.DefaultRequestHeaders.Add("Remote-Groups", People.All.Single(one => one.Login == person).Role);
        http.DefaultRequestHeaders.Add("Remote-Email", $"{person}@example.test");
        var started = Stopwatch.GetTimestamp();
        using var answer = await http.GetAsync(new Uri(gateway.Url, path), HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.CopyToAsync(Stream.Null);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<GatewayProcess> StartAsync(HeadscaleStandIn headscale)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;
        var port = GatewayProcess.FreePort();
        return await GatewayProcess.StartAsync(
            folder,
            $$"""
            server:
              listen: [http://127.0.0.1:{{port}}]
              base_url: https://gateway.example.test
              data_path: {{folder}}
              proxy_auth:
                enabled: true
                email_header: Remote-Email
                groups_header: Remote-Groups
                role_map: {viewer: viewer, self_service: self_service}
            headscale: {url: '{{headscale.Url.GetLeftPart(UriPartial.Authority)}}', api_key: '{{headscale.ApiKey}}'}
            bootstrap: {owner: 'proxy:alice'}

            """,
            port,
            quiet: true,
            CancellationToken.None);
    }

    /// <summary>Nodes as a large tailnet has them: each with an owner and its key, one in a hundred of them sam's.</summary>
    private static byte[] MakeList(HeadscaleStandIn headscale, int routes = 60)
    {
        var json = new TailnetJson(headscale.Tailnet, headscale.Version);
        var node = headscale.Tailnet.Nodes.Find(one => one.UserId == 7)!;
        var nodes = new JsonArray();
        for (var id = 1; id <= Nodes; id++)
        {
            var one = json.Node(node with { Id = (ulong)id, UserId = id % 100 == 0 ? 7UL : 6UL }, inList: true);
            one["availableRoutes"] = TailnetJson.List(
                Enumerable.Range(0, routes).Select(part => $"10.{part}.{id % 250}.0/24").TakeWhile((_, at) => at * 16 < NodeBytes - 1_300));
            nodes.Add((JsonNode)one);
        }

        return System.Text.Encoding.UTF8.GetBytes(new JsonObject { ["nodes"] = nodes }.ToJsonString());
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
