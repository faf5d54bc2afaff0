using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Live;

/// <summary>An open page is told that something changed, and nothing of what.</summary>
public sealed class LiveTests
{
    [Theory]
    [InlineData("devices")]
    [InlineData("activity")]
    public async Task AChangeIsToldToWhoeverHasThePageOpen(string of)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.AsPerson("alice");
        alice.DefaultRequestHeaders.Host = "gateway.example.test";
        using var response = await alice.GetAsync(
            new Uri($"/admin/live?of={of}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await response.Content.ReadAsStreamAsync();
        using var lines = new StreamReader(stream);
        (await lines.ReadLineAsync()).Should().Be(": here");

        (await gateway.CallAsAsync("alice", "POST", "/api/v1/node/17/rename/another")).Status.Should().Be(200);

        string? line;
        do
        {
            line = await lines.ReadLineAsync();
        }
        while (line is "" or ": here");

        response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        line.Should().Be("event: changed");
        (await lines.ReadLineAsync()).Should().Be("data: ", "nobody learns more by it than by the page itself");
    }

    [Fact]
    public async Task NobodyHoldsMoreOpenPagesThanAnybodyHas()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.AsPerson("sam");
        using var vera = gateway.AsPerson("vera");
        foreach (var client in new[] { sam, vera })
        {
            client.DefaultRequestHeaders.Host = "gateway.example.test";
        }

        var open = new List<HttpResponseMessage>();
        for (var page = 0; page < 21; page++)
        {
            open.Add(await OpenAsync(sam));
        }

        open.Select(one => (int)one.StatusCode).Should().Equal([.. Enumerable.Repeat(200, 20), 429]);
        using (var other = await OpenAsync(vera))
        {
            ((int)other.StatusCode).Should().Be(200);
        }

        open.ForEach(one => one.Dispose());
        await Until.TrueAsync(
            async () =>
            {
                using var again = await OpenAsync(sam);
                return again.IsSuccessStatusCode;
            },
            "closed pages count no more");

        static Task<HttpResponseMessage> OpenAsync(HttpClient client) =>
            client.GetAsync(new Uri("/admin/live?of=devices", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
    }

    [Fact]
    public async Task WhoSeesNothingIsToldNothing()
    {
        await using var gateway = await TestGateway.StartAsync();

        (await gateway.BrowserOf("mel").GetAsync("/admin/live?of=devices")).Status.Should().Be(403);
        (await new Browser(gateway).GetAsync("/admin/live?of=devices")).Status.Should().Be(302);
    }

    [Fact]
    public async Task ManyOpenPagesAskHeadscaleOnce()
    {
        await using var gateway = await TestGateway.StartAsync();
        var pages = new List<HttpResponseMessage>();
        gateway.Headscale.Forget();
        for (var i = 0; i < 20; i++)
        {
            var client = gateway.AsPerson("vera");
            client.DefaultRequestHeaders.Host = "gateway.example.test";
            pages.Add(await client.GetAsync(new Uri("/admin/live?of=devices", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead));
        }

        gateway.Headscale.Everything.Count(one => one.Target == "/api/v1/node").Should().BeLessThan(5);
        pages.ForEach(one => one.Dispose());
    }
}
