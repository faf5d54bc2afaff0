using System.Text.Json.Nodes;
using Gateway.Documents;
using Gateway.Settings;
using Gateway.Store.Postgres;
using Gateway.Tests.Support;

namespace Gateway.Tests.Store;

/// <summary>What is PostgreSQL's alone: reaching it, making the tables once, and hearing of others.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresServerTests(PostgresCluster cluster)
{
    private string? _connection;

    [PostgresFact]
    public async Task AServerThatCannotBeUsedIsRefusedInWordsWithoutThePassword()
    {
        _connection = await cluster.MakeDatabaseAsync();
        foreach (var (connection, complaint) in new[]
        {
            (_connection.Replace("gate-pw", "wrong-pw", StringComparison.Ordinal), "refuses the user or the password"),
            (_connection.Replace("gateway_", "nowhere_", StringComparison.Ordinal), "no such database"),
            ("Host=127.0.0.1;Port=1;Username=gate;Password=gate-pw", "cannot be reached"),
            ("nonsense gate-pw", "neither of the form"),
        })
        {
            var message = (await FluentActions.Awaiting(() => PostgresServer.OpenAsync(new Secret(connection), default)).Should()
                .ThrowAsync<StoreException>()).Which.Message;
            message.Should().Contain(complaint).And.NotContain("-pw");
        }
    }

    [PostgresFact]
    public async Task AUrlWorksAsWell()
    {
        _connection = await cluster.MakeDatabaseAsync();
        var parts = _connection.Split(';').Select(one => one.Split('=')).ToDictionary(one => one[0], one => one[1]);
        await using var server = await PostgresServer.OpenAsync(
            new Secret(
                $"postgres://{parts["Username"]}:{parts["Password"]}@{parts["Host"]}:{parts["Port"]}/{parts["Database"]}?sslmode=prefer"),
            default);
        server.Name.Should().Be($"PostgreSQL 127.0.0.1/{parts["Database"]}");
    }

    [PostgresFact]
    public async Task OfManyWhoStartAtOnceOneMakesTheTables()
    {
        _connection = await cluster.MakeDatabaseAsync();
        foreach (var server in await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => PostgresServer.OpenAsync(new Secret(_connection), default))))
        {
            await server.DisposeAsync();
        }

        (await PostgresServer.InspectAsync(new Secret(_connection), default)).Should().Be(1);
    }

    [PostgresFact]
    public async Task WhatOneProcessCommitsAnotherIsToldAndAlsoWhatItDeleted()
    {
        _connection = await cluster.MakeDatabaseAsync();
        await using var one = await OpenAsync();
        await one.CommitAsync([Put("counter/x", 0, "x", "k")], default);
        await using var other = await OpenAsync();
        var position = (await other.LoadAsync(default)).Position;

        await one.CommitAsync([new("counter/x", 1, null, []), Put("counter/y", 0, "y", "k")], default);
        await other.WaitForOthersAsync(position, default);
        var changes = await other.ReadChangesAsync(position, default);

        (changes.IsWhole, string.Join(' ', changes.Changed.Select(one => one.Id)), string.Join(' ', changes.Removed)).Should()
            .Be((false, "counter/y", "counter/x"));
        (await other.ReadChangesAsync(changes.Position, default)).Changed.Should().BeEmpty();
        (await other.ReadChangesAsync(changes.Position + 5, default)).IsWhole.Should().BeTrue("a server that knows less took over");
    }

    private static DocumentChange Put(string id, long expected, string text, params string[] keys) =>
        new(id, expected, new JsonObject { ["text"] = text }.ToJsonString(), keys);

    private async Task<PostgresDocumentStore> OpenAsync() => new(await PostgresServer.OpenAsync(new Secret(_connection!), default));
}
