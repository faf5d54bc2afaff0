using System.Reflection;
using Dapper;
using Gateway.Settings;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>The embedded database: opening it, checking it, bringing it up to date. Everything that fails says what to do.</summary>
internal sealed class SqliteFile
{
    /// <summary>"HTGW": tells our file from any other database (PRAGMA application_id).</summary>
    private const int ApplicationId = 0x48544757;

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

    /// <summary>Opens the file, making it first where it does not exist, and applies the migrations it lacks.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says why and what to do.</exception>
    public static SqliteFile Open(string path)
    {
        var file = new SqliteFile(path);
        try
        {
            MakeDirectory(path);
            file.Use(connection =>
            {
                file.Check(connection);
                Migrate(connection);
                return 0;
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{path}: {e.Message}; make the folder writable for the gateway or set server.data_path", e);
        }

        return file;
    }

    /// <summary>Runs something on a connection of its own.</summary>
    /// <exception cref="StoreException">The database failed.</exception>
    public T Use<T>(Func<SqliteConnection, T> work)
    {
        try
        {
            using var connection = new SqliteConnection(_connection);
            connection.Open();
            connection.Execute("pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off;");
            return work(connection);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is not SqliteErrors.Constraint)
        {
            throw new StoreException($"{Path}: {Remedy(e)}", e);
        }
    }

    /// <summary>Runs something in a transaction that has the write lock from its start, so that it cannot deadlock.</summary>
    public T Change<T>(Func<SqliteConnection, SqliteTransaction, T> work) => Use(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = work(connection, transaction);
        transaction.Commit();
        return result;
    });

    /// <summary>Looks at the file without changing it; false when there is none.</summary>
    /// <exception cref="StoreException">It cannot be used.</exception>
    public static bool Inspect(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        var file = new SqliteFile(path);
        file.Use(connection =>
        {
            file.Check(connection);
            return 0;
        });
        return true;
    }

    /// <summary>Copies the database, consistently and while it is in use, into a new file that only its owner may read.</summary>
    public void BackupTo(string target)
    {
        // The file is there, and closed to others, before the first byte of data is.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(target, options).Dispose();

        Use(connection =>
        {
            using var copy = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = target, Pooling = false }.ToString());
            copy.Open();
            connection.BackupDatabase(copy);
            copy.Execute("pragma journal_mode = delete");
            return 0;
        });
    }

    /// <summary>Puts a backup in the place of the store. A gateway that runs on it notices; on a damaged one it must be started anew.</summary>
    /// <returns>The file that holds what was there before, and whether it was damaged.</returns>
    /// <exception cref="StoreException">The backup is not one; nothing was changed.</exception>
    public static (string Aside, bool WasDamaged) Restore(string path, string backup, TimeProvider clock)
    {
        Inspect(backup);
        var aside = $"{path}.before-restore-{clock.GetUtcNow():yyyyMMddHHmmss}";
        var (generation, wasDamaged) = (0L, false);
        try
        {
            var current = Open(path);
            current.BackupTo(aside);
            generation = current.Use(connection => connection.ExecuteScalar<long>("select n from generation"));
        }
        catch (StoreException)
        {
            wasDamaged = true;
            MoveAside(path, aside);
        }

        new SqliteFile(backup).Use(connection =>
        {
            using var store = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 10 }.ToString());
            store.Open();
            connection.BackupDatabase(store);
            return 0;
        });

        // A running gateway compares this number; it must not meet one that it has seen.
        Open(path).Change((connection, transaction) => connection.Execute("update generation set n = max(n, @generation) + 1", new { generation }, transaction));
        return (aside, wasDamaged);
    }

    private static void MoveAside(string path, string aside)
    {
        // Pooled connections would go with the file.
        SqliteConnection.ClearAllPools();
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
        {
            if (File.Exists(path + suffix))
            {
                File.Move(path + suffix, aside + suffix, overwrite: true);
            }
        }
    }

    private void Check(SqliteConnection connection)
    {
        var (application, version, tables) = connection.QuerySingle<(long, long, long)>(
            "select (select application_id from pragma_application_id), (select user_version from pragma_user_version), (select count(*) from sqlite_schema)");
        if (application != ApplicationId && (tables > 0 || application != 0))
        {
            throw new StoreException($"{Path} is a database of some other program; set server.data_path to a folder of the gateway's own");
        }

        if (version > Migrations.Length)
        {
            throw new StoreException($"{Path} was written by a newer gateway (schema {version}, this one knows {Migrations.Length}); run that version, or restore a backup made before the upgrade");
        }

        if (connection.ExecuteScalar<string>("pragma quick_check(1)") is not "ok" and var trouble)
        {
            throw new StoreException($"{Path} is damaged ({trouble}); restore the latest backup with 'gateway restore FILE'");
        }
    }

    private static void Migrate(SqliteConnection connection)
    {
        // The lock is taken before the version is read again: of two processes that start together, one migrates.
        using var transaction = connection.BeginTransaction(deferred: false);
        for (var next = (int)connection.ExecuteScalar<long>("pragma user_version", transaction: transaction); next < Migrations.Length; next++)
        {
            connection.Execute(Migrations[next], transaction: transaction);
            connection.Execute($"pragma user_version = {next + 1}; pragma application_id = {ApplicationId};", transaction: transaction);
        }

        transaction.Commit();
    }

    /// <summary>The numbered scripts, in order. They are only ever added to.</summary>
    private static string[] Migrations { get; } = ReadMigrations();

    private static string[] ReadMigrations()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Read)];

        string Read(string name)
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd();
        }
    }

    private static void MakeDirectory(string path)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        if (Directory.Exists(folder))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
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
