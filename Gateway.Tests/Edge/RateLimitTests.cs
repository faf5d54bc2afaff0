using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Edge;

/// <summary>Who asks too often is told when to come back; nobody else notices.</summary>
public sealed class RateLimitTests
{
    private const string Few = "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 5, caller_per_minute: 8}";
    private const string Chained = "    ip_header: X-Forwarded-For\n    allowed_cidrs: [192.0.2.0/24, "
        + "'2001:db8::/32']\n" + TestGateway.RoleMap;

    [Fact]
    public async Task StrangersAreLimitedPerAddressAndPerSlash64()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: Chained, more: Few);

        foreach (var (first, same, other) in new[] { ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1") })
        {
            (await StatusesAsync(gateway.As(null), first, 6)).Should().Equal([401, 401, 401, 401, 401, 429]);
            (await StatusesAsync(gateway.As(null), same, 1)).Should().Equal([429]);
            (await StatusesAsync(gateway.As(null), other, 1)).Should().Equal([401]);

            // Who is signed in is not held up by strangers at the same address.
            (await StatusesAsync(gateway.AsPerson("vera"), first, 1)).Should().Equal([200]);
        }
    }

    [Fact]
    public async Task AFloodLeavesAHandfulOfLinesWithTheNumber()
    {
        const int Requests = 20_000;
        await using var gateway = await TestGateway.StartAsync();
        await using (var connection = await gateway.ConnectAsync())
        {
            var sending = connection.WriteAsync(
                Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("GET /api/v1/node HTTP/1.1\r\nHost: x\r\n\r\n", Requests - 1))
                    + "GET /api/v1/node HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
            using var answers = new MemoryStream();
            await connection.CopyToAsync(answers);
            await sending;
        }

        var audit = await gateway.StopAndReadAuditAsync();

        audit.Select(one => one.Reason).Distinct().Should().BeEquivalentTo("sign_in_required", "too_many");
        audit.Sum(one => one.Count).Should().Be(Requests);
        Directory.EnumerateFiles(gateway.Configuration.Settings.Audit.Folder).Sum(file => File.ReadLines(file).Count()).Should()
            .BeLessThan(20);
    }

    [Fact]
    public async Task CallersAreLimitedWhereverTheyComeFrom()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: Chained, more: Few);

        (await StatusesAsync(gateway.AsPerson("vera"), "192.0.2.1", 4)).Should().Equal([200, 200, 200, 200]);
        (await StatusesAsync(gateway.AsPerson("vera"), "192.0.2.2", 5)).Should().Equal([200, 200, 200, 200, 429]);
        (await StatusesAsync(gateway.AsPerson("sam"), "192.0.2.2", 1)).Should().Equal([200]);

        var refused = (await gateway.StopAndReadAuditAsync()).Single(one => one.Status == 429);
        (refused.Reason, refused.Actor, refused.Row).Should().Be(((string, string?, string?))("too_many", "proxy:vera", null));
        gateway.Headscale.Forwarded.Count.Should().Be(9);
    }

    [Theory]
    [InlineData(26)]
    [InlineData(29)]
    [InlineData(30)]
    public async Task KeysThatHeadscaleRefusesCountAsAStrangers(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version, proxyAuth: Chained, more: Few);
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        var refused = version == 26 ? 500 : 401;

        // Another prefix each time: the limit of a caller alone would not notice.
        for (var times = 0; times < 6; times++)
        {
            using var client = gateway.As(null);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer", $"hskey-api-{times:d12}-{new string('a', 64)}");
            (await StatusesAsync(client, "192.0.2.1", 1)).Should().Equal([times < 5 ? refused : 429]);
        }

        using var good = gateway.As(null);
        good.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Headscale.ApiKey);
        (await StatusesAsync(good, "192.0.2.2", 9)).Should().Equal([200, 200, 200, 200, 200, 200, 200, 200, 429]);
    }

    [Fact]
    public async Task OwnPagesCountAndWhatMonitorsAskForDoesNot()
    {
        await using var gateway = await TestGateway.StartReachableAsync(proxyAuth: Chained, more: Few);

        (await StatusesAsync(gateway.As(null), "192.0.2.1", 6, "/admin/login")).Should().Equal([200, 200, 200, 200, 200, 429]);
        (await StatusesAsync(gateway.As(null), "192.0.2.1", 1, "/admin/api/me")).Should().Equal([429]);
        (await StatusesAsync(gateway.As(null), "192.0.2.1", 3, "/admin/healthz")).Should().Equal([200, 200, 200]);
        (await StatusesAsync(gateway.As(null), "192.0.2.1", 3, "/admin/style.css")).Should().Equal([200, 200, 200]);
    }

    [Fact]
    public async Task TailscaleClientsAreNeverLimited()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: Chained, more: Few);
        await StatusesAsync(gateway.As(null), "192.0.2.1", 6);

        (await StatusesAsync(gateway.As(null), "192.0.2.1", 40, "/key?v=113")).Should().AllSatisfy(status => status.Should().Be(200));
        for (var times = 0; times < 20; times++)
        {
            await using var tunnel = await gateway.ConnectAsync();
            await tunnel.WriteAsync(
                Encoding.ASCII.GetBytes("POST /ts2021 HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: upgrade\r\nUpgrade: "
                    + "tailscale-control-protocol\r\nX-Tailscale-Handshake: " + "AHEBAG" + new string('A', 130) + "\r\n\r\n"));
            (await RawPeer.ReadHeadAsync(tunnel)).Should().StartWith("HTTP/1.1 101 ");
        }
    }

    [Fact]
    public async Task ZeroIsNoLimit()
    {
        await using var gateway = await TestGateway.StartAsync(
            proxyAuth: Chained, more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 0, caller_per_minute: 0}");

        (await StatusesAsync(gateway.As(null), "192.0.2.1", 400)).Should().AllSatisfy(status => status.Should().Be(401));
    }

    [Fact]
    public async Task WhoAsksTooOftenForPagesIsToldSoInTheirLanguageAndProgramsGetAProblem()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: Chained, more: Few);
        using var sam = gateway.AsPerson("sam");
        sam.DefaultRequestHeaders.Host = "gateway.example.test";
        sam.DefaultRequestHeaders.Add("Accept-Language", "de");
        for (var times = 0; times < 8; times++)
        {
            await TestGateway.CallAsync(sam, "GET", "/admin/");
        }

        var (status, page) = await TestGateway.CallAsync(sam, "GET", "/admin/");
        (status, WebUtility.HtmlDecode(page)).Should().Match<(int Status, string Text)>(one => one.Status == 429
            && one.Text.Contains("<h1>Nicht möglich</h1>", StringComparison.Ordinal)
            && one.Text.Contains("zu viele Anfragen", StringComparison.OrdinalIgnoreCase));
        var (_, problem) = await TestGateway.CallAsync(sam, "GET", "/admin/api/me");
        problem.Should().StartWith("{").And.Contain("too many requests");
    }

    private static async Task<List<int>> StatusesAsync(HttpClient client, string address, int times, string target = "/api/v1/node")
    {
        using (client)
        {
            client.DefaultRequestHeaders.Add("X-Forwarded-For", address);
            var statuses = new List<int>();
            for (var at = 0; at < times; at++)
            {
                using var answer = await client.GetAsync(new Uri(target, UriKind.Relative));
                statuses.Add((int)answer.StatusCode);
                (answer.Headers.RetryAfter?.Delta is { TotalSeconds: >= 1 and <= 60 }).Should()
                    .Be(answer.StatusCode is HttpStatusCode.TooManyRequests);
            }

            return statuses;
        }
    }
}
