using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>State and audit go from one kind of store to another, and nothing is lost on the way.</summary>
[Collection(PostgresCollection.Name)]
public sealed class MigrateStoreTests(PostgresCluster cluster) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string? _connection;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Ways
    {
        get
        {
            // Each kind is left once and come to once: what lies between is the same documents for all.
            return RealComponents.WithoutPostgres is null
                ? new() { { "sqlite", "litedb" }, { "litedb", "postgres" }, { "postgres", "sqlite" } }
                : new() { { "sqlite", "litedb" }, { "litedb", "sqlite" } };
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task EverythingArrives(string from, string to)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        Sandbox.People.Settle(headscale);
        _connection = RealComponents.WithoutPostgres is null ? await cluster.MakeDatabaseAsync() : "";
        string[] old = ["--config", Config(headscale, from)];
        (await Verb.RunAsync(["users", "add", "--source", "proxy", "--subject", "ann", "--role", "owner", .. old])).Exit.Should().Be(0);
        (await Verb.RunAsync(["users", "add", "--source", "proxy", "--subject", "Bob", "--role", "viewer", "--headscale-user", "7",
            .. old])).Exit.Should()
            .Be(0);
        (await Verb.RunAsync(["users", "add", "--source", "proxy", "--subject", "gone", "--role", "viewer", .. old])).Exit.Should().Be(0);
        (await Verb.RunAsync(["users", "remove", "proxy:gone", .. old])).Exit.Should().Be(0);
        var (people, audit) = ((await Verb.RunAsync(["users", "list", "--json", .. old])).Output, await AuditAsync(old));
        audit.Should().HaveCount(4);

        var moved = await Verb.RunAsync(["migrate-store", to, "--connection-path", _folder.File("connection", _connection + "\n"), .. old]);

        (moved.Exit, moved.Error).Should().Be((0, ""));
        moved.Output.Should().Contain($"set store.kind to {to}");
        string[] fresh = ["--config", Config(headscale, to)];
        (await Verb.RunAsync(["users", "list", "--json", .. fresh])).Output.Should().Be(people);
        (await AuditAsync(fresh)).Should().Equal(audit);
        (await Verb.RunAsync(["audit", "verify", .. fresh])).Output.Should().Contain("The audit is as it was written");
        (await Verb.RunAsync(["users", "add", "--source", "proxy", "--subject", "new", "--role", "viewer", .. fresh])).Exit.Should().Be(0);
        (await Verb.RunAsync(["users", "show", "4", .. fresh])).Output.Should().Contain("proxy:new", "numbers are not given again");
        (await Verb.RunAsync(["migrate-store", to, "--connection-path", Path.Combine(_folder.Path, "connection"), .. old])).Error.Should()
            .Contain("nothing was copied");
    }

    [Fact]
    public async Task WhatCannotBeMovedIsSaid()
    {
        await using var gateway = await TestGateway.StartAsync();

        (await Verb.RunAsync("migrate-store", "litedb", "--config", gateway.Files.Config)).Error.Should().Contain("another gateway uses");
        (await Verb.RunAsync("migrate-store", "sqlite", "--config", gateway.Files.Config)).Error.Should().Contain("sqlite already");
        (await Verb.RunAsync("migrate-store", "postgres", "--config", gateway.Files.Config)).Error.Should()
            .Contain("--connection-path is missing");
    }

    /// <summary>What the audit says, without the positions that differ from kind to kind.</summary>
    private static async Task<IReadOnlyList<string>> AuditAsync(string[] config) =>
        [.. (await Verb.RunAsync(["audit", .. config])).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    private string Config(HeadscaleStandIn headscale, string kind) => _folder.File($"{kind}.yaml", $$"""
        headscale: {url: '{{headscale.Url.GetLeftPart(UriPartial.Authority)}}', api_key: {{headscale.ApiKey}}}
        server: {data_path: {{_folder.Path}}/data}
        store: {kind: {{kind}}{{(kind == "postgres" ? $", connection: '{_connection}'" : "")}}}

        """);
}
