using Gateway.Documents;
using Gateway.Settings;
using LiteDB;

namespace Gateway.Store;

/// <summary>
/// Documents in one LiteDB file that belongs to this process. LiteDB 5.0.21 never brings its log to the disk (litedb #2818), has
/// no checksums (#2935), cannot be shared (#2163), and its Rebuild fails (#2827): all four are made good here.
/// </summary>
internal sealed class LiteDbDocumentStore : IDocumentStore
{
    /// <summary>How large the log grows before it is put into the file.</summary>
    private const long LargestLog = 8 * 1024 * 1024;

    /// <summary>What is kept free on the disk, besides what a commit may take.</summary>
    private const long LeastRoom = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly StoreLock? _held;
    private readonly LiteDatabase _database;
    private readonly string _log;
    private bool _isClosed;

    private LiteDbDocumentStore(string path, LiteDatabase database, StoreLock? held) =>
        (Name, _log, _database, _held) = (path, LiteDbFile.LogOf(path), database, held);

    public string Name { get; }

    public bool IsShared => false;

    private ILiteCollection<BsonDocument> Documents => _database.GetCollection("document");

    private ILiteCollection<BsonDocument> Keys => _database.GetCollection("document_key");

    /// <summary>Opens the file, making it first where it does not exist.</summary>
    /// <param name="held">The store's lock, which goes with it.</param>
    /// <exception cref="StoreException">It cannot be used; the message says why and what to do.</exception>
    public static LiteDbDocumentStore Open(string path, StoreLock? held = null) => LiteDbFile.Guarded(path, () =>
    {
        PrivateFiles.MakeFolderOf(path);
        LiteDbFile.CompactWhereItPays(path);
        return new LiteDbDocumentStore(path, LiteDbFile.Open(path), held);
    });

    /// <summary>Whether there is a file that can be used. Nothing is changed.</summary>
    /// <exception cref="StoreException">It cannot be used.</exception>
    public static bool Inspect(string path) => File.Exists(path) && LiteDbFile.Guarded(path, () =>
    {
        using var database = new LiteDatabase(LiteDbFile.Connection(path) + ";ReadOnly=true");
        LiteDbFile.CheckSchema(path, database);
        return LiteDbFile.Read(path, database).Count >= 0;
    });

    public Task<StoreContents> LoadAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            return Task.FromResult(new StoreContents(0, LiteDbFile.Guarded(Name, () => LiteDbFile.Read(Name, _database))));
        }
    }

    public Task<CommitOutcome> CommitAsync(IReadOnlyList<DocumentChange> changes, CancellationToken cancel)
    {
        lock (_gate)
        {
            return Task.FromResult(LiteDbFile.Guarded(Name, () => Commit(changes)));
        }
    }

    public Task WaitForOthersAsync(long position, CancellationToken cancel) => Task.CompletedTask;

    public Task<StoreChanges> ReadChangesAsync(long position, CancellationToken cancel) =>
        Task.FromResult(new StoreChanges(position, [], [], IsWhole: false));

    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return ValueTask.CompletedTask;
            }

            _isClosed = true;
            TryCheckpoint();
            _database.Dispose();
            _held?.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private CommitOutcome Commit(IReadOnlyList<DocumentChange> changes)
    {
        RequireRoom(changes.Sum(one => one.Json?.Length ?? 0) * 4L);
        _database.BeginTrans();
        try
        {
            if (!TryWrite(changes))
            {
                _database.Rollback();
                return CommitOutcome.Conflict;
            }

            _database.Commit();
        }
        catch (LiteException e) when (e.ErrorCode == LiteException.INDEX_DUPLICATE_KEY)
        {
            _database.Rollback();
            return CommitOutcome.Conflict;
        }
        catch
        {
            TryRollback();
            throw;
        }

        FlushLog();
        if (LogLength > LargestLog)
        {
            TryCheckpoint();
        }

        return CommitOutcome.Done;
    }

    private long LogLength => new FileInfo(_log) is { Exists: true } log ? log.Length : 0;

    /// <summary>
    /// A disk that fills up in the middle of a commit leaves LiteDB in a state that ends the process: it is never let come to that.
    /// </summary>
    private void RequireRoom(long bytes)
    {
        if (FreeSpace < LeastRoom + bytes)
        {
            throw new IOException("the disk is full");
        }
    }

    private long FreeSpace => new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(Name))!).AvailableFreeSpace;

    private void TryRollback()
    {
        try
        {
            _database.Rollback();
        }
        catch (Exception e) when (e is IOException or LiteException)
        {
            // What made the commit fail makes this fail, too.
        }
    }

    private bool TryWrite(IReadOnlyList<DocumentChange> changes)
    {
        // All versions are looked at, and all keys are let go of, before anything is taken.
        foreach (var change in changes)
        {
            // A new one that is not new is found when it is inserted.
            if (change.Expected == 0)
            {
                continue;
            }

            if (Documents.FindById(LiteDbFile.HashOf(change.Id)) is not { } known || known["version"].AsInt64 != change.Expected)
            {
                return false;
            }

            foreach (var key in known["keys"].AsArray)
            {
                Keys.Delete(LiteDbFile.HashOf(key.AsString));
            }
        }

        foreach (var change in changes)
        {
            if (change.Result is not { } document)
            {
                Documents.Delete(LiteDbFile.HashOf(change.Id));
                continue;
            }

            foreach (var key in document.Keys)
            {
                Keys.Insert(new BsonDocument { ["_id"] = LiteDbFile.HashOf(key), ["document"] = LiteDbFile.HashOf(document.Id) });
            }

            if (change.Expected == 0)
            {
                Documents.Insert(LiteDbFile.Write(document));
            }
            else
            {
                Documents.Update(LiteDbFile.Write(document));
            }
        }

        return true;
    }

    /// <summary>Brings the log to the disk: what is acknowledged survives the end of the machine.</summary>
    private void FlushLog()
    {
        if (File.Exists(_log))
        {
            using var log = File.OpenHandle(_log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(log);
        }
    }

    /// <summary>First the log is on the disk, then it is put into the file. Without room it stays, and the next start reads it.</summary>
    private void TryCheckpoint()
    {
        try
        {
            FlushLog();
            if (FreeSpace > LeastRoom + LogLength)
            {
                _database.Checkpoint();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LiteException)
        {
            // What was acknowledged is in the log, whatever becomes of this.
        }
    }
}
