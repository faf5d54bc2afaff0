using Gateway.Cli;
using Gateway.Edge;
using Gateway.Settings;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Cli;

/// <summary>What <c>gateway doctor</c> says of a client's address, for everything that a front can make of it.</summary>
public sealed class ClientAddressTests
{
    private const string XRealIp = "proxy_auth: {enabled: true, ip_header: X-Real-IP, trusted_proxy_cidrs: [10.0.0.2]}";
    private const string First =
        "proxy_auth: {enabled: true, ip_header: X-Forwarded-For, ip_header_mode: first, trusted_proxy_cidrs: [10.0.0.2]}";

    [Theory]
    [InlineData("trusted_proxies: [10.0.0.2]", "10.0.0.2", "198.51.100.7", "198.51.100.7", "Fine", "")]
    [InlineData("trusted_proxies: [10.0.0.2]", "10.0.0.2", "203.0.113.77,198.51.100.7", "198.51.100.7", "Fine", "")]
    [InlineData("trusted_proxies: [10.0.0.0/8]", "10.0.0.2", "203.0.113.77,10.0.0.9", "203.0.113.77", "Fine", "")]
    [InlineData("trusted_proxies: [10.0.0.2]", "10.0.0.2", "", "10.0.0.2", "Wrong", "the front sends no X-Forwarded-For")]
    [InlineData("trusted_proxies: [10.0.0.2]", "10.0.0.2", "203.0.113.77", "203.0.113.77", "Wrong", "hands on the X-Forwarded-For")]
    [InlineData("trusted_proxies: [10.0.0.2]", "10.0.0.2", "unknown", null, "Wrong", "names no address")]
    [InlineData("trusted_proxies: []", "10.0.0.2", "198.51.100.7", "10.0.0.2", "Wrong", "add 10.0.0.2, the front, to server.trusted")]
    [InlineData("trusted_proxies: []", "10.0.0.2", "", "10.0.0.2", "Wrong", "add 10.0.0.2")]
    [InlineData(XRealIp, "10.0.0.2", "198.51.100.7", "198.51.100.7", "Fine", "")]
    [InlineData(XRealIp, "10.0.0.2", "203.0.113.77", "203.0.113.77", "Wrong", "proxy_set_header X-Real-IP $remote_addr")]
    [InlineData(XRealIp, "10.0.0.3", "198.51.100.7", "10.0.0.3", "Wrong", "server.proxy_auth.trusted_proxy_cidrs")]
    [InlineData(First, "10.0.0.2", "203.0.113.77,198.51.100.7", "203.0.113.77", "Wrong", "ip_header_mode to rightmost")]
    public void EachFrontIsJudgedByWhatItMadeOfTheAddress(
        string server, string peer, string forwarded, string? client, string result, string words)
    {
        var step = ClientAddress.Evaluate(
            new(peer, 4000, forwarded.Split(',', StringSplitOptions.RemoveEmptyEntries), client), Settings(server), 5000, "headtower.yaml");

        step.Result.ToString().Should().Be(result, step.Advice);
        (words.Length > 0 ? step.Advice.Contains(words, StringComparison.Ordinal) : step.Advice.Length == 0).Should().BeTrue(step.Advice);
    }

    [Theory]
    [InlineData("198.51.100.7", "Fine")]
    [InlineData("203.0.113.77", "Wrong")]
    public void WithoutAFrontTheConnectionTellsTheClient(string client, string result) =>
        ClientAddress.Evaluate(
            new("198.51.100.7", 5000, ["203.0.113.77"], client), Settings("trusted_proxies: []"), 5000, "headtower.yaml").Result.ToString()
            .Should().Be(result);

    [Fact]
    public async Task OnlyTheAnnouncedRequestIsLookedAtAndOnlyOnce()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = gateway.As(null);
        var arrivals = gateway.App.Services.GetRequiredService<Arrivals>();

        await http.GetAsync(new Uri("/generate_204?doctor=", UriKind.Relative));
        arrivals.Take().Should().BeNull();
        var mark = arrivals.Expect();
        await http.GetAsync(new Uri("/generate_204?doctor=guessed", UriKind.Relative));
        arrivals.Take().Should().BeNull("somebody else's request is none of this business, and the mark is spent");
        mark = arrivals.Expect();
        await http.GetAsync(new Uri($"/generate_204?doctor={mark}", UriKind.Relative));
        await http.GetAsync(new Uri($"/generate_204?doctor={mark}", UriKind.Relative));

        arrivals.Take()!.Peer.Should().Be("127.0.0.1");
        arrivals.Take().Should().BeNull();
    }

    private static ServerSettings Settings(string server)
    {
        var problems = new Problems();
        var yaml = $"headscale: {{url: 'http://127.0.0.1:1', api_key: k}}\nserver: {{{server}}}\n";
        var root = new YamlMap(YamlTree.Parse(yaml, "headtower.yaml", problems), "", problems);
        return SettingsFile.Read(root, new Dictionary<string, string>(), []).Server;
    }
}
