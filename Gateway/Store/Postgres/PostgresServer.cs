using System.Reflection;
using Gateway.Settings;
using Npgsql;

namespace Gateway.Store.Postgres;

/// <summary>The database server: how it is reached, what it needs, and what its errors mean.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const int Schema = 1;

    /// <summary>Of several processes that start together, one makes the tables. "htgw" in ASCII.</summary>
    private const long MigrationLock = 0x68746777;

    private const int MostTries = 3;

    private PostgresServer(NpgsqlDataSource source, string name) => (Source, Name) = (source, name);

    public NpgsqlDataSource Source { get; }

    /// <summary>Host and database, without user and password.</summary>
    public string Name { get; }

    /// <summary>Connects, and makes or checks the tables.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says why and what to do.</exception>
    public static async Task<PostgresServer> OpenAsync(Secret connection, CancellationToken cancel)
    {
        var server = Connect(connection);
        try
        {
            await server.MigrateAsync(cancel);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects without changing anything.</summary>
    /// <returns>The schema that is there; 0 for none.</returns>
    /// <exception cref="StoreException">It cannot be reached, or was written by a newer gateway.</exception>
    public static async Task<int> InspectAsync(Secret connection, CancellationToken cancel)
    {
        await using var server = Connect(connection);
        return await server.RunAsync(async open => await SchemaOfAsync(open, server.Name, cancel), cancel);
    }

    /// <summary>
    /// Runs something on a connection. Connections that broke meanwhile are replaced; what was not committed is done again.
    /// </summary>
    /// <exception cref="StoreException">The server failed.</exception>
    public async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await using var connection = await Source.OpenConnectionAsync(cancel);
                return await work(connection);
            }
            catch (NpgsqlException e) when (tries < MostTries && IsBroken(e))
            {
                // The server was started anew, or another one took over: the pool's connections are dead.
                Source.Clear();
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
            {
                throw new StoreException($"{Name}: {Remedy(e)}", e);
            }
        }
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    private static PostgresServer Connect(Secret connection)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(ToConnectionString(connection.Reveal()))
            {
                ApplicationName = "headtower-gateway",
                IncludeErrorDetail = false,
            };
            builder.Timeout = Math.Min(builder.Timeout, 5);
            builder.CommandTimeout = Math.Min(builder.CommandTimeout, 30);
            return new(NpgsqlDataSource.Create(builder), $"PostgreSQL {builder.Host}/{builder.Database}");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or UriFormatException or KeyNotFoundException)
        {
            // What the library says may hold the password.
            throw new StoreException(
                "store.connection is neither of the form Host=…;Database=…;Username=…;Password=… nor "
                + "postgres://USER:PASSWORD@HOST/DATABASE");
        }
    }

    /// <summary>The form of libpq and of most hosters, which Npgsql does not take.</summary>
    private static string ToConnectionString(string text)
    {
        if (!text.StartsWith("postgres://", StringComparison.Ordinal) && !text.StartsWith("postgresql://", StringComparison.Ordinal))
        {
            return text;
        }

        var url = new Uri(text);
        var user = url.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host.Trim('[', ']'),
            Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')),
        };
        if (!url.IsDefaultPort && url.Port > 0)
        {
            builder.Port = url.Port;
        }

        builder.Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null;
        builder.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)))
        {
            // libpq writes verify-full, Npgsql VerifyFull.
            var value = Uri.UnescapeDataString(pair[^1]);
            builder[pair[0] switch { "sslmode" => "SSL Mode", "sslrootcert" => "Root Certificate", var name => name }] =
                pair[0] == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return builder.ToString();
    }

    private async Task MigrateAsync(CancellationToken cancel) => await RunAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await connection.ExecuteAsync("select pg_advisory_xact_lock($1)", cancel, MigrationLock);
            if (await SchemaOfAsync(connection, Name, cancel) < Schema)
            {
                await connection.ExecuteAsync("create table if not exists headtower_schema (number int not null)", cancel);
                await connection.ExecuteAsync(Script(), cancel);
                await connection.ExecuteAsync("delete from headtower_schema", cancel);
                await connection.ExecuteAsync("insert into headtower_schema values ($1)", cancel, Schema);
            }

            await transaction.CommitAsync(cancel);
            return 0;
        },
        cancel);

    private static async Task<int> SchemaOfAsync(NpgsqlConnection connection, string name, CancellationToken cancel)
    {
        if (await connection.ScalarAsync("select to_regclass('headtower_schema')::text", cancel) is not string)
        {
            return 0;
        }

        var schema = await connection.ScalarAsync("select max(number) from headtower_schema", cancel) as int? ?? 0;
        return schema <= Schema ? schema : throw new StoreException(
            $"{name} was written by a newer gateway (schema {schema}, this one knows {Schema}); run that version, or restore a backup "
            + $"made before the upgrade");
    }

    private static string Script()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("sql.Postgres.Schema")!);
        return reader.ReadToEnd();
    }

    /// <summary>Whether the connection was the trouble, and nothing was committed on it.</summary>
    private static bool IsBroken(NpgsqlException e) => e is PostgresException
        ? e.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
        : e is { InnerException: IOException or EndOfStreamException };

    private static string Remedy(Exception e) => e is PostgresException database ? database.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            "the server refuses the user or the password; correct store.connection",
        PostgresErrorCodes.InvalidCatalogName => "there is no such database; create it, or correct store.connection",
        PostgresErrorCodes.InsufficientPrivilege =>
            "the user may not do that; make it the owner of the database (alter database … owner to …)",
        PostgresErrorCodes.ReadOnlySqlTransaction => "the server is read-only at the moment, as a standby is; nothing was changed",
        PostgresErrorCodes.DiskFull => "the server's disk is full; make room, nothing was lost",
        _ => $"{database.MessageText} ({database.SqlState})",
    }
    : $"the server cannot be reached: {e.InnerException?.Message ?? e.Message}";
}

/// <summary>Short forms of Npgsql's commands, with positional parameters.</summary>
internal static class PostgresCommands
{
    extension(NpgsqlConnection connection)
    {
        public async Task<int> ExecuteAsync(string sql, CancellationToken cancel, params object[] values)
        {
            await using var command = connection.Command(sql, values);
            return await command.ExecuteNonQueryAsync(cancel);
        }

        public async Task<object?> ScalarAsync(string sql, CancellationToken cancel, params object[] values)
        {
            await using var command = connection.Command(sql, values);
            return await command.ExecuteScalarAsync(cancel);
        }

        public async Task<List<T>> QueryAsync<T>(
            string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancel, params object[] values)
        {
            await using var command = connection.Command(sql, values);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancel))
            {
                rows.Add(read(reader));
            }

            return rows;
        }

        private NpgsqlCommand Command(string sql, object[] values)
        {
#pragma warning disable CA2100 // All texts are constants of this folder; what comes from outside is a parameter.
            var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
            foreach (var value in values)
            {
                command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
            }

            return command;
        }
    }
}
