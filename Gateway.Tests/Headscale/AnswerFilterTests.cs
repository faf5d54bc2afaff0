using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>What of Headscale's answers reaches whom.</summary>
public sealed class AnswerFilterTests
{
    [Theory]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(29)]
    [InlineData(30)]
    public async Task NobodyReadsAKeyWhoMayNotMakeOneForAnybody(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var seen = 0;
        foreach (var person in Sandbox.People.All)
        {
            using var client = gateway.AsPerson(person.Login);
            var mayMake = gateway.Configuration.Table.RoleNamed(person.Role).Has(Capability.GenerateAuthkeys);
            foreach (var target in new[] { "/api/v1/node", "/api/v1/node/11", "/api/v1/node/17", "/api/v1/user", "/api/v1/preauthkey" + (version < 28 ? "?user=1" : ""), "/api/v1/preauthkey" + (version < 28 ? "?user=7" : "") })
            {
                var (_, text) = await TestGateway.CallAsync(client, "GET", target);
                var foreign = gateway.Headscale.Tailnet.Keys.Where(key => key.UserId != person.HeadscaleId && text.Contains(key.Key, StringComparison.Ordinal)).ToArray();
                Assert.True(foreign.Length == 0 || mayMake, $"{person.Login} read a foreign key from {target}");
                seen += foreign.Length;
            }
        }

        // Up to 0.27 there is something to hide.
        Assert.Equal(version < 28, seen > 0);
    }

    [Theory]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(29)]
    [InlineData(30)]
    public async Task SelfServiceSeesItsOwnAndNothingElse(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var sam = gateway.AsPerson("sam");

        var nodes = await ListAsync("/api/v1/node", "nodes");
        var users = await ListAsync("/api/v1/user", "users");
        var keys = await ListAsync("/api/v1/preauthkey" + (version < 28 ? "?user=7" : ""), "preAuthKeys");

        Assert.Equal("17", Assert.Single(nodes)!["id"]!.ToString());
        Assert.Equal("7", Assert.Single(users)!["id"]!.ToString());
        Assert.Equal("7", Assert.Single(keys)!["user"]!["id"]!.ToString());
        Assert.True(nodes[0]!.AsObject().ContainsKey("preAuthKey"));
        Assert.Null(nodes[0]!["preAuthKey"]);

        async Task<JsonArray> ListAsync(string target, string member)
        {
            var (status, text) = await TestGateway.CallAsync(sam, "GET", target);
            Assert.Equal(200, status);
            return JsonNode.Parse(text)![member]!.AsArray();
        }
    }

    [Theory]
    [InlineData("""{"nodes":null}""")]
    [InlineData("""{"nodes":{}}""")]
    [InlineData("""{"nodes":[1]}""")]
    [InlineData("""{"nodes":[],"more":[]}""")]
    [InlineData("""{"machines":[]}""")]
    [InlineData("""[]""")]
    public void AnAnswerThatIsNotUnderstoodIsNotPassedOn(string answer)
    {
        var filter = new AnswerFilter(Filter.Nodes, View.Own, "7", SeesKeys: false);

        Assert.ThrowsAny<Exception>(() => Apply(filter, answer));
    }

    [Theory]
    [InlineData("""{"id":"1","user":{"id":"7"},"tags":["tag:a"]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"forcedTags":["tag:a"]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"validTags":["tag:a"]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"tags":"tag:a"}""")]
    [InlineData("""{"id":"1","user":{"id":7}}""")]
    [InlineData("""{"id":"1","user":{"id":"70"}}""")]
    [InlineData("""{"id":"1","user":null}""")]
    [InlineData("""{"id":"1"}""")]
    public void ATaggedOrForeignNodeIsNobodysOwn(string node) =>
        Assert.Equal("""{"nodes":[]}""", Apply(new AnswerFilter(Filter.Nodes, View.Own, "7", SeesKeys: false), $$"""{"nodes":[{{node}}]}"""));

    [Fact]
    public void AnOwnNodeStaysAsItIsButForItsKey() => Assert.Equal(
        """{"nodes":[{"id":"1","user":{"id":"7"},"tags":[],"preAuthKey":null,"new":{"a":[1.0]}}]}""",
        Apply(new AnswerFilter(Filter.Nodes, View.Own, "7", SeesKeys: false), """{"nodes":[{"id":"1","user":{"id":"7"},"tags":[],"preAuthKey":{"key":"secret"},"new":{"a":[1.0]}}]}"""));

    private static string Apply(AnswerFilter filter, string answer)
    {
        using var document = JsonDocument.Parse(answer);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            filter.Write(document.RootElement, writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
