using System.Collections.Frozen;
using Dapper;
using Gateway.Documents;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>
/// Documents in one SQLite file that belongs to this process. A commit is on the disk when it returns (synchronous=full).
/// </summary>
internal sealed class SqliteDocumentStore(SqliteFile file, StoreLock? held = null) : IDocumentStore
{
    private readonly Lock _writing = new();

    public string Name => file.Path;

    public bool IsShared => false;

    public Task<StoreContents> LoadAsync(CancellationToken cancel) => Task.FromResult(file.Use(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        var keys = connection.Query<(string Id, string Key)>(
            "select id, key from document_key", transaction: transaction).ToLookup(one => one.Id, one => one.Key);
        var documents = connection.Query<(string Id, long Version, string Json)>(
            "select id, version, json from document", transaction: transaction)
            .Select(one => new Document(one.Id, one.Version, one.Json, [.. keys[one.Id]]));
        return new StoreContents(0, [.. documents]);
    }));

    public Task<CommitOutcome> CommitAsync(IReadOnlyList<DocumentChange> changes, CancellationToken cancel)
    {
        lock (_writing)
        {
            try
            {
                return Task.FromResult(file.Change((connection, transaction) => Commit(connection, transaction, changes)));
            }
            catch (SqliteException e) when (e.SqliteErrorCode is SqliteErrors.Constraint)
            {
                return Task.FromResult(CommitOutcome.Conflict);
            }
        }
    }

    public Task WaitForOthersAsync(long position, CancellationToken cancel) => Task.CompletedTask;

    public Task<StoreChanges> ReadChangesAsync(long position, CancellationToken cancel) =>
        Task.FromResult(new StoreChanges(position, [], [], IsWhole: false));

    /// <summary>Makes one file of it, to be carried away.</summary>
    public void Finish() => file.Use(connection => connection.Execute("pragma journal_mode = delete"));

    public ValueTask DisposeAsync()
    {
        file.Close();
        held?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes the changes inside a transaction of the caller's, which must not be committed when this is a conflict.</summary>
    public static CommitOutcome Commit(SqliteConnection connection, SqliteTransaction transaction, IReadOnlyList<DocumentChange> changes)
    {
        var ids = changes.Select(one => one.Id).ToFrozenSet(StringComparer.Ordinal);
        if (ids.Count != changes.Count)
        {
            throw new ArgumentException("a document is changed twice in one commit", nameof(changes));
        }

        // All let go of their keys before any takes one.
        connection.Execute("delete from document_key where id = @Id", changes.Where(one => one.Expected > 0), transaction);
        foreach (var change in changes)
        {
            var rows = change switch
            {
                { Json: null } => connection.Execute("delete from document where id = @Id and version = @Expected", change, transaction),
                { Expected: 0 } =>
                    connection.Execute(
                        "insert into document (id, version, json) values (@Id, 1, @Json) on conflict do nothing", change, transaction),
                _ =>
                    connection.Execute(
                        "update document set version = version + 1, json = @Json where id = @Id and version = @Expected", change,
                        transaction),
            };
            if (rows != 1)
            {
                transaction.Rollback();
                return CommitOutcome.Conflict;
            }
        }

        connection.Execute(
            "insert into document_key (key, id) values (@key, @Id)", changes.SelectMany(one => one.Keys.Select(key => new { key, one.Id })),
            transaction);
        return CommitOutcome.Done;
    }
}
