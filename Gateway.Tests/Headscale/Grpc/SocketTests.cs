using System.Text;
using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale.Grpc;

/// <summary>Headscale's own socket: who may use it, and what happens when it comes and goes.</summary>
public sealed class SocketTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Socket => Path.Combine(_folder.Path, "headscale.sock");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task TheSocketAnswersWhatTcpAnswers(int version)
    {
        await using var bySocket = await StartAsync(version);
        await using var byKey = await TestGateway.StartAsync(version);
        foreach (var (method, target) in new[]
        {
            ("GET", "/api/v1/user"), ("GET", "/api/v1/user?name=sam"), ("GET", "/api/v1/node"), ("GET", "/api/v1/node/1"),
            ("GET", "/api/v1/node/99"), ("DELETE", "/api/v1/user/99"), ("GET", "/api/v1/preauthkey?user=1"), ("GET", "/api/v1/policy"),
            ("GET", "/api/v1/health"), ("DELETE", "/api/v1/user/1"), ("POST", "/api/v1/node/1/rename/x"),
        })
        {
            var (status, text) = await bySocket.CallAsAsync("alice", method, target);
            var (expected, words) = await byKey.CallAsAsync("alice", method, target);

            status.Should().Be(expected, "{0} {1}: {2}", method, target, text);
            WithoutSecrets(text).Should().Be(WithoutSecrets(words), "{0} {1}", method, target);
        }

        bySocket.Headscale.Forwarded.Should().NotBeEmpty().And.OnlyContain(one => one.IsLocal);
        bySocket.Headscale.Everything.Where(one => one.Target != "/version").Should().OnlyContain(
            one => one.IsLocal && one.Header("Authorization") == null, "without a key, there is no other way");
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task ACredentialThatHeadscaleHasToJudgeNeverReachesTheSocket(int version)
    {
        await using var gateway = await StartAsync(version, "key_proof: 0");
        var expired = gateway.Headscale.Api.CreateApiKey("2026-01-02T00:00:00Z").Key;
        gateway.Headscale.Tailnet.ApiKeys.RemoveAll(one => one.Key == expired);
        var good = gateway.Headscale.ApiKey;
        foreach (var (credential, isTaken) in new[]
        {
            ($"Bearer {good}", true), ($"Bearer {expired}", false), ($"Bearer {good[..^1]}{(good[^1] == 'a' ? 'b' : 'a')}", false),
            ($"Bearer hskey-oauthtok-{new string('a', 12)}-{new string('b', 64)}", false),
        })
        {
            gateway.Headscale.Forget();
            using var client = gateway.As(null);
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", credential);
            foreach (var target in new[] { "/api/v1/user", "/api/v1/user" })
            {
                (await TestGateway.CallAsync(client, "GET", target)).Status.Should().Match(status => (status == 200) == isTaken);
            }

            gateway.Headscale.Forwarded.Should().NotContain(one => one.IsLocal, "{0} is Headscale's to judge", credential);
        }
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task AKeyThatHeadscaleTookMayReadOverTheSocketUntilSomethingChanges(int version)
    {
        await using var gateway = await StartAsync(version, "key_proof: 300");
        await Until.TrueAsync(() => gateway.Log.Has("was found"), "the version is known");
        var (headscale, key) = (gateway.Headscale, gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z"));
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", key.Key);

        (await WayOfAsync("GET", "/api/v1/node")).Should().Be("200 by key", "it is not proven yet");
        (await WayOfAsync("GET", "/api/v1/node")).Should().Be("200 by socket");
        (await WayOfAsync("GET", "/api/v1/user?name=sam")).Should().Be("200 by socket");
        (await WayOfAsync("GET", "/api/v1/user?what=1")).Should().EndWith("by key", "what is not understood is Headscale's to judge");
        (await WayOfAsync("GET", "/api/v2/tailnet/-/devices")).Should().EndWith("by key", "not every version has it");
        (await WayOfAsync("POST", $"/api/v1/node/{headscale.Tailnet.Nodes[0].Id}/rename/xx")).Should()
            .Be("200 by key", "a change is always judged by Headscale");
        (await WayOfAsync("GET", "/api/v1/node")).Should().Be("200 by key", "the change may have ended the key");
        (await WayOfAsync("GET", "/api/v1/node")).Should().Be("200 by socket");

        var (status, _) = await gateway.CallAsAsync("alice", "DELETE", $"/api/v1/apikey/{key.Key.Replace("hskey-api-", "")[..7]}");
        status.Should().Be(200);
        headscale.Tailnet.ApiKeys.Should().NotContain(one => one.Key == key.Key);
        (await WayOfAsync("GET", "/api/v1/node")).Should().Be(version == 26 ? "500 by key" : "401 by key", "it is gone");

        async Task<string> WayOfAsync(string method, string target)
        {
            headscale.Forget();
            var (status, _) = await TestGateway.CallAsync(client, method, target);
            var only = headscale.Forwarded.Should().ContainSingle().Subject;
            only.Header("Authorization").Should().Be(only.IsLocal ? null : $"Bearer {key.Key}");
            return $"{status} by {(only.IsLocal ? "socket" : "key")}";
        }
    }

    [Fact]
    public async Task AProvenKeyIsSentItselfWhereTheSocketIsGone()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29, socket: Socket);
        await using var gateway = await TestGateway.StartAsync(
            headscale: headscale, headscaleSection: $"  api_key: {headscale.ApiKey}\n  key_proof: 300");
        await Until.TrueAsync(() => gateway.Log.Has("was found"), "the version is known");
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", headscale.Api.CreateApiKey("2036-01-01T00:00:00Z").Key);
        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(200);
        await headscale.DisposeAsync();
        await using var back = await HeadscaleStandIn.StartAsync(29, headscale.Url.Port);
        Sandbox.People.Settle(back);

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(401, "the other Headscale does not know it");
        back.Forwarded.Should().ContainSingle().Which.Header("Authorization").Should()
            .Be($"{client.DefaultRequestHeaders.Authorization}", "the gateway's key is not for this caller");
    }

    [Fact]
    public async Task WithoutItsSocketAndWithoutAKeyACallIsRefusedUntilItComesBack()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29, socket: Socket);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        await headscale.DisposeAsync();
        File.Exists(Socket).Should().BeFalse();

        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(503);

        await using var back = await HeadscaleStandIn.StartAsync(29, headscale.Url.Port, Socket);
        Sandbox.People.Settle(back);
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200, "a socket is looked up for each connection");
        gateway.Log.Has("there is no such socket").Should().BeTrue();
    }

    [Fact]
    public async Task TheKeyServesWhileTheSocketDoesNot()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(
            headscale: headscale, headscaleSection: $"  api_key: {headscale.ApiKey}\n  socket: {Socket}");

        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);

        headscale.Forwarded.Should().ContainSingle().Which.Header("Authorization").Should().Be($"Bearer {headscale.ApiKey}");
        await Until.TrueAsync(() => gateway.Log.Has("headscale.api_key serves in place of headscale.socket"), "it is said");
    }

    [Fact]
    public async Task AnotherVersionBehindTheSamePathGetsWhatItUnderstands()
    {
        var old = await HeadscaleStandIn.StartAsync(27, socket: Socket);
        await using var gateway = await TestGateway.StartAsync(headscale: old);
        (await gateway.CallAsAsync("alice", "POST", "/api/v1/preauthkey/expire", """{"user":"1","key":"x"}""")).Status.Should().NotBe(503);
        old.Forwarded.Should().ContainSingle();
        await old.DisposeAsync();

        await using var next = await HeadscaleStandIn.StartAsync(28, old.Url.Port, Socket);
        Sandbox.People.Settle(next);
        var victim = next.Tailnet.Keys.Single(one => one.Id == next.Tailnet.Keys.Min(key => key.Id));
        var (status, _) = await gateway.CallAsAsync(
            "alice", "POST", "/api/v1/preauthkey/expire", $$"""{"user":"{{victim.Id}}","key":"x"}""");

        status.Should().BeGreaterThanOrEqualTo(400, "user and key name nothing in 0.28");
        next.Tailnet.Keys.Should().Contain(victim, "field 1 is the id of a key there");
        next.Forwarded.Should().BeEmpty();
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task AHeadscaleThatNamesNoVersionIsAskedWhatItCanDo(int version)
    {
        foreach (var socket in new[] { null, Socket })
        {
            var headscale = await HeadscaleStandIn.StartAsync(version, socket: socket);
            headscale.Named = "dev";
            await using var gateway = await TestGateway.StartAsync(headscale: headscale);

            (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);

            await Until.TrueAsync(
                () => gateway.Log.Has($"Headscale 0.{version} by its operations; it names no version was found"), "it is found out");
            headscale.Forwarded.Should().ContainSingle().Which.IsLocal.Should().Be(socket is not null);
            await headscale.DisposeAsync();
        }
    }

    [Fact]
    public async Task TheVersionInTheSettingsComesFirst()
    {
        var headscale = await HeadscaleStandIn.StartAsync(28);
        headscale.Named = "dev";
        await using var gateway = await TestGateway.StartAsync(headscale: headscale, headscaleSection: "  version: 0.28");

        await Until.TrueAsync(() => gateway.Log.Has("Headscale 0.28 by headscale.version was found"), "it is said");
    }

    [Theory]
    [InlineData(29)]
    [InlineData(30)]
    public async Task TheSocketHasNoTlsWhateverTheUrlSaysAndTakesEveryUserAgent(int version)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(version, socket: Socket);
        await using var gateway = await TestGateway.StartFileAsync(
            headscale,
            folder => $"server: {{listen: ['http://127.0.0.1:0'], data_path: {folder.Path}, base_url: https://gateway.example.test, "
                + "proxy_auth: {enabled: true, role_map: {}}}\n"
                + $"headscale: {{url: 'https://127.0.0.1:1', socket: {Socket}, version: '0.{version}'}}\n"
                + "bootstrap: {owner: 'proxy:alice'}\n");

        var (head, _) = await gateway.SendRawAsync("", Encoding.UTF8.GetBytes(
            "GET /api/v1/node HTTP/1.1\r\nHost: x\r\nRemote-User: alice\r\nUser-Agent: M\u00fcller/1\r\nConnection: close\r\n\r\n"));
        head.Should().StartWith("HTTP/1.1 200 ");

        headscale.Forwarded.Should().ContainSingle().Which.IsLocal.Should().BeTrue();
    }

    [Theory]
    [InlineData(29)]
    [InlineData(30)]
    public async Task ARestartUnderLoadLosesNothingAndRepeatsNothing(int version)
    {
        var headscales = new List<HeadscaleStandIn> { await HeadscaleStandIn.StartAsync(version, socket: Socket) };
        await using var gateway = await TestGateway.StartAsync(
            headscale: headscales[0], more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {caller_per_minute: 0, anonymous_per_minute: 0}");
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        using var end = new CancellationTokenSource();
        var workers = Enumerable.Range(0, 4).Select(worker => CreateUsersAsync(worker)).ToArray();
        for (var restart = 0; restart < 3; restart++)
        {
            var (before, present) = (headscales[^1], headscales[^1].Forwarded.Count);
            await Until.TrueAsync(() => before.Forwarded.Count > present + 20, "calls are under way");
            await before.DisposeAsync();
            headscales.Add(await HeadscaleStandIn.StartAsync(version, before.Url.Port, Socket));
            Sandbox.People.Settle(headscales[^1]);
        }

        var last = headscales[^1];
        await Until.TrueAsync(() => last.Forwarded.Count > 20, "calls arrive again");
        await end.CancelAsync();
        var answers = (await Task.WhenAll(workers)).SelectMany(one => one).ToArray();

        var arrived = headscales.SelectMany(one => one.Forwarded).Where(one => one.Method == "POST").Select(one => one.Body).ToArray();
        arrived.Should().OnlyHaveUniqueItems("no call is sent twice");
        answers.Should().OnlyContain(one => one.Status == 200 || one.Status == 502 || one.Status == 503);
        answers.Where(one => one.Status == 200).Should().OnlyContain(one => one.Text.Contains($"\"{one.Name}\""), "each answer is its own");
        await last.DisposeAsync();

        async Task<List<(string Name, int Status, string Text)>> CreateUsersAsync(int worker)
        {
            var answers = new List<(string, int, string)>();
            using var client = gateway.As("alice");
            while (!end.IsCancellationRequested)
            {
                var name = $"user-{worker}-{answers.Count}";
                var (status, text) = await TestGateway.CallAsync(client, "POST", "/api/v1/user", $$"""{"name":"{{name}}"}""");
                answers.Add((name, status, text));
            }

            return answers;
        }
    }

    private async Task<TestGateway> StartAsync(int version, string setting = "") => await TestGateway.StartAsync(
        headscale: await HeadscaleStandIn.StartAsync(version, socket: Socket), headscaleSection: setting.Length == 0 ? "" : $"  {setting}");

    /// <summary>Keys and the ids of requests are made anew each time.</summary>
    private static string WithoutSecrets(string text)
    {
        var json = JsonNode.Parse(text)!;
        foreach (var key in json["preAuthKeys"] as JsonArray ?? [])
        {
            key!["key"] = "";
        }

        foreach (var node in json["nodes"] as JsonArray ?? [json["node"]])
        {
            if (node?["preAuthKey"] is JsonObject key)
            {
                key["key"] = "";
            }
        }

        return json.ToJsonString();
    }
}
