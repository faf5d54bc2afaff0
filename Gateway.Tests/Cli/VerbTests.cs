using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>The command line, as its user meets it.</summary>
public sealed class VerbTests
{
    [Fact]
    public async Task WithoutAConfigurationItSaysWhereItLooked()
    {
        var result = await Verb.RunAsync("check", "--config", "/nowhere/headtower.yaml");

        Assert.Equal(1, result.Exit);
        Assert.Contains("/nowhere/headtower.yaml", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("frob")]
    [InlineData("users")]
    [InlineData("users", "frob")]
    [InlineData("users", "add", "--source", "ldap", "--subject", "x", "--role", "viewer")]
    [InlineData("explain", "GET")]
    [InlineData("explain", "GET", "/x", "--role", "viewer", "--user", "1")]
    [InlineData("explain", "GET", "/x", "--headscale-version", "new")]
    [InlineData("audit", "--since", "yesterday")]
    [InlineData("backup")]
    public async Task WhatItDoesNotUnderstandEndsWithTwo(params string[] arguments)
    {
        var result = await Verb.RunAsync(arguments);

        Assert.Equal((2, ""), (result.Exit, result.Output));
        Assert.Contains("--help", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HelpAndVersionNeedNoConfiguration()
    {
        var help = await Verb.RunAsync("--help");
        Assert.Equal(0, help.Exit);
        Assert.All(new[] { "serve", "check", "explain", "users", "audit", "backup", "restore", "healthcheck", "version" }, verb => Assert.Contains(verb, help.Output, StringComparison.Ordinal));

        var version = await Verb.RunAsync("version");
        Assert.Equal(0, version.Exit);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.Output);
    }

    [Fact]
    public async Task CheckReportsEverythingAtOnceWithItsPlace()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("headtower.yaml", "headscale:\n  url: nonsense\nserver:\n  lisen: x\n  proxy_auth:\n    enabled: true\n    allowed_cidrs: [0.0.0.0/0, 010.0.0.1]\n");

        var result = await Verb.RunAsync("check", "--config", file);

        Assert.Equal(1, result.Exit);
        Assert.All(new[] { $"{file}:2:", $"{file}:4:", $"{file}:7:", "did you mean 'listen'?" }, text => Assert.Contains(text, result.Output, StringComparison.Ordinal));
        var json = JsonNode.Parse((await Verb.RunAsync("check", "--json", "--config", file)).Output)!;
        Assert.False(json["ok"]!.GetValue<bool>());
        Assert.True(json["errors"]!.AsArray().Count >= 4);
    }

    [Theory]
    [InlineData(26)]
    [InlineData(30)]
    public async Task CheckOnlineAsksHeadscale(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        Assert.Equal(0, (await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config)).Exit);

        gateway.Headscale.Tailnet.ApiKeys.Clear();
        var rejected = await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config);
        Assert.Equal(1, rejected.Exit);
        Assert.Contains("headscale.api_key", rejected.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecretsComeFromFilesAndTheEnvironmentAndAreNeverPrinted()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var secret = folder.File("key", gateway.Headscale.ApiKey + "\n");
        var file = folder.File("headtower.yaml", $"headscale: {{url: {gateway.Headscale.Url}, api_key_path: {secret}}}\nserver: {{data_path: {folder.Path}}}");

        var fromFile = await Verb.RunAsync("check", "--online", "--config", file);
        Assert.Equal((0, ""), (fromFile.Exit, fromFile.Error));
        var wrong = await Verb.RunAsync(["check", "--online"], [("HEADTOWER_CONFIG", file), ("HEADTOWER_HEADSCALE__API_KEY_PATH", ""), ("HEADTOWER_HEADSCALE__API_KEY", "hskey-api-wrong-secret")]);
        Assert.Equal(1, wrong.Exit);
        Assert.DoesNotContain("wrong-secret", wrong.Output + wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PeopleAreAddedChangedLinkedAndRemovedAndTheRunningGatewayNotices()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    match_email: false");
        Task<VerbResult> UsersAsync(params string[] arguments) => Verb.RunAsync(["users", .. arguments, "--config", gateway.Files.Config]);

        Assert.Equal(0, (await UsersAsync("add", "--source", "proxy", "--subject", "sam", "--role", "viewer", "--headscale-user", "7")).Exit);
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status == 200, "sam is a viewer");
        Assert.Equal(0, (await UsersAsync("set-role", "proxy:sam", "member")).Exit);
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status == 403, "sam's role is taken away");
        Assert.Equal(0, (await UsersAsync("set-role", "proxy:sam", "self_service")).Exit);
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Text.Contains("sam-laptop", StringComparison.Ordinal), "sam sees their own node");

        var shown = await UsersAsync("show", "proxy:sam");
        Assert.Contains("self_service", shown.Output, StringComparison.Ordinal);
        var listed = JsonNode.Parse((await UsersAsync("list", "--json")).Output)!.AsArray();
        Assert.Equal(("sam", "7", "admin"), ($"{listed[0]!["subject"]}", $"{listed[0]!["headscaleUser"]}", $"{listed[0]!["linkSource"]}"));

        Assert.Equal(0, (await UsersAsync("add", "--source", "proxy", "--subject", "eve", "--role", "viewer")).Exit);
        await Refused("linked to somebody else", "link", "proxy:eve", "7");
        await Refused("no user with the id", "link", "proxy:eve", "999");
        await Refused("ids are numbers", "link", "proxy:eve", "bob");
        await Refused("did you mean 'viewer'?", "set-role", "proxy:eve", "viewr");
        await Refused("there is no person", "show", "proxy:nobody");
        await Refused("exists already", "add", "--source", "proxy", "--subject", "eve", "--role", "viewer");
        Assert.Equal(0, (await UsersAsync("transfer-ownership", "proxy:eve")).Exit);
        await Refused("is the owner", "set-role", "proxy:eve", "admin");
        await Refused("is the owner", "remove", "proxy:eve");
        Assert.Equal(0, (await UsersAsync("unlink", "proxy:sam")).Exit);
        Assert.Equal(0, (await UsersAsync("remove", "proxy:sam")).Exit);
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status == 403, "sam starts over");

        var audit = await Verb.RunAsync("audit", "--json", "--since", "1h", "--config", gateway.Files.Config);
        Assert.Equal(
            ["users.add", "users.set-role", "users.set-role", "users.add", "users.transfer-ownership", "users.unlink", "users.remove"],
            audit.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).Where(one => $"{one["kind"]}" == "cli").Select(one => $"{one["row"]}"));

        async Task Refused(string says, params string[] arguments)
        {
            var result = await UsersAsync(arguments);
            Assert.Equal(1, result.Exit);
            Assert.Contains(says, result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ExplainSaysWhatWouldBeSentOrWhatIsMissing()
    {
        await using var gateway = await TestGateway.StartAsync();
        Task<VerbResult> ExplainAsync(params string[] arguments) => Verb.RunAsync(["explain", .. arguments, "--config", gateway.Files.Config]);

        var allowed = await ExplainAsync("POST", "/api/v1/node/17/expire", "--role", "self_service", "--headscale-user", "7");
        Assert.Equal(0, allowed.Exit);
        Assert.Contains("sends POST /api/v1/node/17/expire", allowed.Output, StringComparison.Ordinal);

        var refused = await ExplainAsync("DELETE", "/api/v1/node/11", "--role", "viewer", "--json");
        Assert.Equal(1, refused.Exit);
        var json = JsonNode.Parse(refused.Output)!;
        Assert.Equal(("role_too_low", 403, "nodes.delete", "write_machines"), ($"{json["reason"]}", json["status"]!.GetValue<int>(), $"{json["row"]}", $"{json["lacks"]}"));

        Assert.Contains("did you mean 'viewer'?", (await ExplainAsync("GET", "/api/v1/node", "--role", "viwer")).Error, StringComparison.Ordinal);
        Assert.Contains("sign_in_required", (await ExplainAsync("GET", "/api/v1/node")).Output, StringComparison.Ordinal);
        Assert.Contains("no row", (await ExplainAsync("GET", "/api/v1/frob", "--role", "owner")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BackupAndRestoreWorkUnderARunningGateway()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "backup.db");
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        Assert.Equal(0, (await Verb.RunAsync("backup", file, "--config", gateway.Files.Config)).Exit);
        Assert.Contains("never overwritten", (await Verb.RunAsync("backup", file, "--config", gateway.Files.Config)).Error, StringComparison.Ordinal);
        await gateway.CallAsAsync("late", "GET", "/api/v1/node");
        Assert.Equal(2, gateway.People.Snapshot.Everyone.Count);

        Assert.Equal(0, (await Verb.RunAsync("restore", file, "--config", gateway.Files.Config)).Exit);

        await Until.TrueAsync(() => gateway.People.Snapshot.Everyone.Count == 1, "the running gateway reads the restored store");
        Assert.Contains("does not exist", (await Verb.RunAsync("restore", file + "x", "--config", gateway.Files.Config)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HealthcheckTellsARunningGatewayFromNone()
    {
        await using var headscale = await Gateway.Sandbox.StandIns.HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        var gateway = await GatewayProcess.StartAsync(folder.Path, TestGateway.Yaml(headscale, folder.Path, port: port), port, quiet: true, default);

        Assert.Equal(0, (await Verb.RunAsync("healthcheck", "--config", gateway.ConfigFile)).Exit);
        await gateway.DisposeAsync();
        Assert.Equal(1, (await Verb.RunAsync("healthcheck", "--config", gateway.ConfigFile)).Exit);
    }

    [Fact]
    public async Task ItDoesNotStartOnAStoreItCannotUse()
    {
        using var folder = new TemporaryFolder();
        folder.File("headtower.db", new string('x', 5000));
        var file = folder.File("headtower.yaml", $"headscale: {{url: http://127.0.0.1:1}}\nserver: {{data_path: {folder.Path}, listen: ['http://127.0.0.1:0']}}");

        var result = await Verb.RunAsync("serve", "--config", file);

        Assert.Equal(1, result.Exit);
        Assert.Contains("gateway restore", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APortThatIsTakenIsNamed()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var file = folder.File("headtower.yaml", $"headscale: {{url: http://127.0.0.1:1}}\nserver: {{data_path: {folder.Path}, listen: ['http://127.0.0.1:{gateway.Url.Port}']}}");

        var result = await Verb.RunAsync("serve", "--config", file);

        Assert.Equal(1, result.Exit);
        Assert.Contains($"{gateway.Url.Port}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}
