using Gateway.Documents;
using Gateway.Settings;
using Gateway.Store.Postgres;
using Gateway.Store.Segments;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>A backup: the documents in a SQLite file of their own, whatever kind of store they came from.</summary>
internal static class BackupFile
{
    /// <summary>Writes a new file that only its owner may read.</summary>
    /// <exception cref="StoreException">It cannot be written.</exception>
    public static async Task WriteAsync(string path, IReadOnlyList<Document> documents, CancellationToken cancel)
    {
        await using var store = new SqliteDocumentStore(SqliteFile.Open(path, path + ".audit"));
        await store.CommitAsync([.. documents.Select(one => new DocumentChange(one.Id, 0, one.Json, one.Keys))], cancel);
        store.Finish();
    }

    /// <summary>What a backup holds, also one of an earlier schema. The file itself is not changed.</summary>
    /// <exception cref="StoreException">It is no backup.</exception>
    public static async Task<IReadOnlyList<Document>> ReadAsync(string path, CancellationToken cancel)
    {
        if (SqliteFile.Inspect(path) == 0)
        {
            throw new StoreException($"{path} is empty: it is no backup");
        }

        var folder = Directory.CreateTempSubdirectory("gateway-restore-");
        try
        {
            // Nothing of what somebody may have added to the file is run: what it holds is read, by name, from a copy.
            var copy = Path.Combine(folder.FullName, "backup.db");
            File.Copy(path, copy);
            await using var store = new SqliteDocumentStore(SqliteFile.Open(copy, Path.Combine(folder.FullName, "audit")));
            return (await store.LoadAsync(cancel)).Documents;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Copies the audit into a new folder.</summary>
    public static async Task CopyAuditAsync(GatewaySettings settings, string to, CancellationToken cancel)
    {
        if (settings.Store is { Kind: StoreKind.Postgres, Connection: { } connection })
        {
            await using var server = await PostgresServer.OpenAsync(connection, cancel);
            await using var audit = new PostgresAuditStore(server, null, TimeProvider.System);
            await audit.CopyToAsync(to, cancel);
            return;
        }

        await using var segments = new SegmentAuditStore(settings.Audit.Folder, null, TimeProvider.System);
        await segments.CopyToAsync(to, cancel);
    }

    /// <summary>Puts the file of a damaged store out of the way, with what belongs to it.</summary>
    public static void MoveAside(string path, string aside)
    {
        SqliteConnection.ClearAllPools();
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
        {
            if (File.Exists(path + suffix))
            {
                File.Move(path + suffix, aside + suffix, overwrite: true);
            }
        }

        if (LiteDbFile.LogOf(path) is var log && File.Exists(log))
        {
            File.Move(log, aside + "-log", overwrite: true);
        }
    }
}
