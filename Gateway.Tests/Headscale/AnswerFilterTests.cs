using System.IO.Pipelines;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>What of Headscale's answers reaches whom.</summary>
public sealed class AnswerFilterTests
{
    private static readonly AnswerFilter _ownNodes = new(Filter.Nodes, View.Own, "7", SeesKeys: false);

    [Theory]
    [ClassData(typeof(EveryVersion))]
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
    [ClassData(typeof(EveryVersion))]
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
    [InlineData("""{"nodes":[[]]}""")]
    [InlineData("""{"nodes":[],"more":[]}""")]
    [InlineData("""{"machines":[]}""")]
    [InlineData("""{"Nodes":[]}""")]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    [InlineData("""{"nodes":[]}{}""")]
    [InlineData("""{"nodes":[]""")]
    [InlineData("""{"nodes":[{"id":"1"}""")]
    [InlineData("""{"nodes":[{"id":"1"},]}""")]
    [InlineData("""{"nodes":[{"user":{"id":"8"},"user":{"id":"7"}}]}""")]
    [InlineData("""{"nodes":[{"user":{"id":"7"},"preAuthKey":{"key":"a"},"preAuthKey":{"key":"b"}}]}""")]
    [InlineData("")]
    [InlineData("<html>")]
    public async Task AListThatIsNotUnderstoodIsNotPassedOn(string answer)
    {
        foreach (var size in new[] { 1, 3, 1024 })
        {
            await Assert.ThrowsAnyAsync<JsonException>(() => ApplyAsync(_ownNodes, answer, size));
        }
    }

    [Theory]
    [InlineData("""{"users":[]}""")]
    [InlineData("""{"node":null}""")]
    [InlineData("""{"node":{},"more":{}}""")]
    [InlineData("""[]""")]
    public void AThingThatIsNotUnderstoodIsNotPassedOn(string answer)
    {
        using var document = JsonDocument.Parse(answer);
        using var writer = new Utf8JsonWriter(Stream.Null);

        Assert.Throws<JsonException>(() => new AnswerFilter(Filter.Node, View.All, "7", SeesKeys: false).WriteWhole(document.RootElement, writer));
    }

    [Fact]
    public async Task AListIsCutDownTheSameWayHoweverItArrives()
    {
        const string Answer = """ { "nodes" : [ {"id":"1","user":{"id":"7"},"name":"ä\u0041\"]}"} , {"id":"2","user":{"id":"8"},"more":[[{}]]}, {"id":"3","user":{"id":"7"},"preAuthKey":{"key":"secret"}} ] } """;

        for (var size = 1; size <= Answer.Length + 1; size++)
        {
            var left = JsonNode.Parse(await ApplyAsync(_ownNodes, Answer, size))!["nodes"]!.AsArray();

            Assert.Equal(["""{"id":"1","name":"äA\"]}"}""", """{"id":"3","preAuthKey":null}"""], left.Select(Brief));
        }

        static string Brief(JsonNode? node)
        {
            node!.AsObject().Remove("user");
            return node.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        }
    }

    [Fact]
    public async Task AListThatBreaksOffHalfwayBreaksTheConnectionAndIsAudited()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = gateway.AsPerson("vera");
        var nodes = string.Join(',', Enumerable.Range(1, 2000).Select(id => $$$"""{"id":"{{{id}}}","user":{"id":"7"},"tags":[],"preAuthKey":{"key":"secret"}}"""));

        foreach (var end in new[] { ",{]}", ",\"x\"]}", "],\"more\":1}", "" })
        {
            gateway.Headscale.Prepared = received => received.Target == "/api/v1/node" ? Encoding.UTF8.GetBytes($$"""{"nodes":[{{nodes}}{{end}}""") : null;
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => vera.GetStringAsync(new Uri("/api/v1/node", UriKind.Relative)));
        }

        gateway.Headscale.Prepared = received => received.Target == "/api/v1/node" ? "<html>"u8.ToArray() : null;
        Assert.Equal(502, (await TestGateway.CallAsync(vera, "GET", "/api/v1/node")).Status);
        gateway.Headscale.Prepared = null;
        Assert.Equal(200, (await TestGateway.CallAsync(vera, "GET", "/api/v1/node")).Status);

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row == "nodes.list").Select(one => one.Reason);
        Assert.Equal([.. Enumerable.Repeat("upstream_not_understood", 5), "allowed"], entries.Order(StringComparer.Ordinal).Reverse());
    }

    [Theory]
    [InlineData("""{"id":"1","user":{"id":"7"},"tags":["tag:a"]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"forcedTags":["tag:a"]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"validTags":["tag:a"]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"tags":"tag:a"}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"tags":["tag:a"],"validTags":[]}""")]
    [InlineData("""{"id":"1","user":{"id":"7"},"tags":{}}""")]
    [InlineData("""{"id":"1","user":{"id":7}}""")]
    [InlineData("""{"id":"1","user":{"more":{"id":"7"}}}""")]
    [InlineData("""{"id":"7","user":["7"],"owner":{"id":"7"}}""")]
    [InlineData("""{"id":"1","user":{"id":"70"}}""")]
    [InlineData("""{"id":"1","user":null}""")]
    [InlineData("""{"id":"1"}""")]
    public async Task ATaggedOrForeignNodeIsNobodysOwn(string node) =>
        Assert.Equal("""{"nodes":[]}""", await ApplyAsync(_ownNodes, $$"""{"nodes":[{{node}}]}"""));

    [Fact]
    public async Task AnOwnNodeStaysAsItIsButForItsKey() => Assert.Equal(
        """{"nodes":[{"id":"1","user":{"id":"7"},"tags":[],"preAuthKey":null,"new":{"a":[1.0]}}]}""",
        await ApplyAsync(_ownNodes, """{"nodes":[{"id":"1","user":{"id":"7"},"tags":[],"preAuthKey":{"key":"secret"},"new":{"a":[1.0]}}]}"""));

    /// <param name="size">How many bytes arrive at once.</param>
    private static async Task<string> ApplyAsync(AnswerFilter filter, string answer, int size = int.MaxValue)
    {
        var pipe = new Pipe();
        using var buffer = new MemoryStream();
        await Task.WhenAll(WriteAsync(), new FilteredList(filter).CopyAsync(pipe.Reader.AsStream(), buffer, CancellationToken.None));
        return Encoding.UTF8.GetString(buffer.ToArray());

        async Task WriteAsync()
        {
            foreach (var piece in Encoding.UTF8.GetBytes(answer).Chunk(Math.Min(size, 1 << 20)))
            {
                await pipe.Writer.WriteAsync(piece);
            }

            await pipe.Writer.CompleteAsync();
        }
    }
}
