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

        result.Exit.Should().Be(1);
        (result.Output + result.Error).Should().Contain("/nowhere/headtower.yaml");
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
    [InlineData("audit", "--since", "99999999999h")]
    [InlineData("backup")]
    public async Task WhatItDoesNotUnderstandEndsWithTwo(params string[] arguments)
    {
        var result = await Verb.RunAsync(arguments);

        (result.Exit, result.Output).Should().Be((2, ""));
        result.Error.Should().Contain("--help");
    }

    [Fact]
    public async Task TheShippedPolicyIsExplainedWithoutAConfiguration()
    {
        using var folder = new TemporaryFolder();
        (string, string)[] nowhere = [("HOME", folder.Path)];

        var refused = await Verb.RunAsync(["explain", "DELETE", "/api/v1/node/1", "--role", "viewer"], nowhere);
        var allowed = await Verb.RunAsync(["explain", "GET", "/api/v1/node", "--role", "auditor"], nowhere);

        (refused.Exit, allowed.Exit).Should().Be((1, 0), refused.Error + allowed.Error);
        refused.Output.Should().Contain("write_machines");
        allowed.Error.Should().Contain("judged by the shipped policy");
    }

    [Fact]
    public async Task HelpAndVersionNeedNoConfiguration()
    {
        var help = await Verb.RunAsync("--help");
        help.Exit.Should().Be(0);
        (new[] { "serve", "check", "explain", "users", "audit", "backup", "restore", "healthcheck", "version" }).Should()
            .AllSatisfy(verb => help.Output.Should().Contain(verb));

        var version = await Verb.RunAsync("version");
        version.Exit.Should().Be(0);
        version.Output.Should().MatchRegex(@"^\d+\.\d+\.\d+");
    }

    [Fact]
    public async Task CheckReportsEverythingAtOnceWithItsPlace()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File(
            "headtower.yaml",
            "headscale:\n  url: nonsense\nserver:\n  lisen: x\n  proxy_auth:\n    enabled: true\n    allowed_cidrs: [0.0.0.0/0, "
            + "010.0.0.1]\n");

        var result = await Verb.RunAsync("check", "--config", file);

        result.Exit.Should().Be(1);
        (new[] { $"{file}:2:", $"{file}:4:", $"{file}:7:", "did you mean 'listen'?" }).Should()
            .AllSatisfy(text => result.Output.Should().Contain(text));
        var json = JsonNode.Parse((await Verb.RunAsync("check", "--json", "--config", file)).Output)!;
        json["ok"]!.GetValue<bool>().Should().BeFalse();
        (json["errors"]!.AsArray().Count >= 4).Should().BeTrue();
    }

    [Fact]
    public async Task CheckWarnsOfSecretsAndAStoreThatOthersMayRead()
    {
        using var folder = new TemporaryFolder();
        var key = folder.File("key", "hskey-api-abcdefghijkl-" + new string('a', 64));
        var open = folder.File(
            "open.yaml",
            $"headscale: {{url: http://127.0.0.1:1, api_key: hskey-api-abcdefghijkl-{new string('a', 64)}}}\nserver: {{data_path: "
            + $"{folder.Path}}}\nstore: {{encryption_key: secret}}");
        FileModes.Set(open, FileModes.OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        FileModes.Set(folder.Path, (UnixFileMode)0b111_101_101);

        var warned = (await Verb.RunAsync("check", "--config", open)).Output;
        warned.Should().Contain($"{open}:1:").And.Contain("api_key_path").And.Contain("encryption_key_path").And
            .Contain($"chmod 700 {folder.Path}");
        FileModes.Set(open, FileModes.OwnerOnly);
        FileModes.Set(folder.Path, (UnixFileMode)0b111_000_000);
        (await Verb.RunAsync("check", "--config", open)).Output.Should().NotContain("everybody on this machine").And.NotContain("chmod");
        var closed = folder.File(
            "closed.yaml", $"headscale: {{url: http://127.0.0.1:1, api_key_path: {key}}}\nserver: {{data_path: {folder.Path}}}");
        (await Verb.RunAsync("check", "--config", closed)).Output.Should().Contain($"may read {key}; close it with: chmod 600 {key}");
        FileModes.Set(key, FileModes.OwnerOnly);
        (await Verb.RunAsync("check", "--config", closed)).Output.Should().NotContain("everybody on this machine");
    }

    [Theory]
    [InlineData(26)]
    [InlineData(30)]
    public async Task CheckOnlineAsksHeadscale(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        (await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config)).Exit.Should().Be(0);

        gateway.Headscale.Tailnet.ApiKeys.Clear();
        var rejected = await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config);
        rejected.Exit.Should().Be(1);
        rejected.Output.Should().Contain("headscale.api_key");
    }

    [Fact]
    public async Task SecretsComeFromFilesAndTheEnvironmentAndAreNeverPrinted()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var secret = folder.File("key", gateway.Headscale.ApiKey + "\n");
        var file = folder.File(
            "headtower.yaml", $"headscale: {{url: {gateway.Headscale.Url}, api_key_path: {secret}}}\nserver: {{data_path: {folder.Path}}}");

        var fromFile = await Verb.RunAsync("check", "--online", "--config", file);
        (fromFile.Exit, fromFile.Error).Should().Be((0, ""));
        var wrong = await Verb.RunAsync(
            ["check", "--online"],
            [("HEADTOWER_CONFIG", file), ("HEADTOWER_HEADSCALE__API_KEY_PATH", ""),
                ("HEADTOWER_HEADSCALE__API_KEY", "hskey-api-wrong-secret")]);
        wrong.Exit.Should().Be(1);
        (wrong.Output + wrong.Error).Should().NotContain("wrong-secret");
    }

    [Fact]
    public async Task PeopleAreAddedChangedLinkedAndRemovedAndTheRunningGatewayNotices()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    match_email: false");
        Task<VerbResult> UsersAsync(params string[] arguments) => Verb.RunAsync(["users", .. arguments, "--config", gateway.Files.Config]);

        (await UsersAsync("add", "--source", "proxy", "--subject", "sam", "--role", "viewer", "--headscale-user", "7")).Exit.Should().Be(0);
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status == 200, "sam is a viewer");
        (await UsersAsync("set-role", "proxy:sam", "member")).Exit.Should().Be(0);
        await Until.TrueAsync(
            async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status == 403, "sam's role is taken away");
        (await UsersAsync("set-role", "proxy:sam", "self_service")).Exit.Should().Be(0);
        await Until.TrueAsync(
            async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Text.Contains("sam-laptop", StringComparison.Ordinal),
            "sam sees their own node");

        var shown = await UsersAsync("show", "proxy:sam");
        shown.Output.Should().Contain("self_service");
        var listed = JsonNode.Parse((await UsersAsync("list", "--json")).Output)!.AsArray();
        ($"{listed[0]!["subject"]}", $"{listed[0]!["headscaleUser"]}", $"{listed[0]!["linkSource"]}").Should().Be(("sam", "7", "admin"));

        (await UsersAsync("add", "--source", "proxy", "--subject", "eve", "--role", "viewer")).Exit.Should().Be(0);
        await Refused("linked to somebody else", "link", "proxy:eve", "7");
        await Refused("no user with the id", "link", "proxy:eve", "999");
        await Refused("ids are numbers", "link", "proxy:eve", "bob");
        await Refused("did you mean 'viewer'?", "set-role", "proxy:eve", "viewr");
        await Refused("there is no person", "show", "proxy:nobody");
        await Refused("exists already", "add", "--source", "proxy", "--subject", "eve", "--role", "viewer");
        (await UsersAsync("transfer-ownership", "proxy:eve")).Exit.Should().Be(0);
        await Refused("is the owner", "set-role", "proxy:eve", "admin");
        await Refused("is the owner", "remove", "proxy:eve");
        (await UsersAsync("unlink", "proxy:sam")).Exit.Should().Be(0);
        (await UsersAsync("remove", "proxy:sam")).Exit.Should().Be(0);
        await Until.TrueAsync(async () => (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status == 403, "sam starts over");

        var audit = await Verb.RunAsync("audit", "--json", "--since", "1h", "--config", gateway.Files.Config);
        (await Verb.RunAsync("audit", "--json", "--since", "2147483647h", "--config", gateway.Files.Config)).Should().Be(audit);
        audit.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
            .Where(one => $"{one["kind"]}" == "cli" && $"{one["reason"]}" == "done")
            .Select(one => $"{one["row"]} {one["path"]}: {one["before"] ?? "-"} -> {one["after"]}").Should().Equal(
            [
                "people.add proxy:sam: - -> viewer, Headscale user 7", "people.role proxy:sam: viewer, by hand -> member, by hand",
                "people.role proxy:sam: member, by hand -> self_service, by hand",
                "people.add proxy:eve: - -> viewer, Headscale user none", "people.owner proxy:eve: viewer -> owner",
                "people.unlink proxy:sam: 7 -> none", "people.remove proxy:sam: self_service, Headscale user none -> nobody",
            ]);

        async Task Refused(string says, params string[] arguments)
        {
            var result = await UsersAsync(arguments);
            result.Exit.Should().Be(1);
            result.Error.Should().Contain(says);
        }
    }

    [Fact]
    public async Task ExplainSaysWhatWouldBeSentOrWhatIsMissing()
    {
        await using var gateway = await TestGateway.StartAsync();
        Task<VerbResult> ExplainAsync(params string[] arguments) =>
            Verb.RunAsync(["explain", .. arguments, "--config", gateway.Files.Config]);

        var allowed = await ExplainAsync("POST", "/api/v1/node/17/expire", "--role", "self_service", "--headscale-user", "7");
        allowed.Exit.Should().Be(0);
        allowed.Output.Should().Contain("sends POST /api/v1/node/17/expire");

        var refused = await ExplainAsync("DELETE", "/api/v1/node/11", "--role", "viewer", "--json");
        refused.Exit.Should().Be(1);
        var json = JsonNode.Parse(refused.Output)!;
        ($"{json["reason"]}", json["status"]!.GetValue<int>(), $"{json["row"]}", $"{json["lacks"]}").Should()
            .Be(("role_too_low", 403, "nodes.delete", "write_machines"));

        (await ExplainAsync("GET", "/api/v1/node", "--role", "viwer")).Error.Should().Contain("did you mean 'viewer'?");
        (await ExplainAsync("GET", "/api/v1/node")).Output.Should().Contain("sign_in_required");
        (await ExplainAsync("GET", "/api/v1/frob", "--role", "owner")).Output.Should().Contain("no row");
    }

    [Fact]
    public async Task BackupAndRestoreWorkUnderARunningGateway()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "backup.db");
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        (await Verb.RunAsync("backup", file, "--config", gateway.Files.Config)).Exit.Should().Be(0);
        (await Verb.RunAsync("backup", file, "--config", gateway.Files.Config)).Error.Should().Contain("never overwritten");
        await gateway.CallAsAsync("late", "GET", "/api/v1/node");
        gateway.People.Snapshot.Everyone.Count.Should().Be(2);

        (await Verb.RunAsync("restore", file, "--config", gateway.Files.Config)).Exit.Should().Be(0);

        await Until.TrueAsync(() => gateway.People.Snapshot.Everyone.Count == 1, "the running gateway reads the restored store");
        (await Verb.RunAsync("restore", file + "x", "--config", gateway.Files.Config)).Error.Should().Contain("does not exist");
    }

    [Fact]
    public async Task HealthcheckTellsARunningGatewayFromNone()
    {
        await using var headscale = await Gateway.Sandbox.StandIns.HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        var gateway = await GatewayProcess.StartAsync(
            folder.Path, TestGateway.Yaml(headscale, folder.Path, port: port), port, quiet: true, default);

        (await Verb.RunAsync("healthcheck", "--config", gateway.ConfigFile)).Exit.Should().Be(0);
        await gateway.DisposeAsync();
        (await Verb.RunAsync("healthcheck", "--config", gateway.ConfigFile)).Exit.Should().Be(1);
    }

    [Fact]
    public async Task ItDoesNotStartOnAStoreItCannotUse()
    {
        using var folder = new TemporaryFolder();
        folder.File("headtower.db", new string('x', 5000));
        var file = folder.File(
            "headtower.yaml",
            $"headscale: {{url: http://127.0.0.1:1}}\nserver: {{data_path: {folder.Path}, listen: ['http://127.0.0.1:0']}}");

        var result = await Verb.RunAsync("serve", "--config", file);

        result.Exit.Should().Be(1);
        result.Error.Should().Contain("gateway restore");
        result.Error.Should().NotContain("   at ");
    }

    [Fact]
    public async Task APortThatIsTakenIsNamed()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var folder = new TemporaryFolder();
        var file = folder.File(
            "headtower.yaml",
            $"headscale: {{url: http://127.0.0.1:1}}\nserver: {{data_path: {folder.Path}, listen: "
            + $"['http://127.0.0.1:{gateway.Url.Port}']}}");

        var result = await Verb.RunAsync("serve", "--config", file);

        result.Exit.Should().Be(1);
        result.Error.Should().Contain($"{gateway.Url.Port}");
        result.Error.Should().NotContain("   at ");
    }
}
