using Dapper;
using Gateway.Settings;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>The embedded database: opening it, checking it, bringing it up to date. Everything that fails says what to do.</summary>
internal sealed class SqliteFile
{
    private const int Corrupt = 11;
    private const int NotADatabase = 26;
    private const int ReadOnly = 8;
    private const int CannotOpen = 14;
    private const int Full = 13;

    private readonly string _connection;

    private SqliteFile(string path)
    {
        Path = path;
        _connection = new SqliteConnectionStringBuilder { DataSource = path, ForeignKeys = true, DefaultTimeout = 10 }.ToString();
    }

    public string Path { get; }

    /// <summary>What opening it did that its user should know; null when nothing.</summary>
    public string? Notice { get; private set; }

    /// <summary>
    /// Opens the file, making it first where it does not exist, and brings it up to date; what was there before is kept beside it.
    /// </summary>
    /// <exception cref="StoreException">It cannot be used; the message says why and what to do.</exception>
    /// <param name="auditFolder">Where the audit of an earlier schema is taken over to.</param>
    public static SqliteFile Open(string path, string auditFolder)
    {
        var file = new SqliteFile(path);
        try
        {
            PrivateFiles.MakeFolderOf(path);
            PrivateFiles.Make(path);
            file.Use(connection =>
            {
                var version = file.Check(connection);
                if (version is > 0 and < SqliteUpgrade.Version)
                {
                    file.Notice = $"{path} was of an earlier gateway (schema {version}) and was brought up to date; the old one is kept "
                        + $"as {file.KeepOld(version)}";
                }

                SqliteUpgrade.Run(connection, auditFolder);
                return 0;
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"{path}: {e.Message.TrimEnd('.')}; make the folder writable for the gateway or set server.data_path", e);
        }

        return file;
    }

    /// <summary>Runs something on a connection of its own.</summary>
    /// <exception cref="StoreException">The database failed.</exception>
    public T Use<T>(Func<SqliteConnection, T> work) => Use(work, isReadOnly: false);

    private T Use<T>(Func<SqliteConnection, T> work, bool isReadOnly)
    {
        try
        {
            using var connection = new SqliteConnection(isReadOnly
                ? new SqliteConnectionStringBuilder
                {
                    DataSource = Path,
                    Mode = SqliteOpenMode.ReadOnly,
                    Pooling = false,
                    DefaultTimeout = 10,
                }.ToString()
                : _connection);
            connection.Open();
            connection.Execute(
                isReadOnly ? "pragma trusted_schema = off" : "pragma journal_mode = wal; pragma synchronous = full; pragma "
                    + "trusted_schema = off;");
            return work(connection);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is not SqliteErrors.Constraint)
        {
            throw e.SqliteErrorCode is Corrupt or NotADatabase
                ? new DamagedStoreException($"{Path}: {Remedy(e)}", e)
                : new StoreException($"{Path}: {Remedy(e)}", e);
        }
    }

    /// <summary>Runs something in a transaction that has the write lock from its start, so that it cannot deadlock.</summary>
    public T Change<T>(Func<SqliteConnection, SqliteTransaction, T> work) => Use(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = work(connection, transaction);

        // Work that rolled its changes back has nothing to commit.
        if (transaction.Connection is not null)
        {
            transaction.Commit();
        }

        return result;
    });

    /// <summary>Looks at the file without changing it.</summary>
    /// <returns>Its schema; 0 when there is none.</returns>
    /// <exception cref="StoreException">It cannot be used.</exception>
    public static long Inspect(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        var file = new SqliteFile(path);
        return file.Use(file.Check, isReadOnly: true);
    }

    /// <summary>Copies the database, consistently and while it is in use, into a new file that only its owner may read.</summary>
    /// <exception cref="IOException">The file exists.</exception>
    public void CopyTo(string target)
    {
        // The file is there, and closed to others, before the first byte of data is.
        new FileStream(target, PrivateFiles.Options(FileMode.CreateNew, FileShare.None)).Dispose();
        Use(connection =>
        {
            using var copy = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = target, Pooling = false }.ToString());
            copy.Open();
            connection.BackupDatabase(copy);
            copy.Execute("pragma journal_mode = delete");
            return 0;
        });
    }

    /// <summary>Lets go of the file. Pooled connections would hold it.</summary>
    public void Close()
    {
        using var connection = new SqliteConnection(_connection);
        SqliteConnection.ClearPool(connection);
    }

    private string KeepOld(long version)
    {
        // One that is there may be of an earlier upgrade that was taken back.
        var kept = Enumerable.Range(1, int.MaxValue).Select(one => one == 1 ? $"{Path}.schema{version}" : $"{Path}.schema{version}-{one}")
            .First(one => !File.Exists(one));

        // Only a whole copy gets the name.
        File.Delete(kept + ".tmp");
        CopyTo(kept + ".tmp");
        File.Move(kept + ".tmp", kept);
        return kept;
    }

    /// <returns>The schema; 0 for an empty file.</returns>
    private long Check(SqliteConnection connection)
    {
        var (application, version, tables) = connection.QuerySingle<(long, long, long)>(
            "select (select application_id from pragma_application_id), (select user_version from pragma_user_version), (select "
            + "count(*) from sqlite_schema)");
        if (application != SqliteUpgrade.ApplicationId && (tables > 0 || application != 0))
        {
            throw new StoreException($"{Path} is a database of some other program; set server.data_path to a folder of the gateway's own");
        }

        if (version > SqliteUpgrade.Version)
        {
            throw new StoreException(
                $"{Path} was written by a newer gateway (schema {version}, this one knows {SqliteUpgrade.Version}); run that version, "
                + $"or restore a backup made before the upgrade");
        }

        if (connection.ExecuteScalar<string>("pragma quick_check(1)") is not "ok" and var trouble)
        {
            throw new DamagedStoreException($"{Path} is damaged ({trouble}); restore the latest backup with 'gateway restore FILE'");
        }

        return version;
    }

    private static string Remedy(SqliteException e) => e.SqliteErrorCode switch
    {
        Corrupt or NotADatabase => "the file is damaged or no database; restore the latest backup with 'gateway restore FILE'",
        ReadOnly or CannotOpen => "the file cannot be opened for writing; check its owner and permissions, or set server.data_path",
        Full => "the disk is full; make room, nothing was lost",
        _ => e.Message,
    };
}

/// <summary>SQLite's primary result codes that callers tell apart.</summary>
internal static class SqliteErrors
{
    public const int Constraint = 19;
}
