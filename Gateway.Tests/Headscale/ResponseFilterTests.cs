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
public sealed class ResponseFilterTests
{
    private static readonly ResponseFilter _ownNodes = new(Filter.Nodes, View.Own, "7", SeesKeys: false);

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
            foreach (var target in new[] { "/api/v1/node", "/api/v1/node/11", "/api/v1/node/17", "/api/v1/user", "/api/v1/preauthkey"
                + (version < 28 ? "?user=1" : ""), "/api/v1/preauthkey" + (version < 28 ? "?user=7" : "") })
            {
                var (_, text) = await TestGateway.CallAsync(client, "GET", target);
                var foreign = gateway.Headscale.Tailnet.Keys.Where(
                    key => key.UserId != person.HeadscaleId && text.Contains(key.Key, StringComparison.Ordinal))
                    .ToArray();
                (foreign.Length == 0 || mayMake).Should().BeTrue($"{person.Login} read a foreign key from {target}");
                seen += foreign.Length;
            }
        }

        // Up to 0.27 there is something to hide.
        (seen > 0).Should().Be(version < 28);
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

        nodes.Should().ContainSingle().Subject!["id"]!.ToString().Should().Be("17");
        users.Should().ContainSingle().Subject!["id"]!.ToString().Should().Be("7");
        keys.Should().ContainSingle().Subject!["user"]!["id"]!.ToString().Should().Be("7");
        nodes[0]!.AsObject().ContainsKey("preAuthKey").Should().BeTrue();
        nodes[0]!["preAuthKey"].Should().BeNull();

        async Task<JsonArray> ListAsync(string target, string member)
        {
            var (status, text) = await TestGateway.CallAsync(sam, "GET", target);
            status.Should().Be(200);
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
            await FluentActions.Awaiting(() => ApplyAsync(_ownNodes, answer, size)).Should().ThrowAsync<JsonException>();
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

        FluentActions.Invoking(
            () => new ResponseFilter(Filter.Node, View.All, "7", SeesKeys: false).WriteWhole(document.RootElement, writer))
            .Should().ThrowExactly<JsonException>();
    }

    [Fact]
    public async Task AListIsCutDownTheSameWayHoweverItArrives()
    {
        const string Answer = """ { "nodes" : [ {"id":"1","user":{"id":"7"},"name":"ä\u0041\"]}"} , """
            + """{"id":"2","user":{"id":"8"},"more":[[{}]]}, {"id":"3","user":{"id":"7"},"preAuthKey":{"key":"secret"}} ] } """;

        for (var size = 1; size <= Answer.Length + 1; size++)
        {
            var left = JsonNode.Parse(await ApplyAsync(_ownNodes, Answer, size))!["nodes"]!.AsArray();

            left.Select(Brief).Should().Equal(["""{"id":"1","name":"äA\"]}"}""", """{"id":"3","preAuthKey":null}"""]);
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
        var nodes = string.Join(',', Enumerable.Range(1, 2000).Select(id =>
            $$$"""{"id":"{{{id}}}","user":{"id":"7"},"tags":[],"preAuthKey":{"key":"secret"}}"""));

        foreach (var end in new[] { ",{]}", ",\"x\"]}", "],\"more\":1}", "" })
        {
            gateway.Headscale.Prepared = received =>
                received.Target == "/api/v1/node" ? Encoding.UTF8.GetBytes($$"""{"nodes":[{{nodes}}{{end}}""") : null;
            await FluentActions.Awaiting(() => vera.GetStringAsync(new Uri("/api/v1/node", UriKind.Relative))).Should()
                .ThrowAsync<HttpRequestException>();
        }

        gateway.Headscale.Prepared = received => received.Target == "/api/v1/node" ? "<html>"u8.ToArray() : null;
        (await TestGateway.CallAsync(vera, "GET", "/api/v1/node")).Status.Should().Be(502);
        gateway.Headscale.Prepared = null;
        (await TestGateway.CallAsync(vera, "GET", "/api/v1/node")).Status.Should().Be(200);

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row == "nodes.list").Select(one => one.Reason);
        entries.Order(StringComparer.Ordinal).Reverse().Should().Equal([.. Enumerable.Repeat("upstream_not_understood", 5), "allowed"]);
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
        (await ApplyAsync(_ownNodes, $$"""{"nodes":[{{node}}]}""")).Should().Be("""{"nodes":[]}""");

    [Fact]
    public async Task AnOwnNodeStaysAsItIsButForItsKey() =>
        (await ApplyAsync(
            _ownNodes,
            """{"nodes":[{"id":"1","user":{"id":"7"},"tags":[],"preAuthKey":{"key":"secret"},"new":{"a":[1.0]}}]}"""))
            .Should().Be("""{"nodes":[{"id":"1","user":{"id":"7"},"tags":[],"preAuthKey":null,"new":{"a":[1.0]}}]}""");

    /// <param name="size">How many bytes arrive at once.</param>
    private static async Task<string> ApplyAsync(ResponseFilter filter, string answer, int size = int.MaxValue)
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
