using System.Text.Json.Nodes;
using Dapper;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Cli;

/// <summary>What a backup holds, and what a restore does to a gateway that runs, to one that does not, and to a damaged store.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "backup.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ARestoreEndsAllSessionsAndTakesEffectAtOnceAndIsAudited()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  default_role: viewer");
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        (await RunAsync(gateway, "backup", File)).Exit.Should().Be(0);
        using var later = new Browser(gateway);
        await later.SignInAsync(provider, "alice");
        gateway.People.Snapshot.Everyone.Count.Should().Be(2);

        var restored = await RunAsync(gateway, "restore", File);

        (restored.Exit, restored.Error).Should().Be((0, ""));
        gateway.People.Snapshot.Everyone.Should().ContainSingle();
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(302, "sessions from before the backup are over");
        (await later.GetAsync("/api/v1/node")).Status.Should().Be(302, "so are those from after it");

        // Who signs in from now on is signed in, and can be signed out.
        await browser.SignInAsync(provider, "sam");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);
        var sessions = JsonNode.Parse((await RunAsync(gateway, "sessions", "list", "--json")).Output)!.AsArray();
        var id = sessions.Should().ContainSingle().Subject!["id"]!.GetValue<long>();
        id.Should().Be(3, "numbers are not given again");
        (await RunAsync(gateway, "sessions", "revoke", $"{id}")).Exit.Should().Be(0);
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(302);

        var entry = (await gateway.StopAndReadAuditAsync()).Should().ContainSingle(one => one.Row == "restore").Subject;
        (entry.Reason, entry.Path, entry.Before, entry.After).Should().Be(("done", File, "2 people", "1 people; all sessions ended"));
    }

    [Fact]
    public async Task APersonWhoIsChangedAfterARestoreIsChanged()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    match_email: false");
        await gateway.CallAsAsync("sam", "GET", "/api/v1/node");
        await RunAsync(gateway, "backup", File);
        await RunAsync(gateway, "restore", File);

        (await RunAsync(gateway, "users", "set-role", "proxy:sam", "viewer")).Exit.Should().Be(0);

        (await gateway.CallAsAsync("sam", "GET", "/api/v1/node")).Status.Should().Be(200);
    }

    [Fact]
    public async Task ABackupIsForItsOwnerAloneAndHoldsTheAuditAndNoSessionAndNoKeyOfHeadscale()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");

        (await RunAsync(gateway, "backup", File)).Exit.Should().Be(0);
        (await RunAsync(gateway, "backup", File)).Error.Should().Contain("never overwritten");

        FileModes.Of(File).Should().Be(FileModes.OwnerOnly);
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Query<string>("select id from document order by id").Should().Contain("person/1").And
            .NotContain(one => one.StartsWith("session/", StringComparison.Ordinal));
        (await StoredState.ReadAuditAsync(File + ".audit")).Should().Contain(one => one.Row == "sign_in.oidc");
        (await System.IO.File.ReadAllTextAsync(File)).Should().NotContain(gateway.Headscale.ApiKey);
    }

    [Theory]
    [InlineData("delete from document_key where key = 'owner'", "other keys than what is in it")]
    [InlineData("update document set json = replace(json, '\"viewer\"', '\"owner\"')", "other keys than what is in it")]
    [InlineData("update document set id = 'person/77' where id = 'person/2'", "says that it is person/2")]
    [InlineData("update document set json = '{}' where id = 'person/2'", "cannot be understood")]
    [InlineData("insert into document (id, version, json) values ('other/1', 1, '{}')", "of a kind that this gateway does not know")]
    public async Task ABackupThatWasTouchedIsRefusedAndNothingIsChanged(string sql, string complaint)
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        await RunAsync(gateway, "users", "add", "--source", "proxy", "--subject", "vera", "--role", "viewer");
        await RunAsync(gateway, "backup", File);
        using (var connection = new SqliteConnection($"Data Source={File};Pooling=False;Foreign Keys=False"))
        {
            connection.Execute(sql);
        }

        var result = await RunAsync(gateway, "restore", File);

        result.Exit.Should().Be(1);
        result.Error.Should().Contain("nothing was changed").And.Contain(complaint);
        gateway.People.Snapshot.Everyone.Select(one => one.Role).Should().Equal("owner", "viewer");
    }

    [Fact]
    public async Task ATriggerInABackupDoesNotComeAlong()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        await RunAsync(gateway, "backup", File);
        using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Execute("drop index document_key_of; create trigger evil after insert on document begin delete from document; end");
        }

        (await RunAsync(gateway, "restore", File)).Exit.Should().Be(0);

        await gateway.StopAsync();
        using var store = new SqliteConnection($"Data Source={gateway.Configuration.Settings.Store.File};Mode=ReadOnly;Pooling=False");
        store.Query<string>("select name from sqlite_schema where type in ('trigger', 'index') and name not like 'sqlite_%'").Should()
            .Equal("document_key_of");
        gateway.People.Snapshot.Everyone.Should().ContainSingle();
    }

    [Theory]
    [InlineData("not a database")]
    [InlineData("")]
    public async Task WhatIsNoBackupIsNotRestored(string content)
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");

        var result = await RunAsync(gateway, "restore", _folder.File("backup.db", content));

        result.Exit.Should().Be(1);
        gateway.People.Snapshot.Everyone.Should().ContainSingle();
        (await RunAsync(gateway, "restore", File + "x")).Error.Should().Contain("does not exist");
    }

    [Fact]
    public async Task ADamagedStoreIsReplacedWhileNoGatewayRuns()
    {
        var config = _folder.File(
            "headtower.yaml", $"headscale: {{url: 'http://127.0.0.1:1'}}\nserver: {{data_path: {_folder.Path}/data}}");
        (await Verb.RunAsync("users", "add", "--source", "proxy", "--subject", "ann", "--role", "owner", "--config", config)).Exit.Should()
            .Be(0);
        (await Verb.RunAsync("backup", File, "--config", config)).Exit.Should().Be(0);
        await System.IO.File.WriteAllTextAsync(Path.Combine(_folder.Path, "data", "headtower.db"), new string('x', 5000));
        (await Verb.RunAsync("users", "list", "--config", config)).Error.Should().Contain("gateway restore");

        var restored = await Verb.RunAsync("restore", File, "--config", config);

        (restored.Exit, restored.Error).Should().Be((0, ""));
        restored.Output.Should().Contain("it was damaged");
        (await Verb.RunAsync("users", "list", "--config", config)).Output.Should().Contain("proxy:ann");
        Directory.EnumerateFiles(Path.Combine(_folder.Path, "data"), "headtower.db.before-restore-*").Should().ContainSingle();
    }

    private static Task<VerbResult> RunAsync(TestGateway gateway, params string[] arguments) =>
        Verb.RunAsync([.. arguments, "--config", gateway.Files.Config]);
}
