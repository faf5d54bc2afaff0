using Dapper;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Store;
using Gateway.Store.Segments;
using Gateway.Tests.Support;
using Gateway.Users;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Store;

/// <summary>A store of an earlier gateway is taken over once, and the old one is kept.</summary>
public sealed class UpgradeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "headtower.db");

    private string Audit => Path.Combine(_folder.Path, "audit");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task EverythingIsTakenOverFromEverySchema(int schema)
    {
        MakeOld(schema);

        var file = SqliteFile.Open(File, Audit);

        file.Notice.Should().Contain($"schema {schema}").And.Contain($"{File}.schema{schema}");
        await using var state = await StoredState.OpenAsync(new SqliteDocumentStore(file));
        var people = state.People.Snapshot;
        people.Everyone.Select(one => (one.Id, one.Label, one.Role, one.Link?.HeadscaleUserId, one.Link?.Source)).Should().Equal(
            (1, "proxy:ann", Role.OwnerName, null, null), (7, "oidc:https://id.test#bob", "viewer", "6", LinkSource.Admin));
        people.Find(7)!.CreatedAt.Should().Be(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123));
        (await state.People.AddAsync(new(Source.Proxy, "", "new", null, null, null, "viewer"), null)).Should().Be(Change.Done);
        state.People.Snapshot.Find(Source.Proxy, "", "new")!.Id.Should().Be(10, "numbers up to 9 were given");
        if (schema >= 2)
        {
            var session = state.Sessions.All.Should().ContainSingle().Subject;
            (session.Id, session.Hash, session.Kind, session.PersonId).Should().Be((3, "hash", SessionKind.Oidc, (long?)7));
            state.Sessions.Find("hash").Should().Be(session);
        }

        var entries = await StoredState.ReadAuditAsync(Audit);
        entries.Select(one => (one.RequestId, one.Reason, one.Status)).Should()
            .Equal(("r1", "allowed", (int?)200), ("r2", "done", (int?)null), ("r3", "role_too_low", (int?)403));
        (await new SegmentAuditStore(Audit, null, TimeProvider.System).VerifyAsync([], default)).Problems.Should().BeEmpty();
        SegmentFile.All(Audit).Count.Should().Be(2, "the entries are of two days");
    }

    [Fact]
    public async Task TheOldOneIsKeptAsItWasAndTheSecondStartDoesNothing()
    {
        MakeOld(4);
        SqliteFile.Open(File, Audit).Close();

        using (var old = Open($"{File}.schema4"))
        {
            old.ExecuteScalar<long>("pragma user_version").Should().Be(4);
            old.ExecuteScalar<long>("select count(*) from person").Should().Be(2);
            old.ExecuteScalar<long>("select count(*) from audit").Should().Be(3);
        }

        var second = SqliteFile.Open(File, Audit);
        second.Notice.Should().BeNull();
        second.Close();
        (await StoredState.ReadAuditAsync(Audit)).Count.Should().Be(3);
    }

    [Fact]
    public async Task CheckAnnouncesItAndChangesNothing()
    {
        MakeOld(3);
        var config = _folder.File("headtower.yaml", $"headscale: {{url: 'http://127.0.0.1:1'}}\nserver: {{data_path: {_folder.Path}}}");

        var result = await Verb.RunAsync("check", "--config", config);

        result.Output.Should().Contain("is of an earlier gateway (schema 3)");
        using var old = Open(File);
        old.ExecuteScalar<long>("pragma user_version").Should().Be(3);
    }

    [Fact]
    public async Task WhatACrashLeftOfTheAuditIsBegunAgain()
    {
        MakeOld(4);
        Directory.CreateDirectory(Audit + ".importing");
        await System.IO.File.WriteAllTextAsync(Path.Combine(Audit + ".importing", "2023-11-14.jsonl"), "half");

        SqliteFile.Open(File, Audit).Close();

        (await StoredState.ReadAuditAsync(Audit)).Count.Should().Be(3);
        Directory.Exists(Audit + ".importing").Should().BeFalse();
    }

    private void MakeOld(int schema)
    {
        using var connection = Open(File);
        foreach (var script in SqliteUpgrade.Migrations.Take(schema))
        {
            connection.Execute(script);
        }

        connection.Execute($"pragma user_version = {schema}; pragma application_id = {SqliteUpgrade.ApplicationId}");
        connection.Execute(
            """
            insert into person (id, source, issuer, subject, role, created_at)
                values (1, 'proxy', '', 'ann', 'owner', 1700000000000), (9, 'proxy', '', 'gone', 'viewer', 1);
            insert into person (id, source, issuer, subject, role, created_at, headscale_user, link_fingerprint, link_source)
                values (7, 'oidc', 'https://id.test', 'bob', 'viewer', 1700000000123, '6', 'f', 'admin');
            delete from person where id = 9;
            insert into audit (at, request_id, kind, method, path, reason, status) values
                (1700000000000, 'r1', 'api', 'GET', '/x', 'allowed', 200), (1700000001000, 'r2', 'cli', 'CLI', '/y', 'done', null),
                (1700100000000, 'r3', 'api', 'GET', '/z', 'role_too_low', 403);
            """);
        if (schema >= 2)
        {
            connection.Execute(
                "insert into session (id, hash, kind, person_id, created_at, expires_at, last_used_at) values (3, 'hash', 'oidc', 7, "
                + "1, 2, 1)");
        }
    }

    private static SqliteConnection Open(string file)
    {
        var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        return connection;
    }
}
