using System.Diagnostics;
using Gateway.Sandbox;
using Gateway.Settings;
using Npgsql;

namespace Gateway.Tests.Support;

/// <summary>A throw-away PostgreSQL, which refuses to run as root and so runs as its package's user.</summary>
public sealed class PostgresCluster : IAsyncLifetime, IDisposable
{
    private const string Password = "gate-pw";

    private readonly TemporaryFolder _folder = new();
    private readonly int _port = GatewayProcess.FreePort();
    private Process? _server;
    private int _databases;

    private static string Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderByDescending(one => one, StringComparer.Ordinal)
            .Select(one => Path.Combine(one, "bin")).FirstOrDefault("")
        : "";

    internal static bool IsThere => File.Exists(Path.Combine(Programs, "postgres"));

    public async Task InitializeAsync()
    {
        if (!IsThere)
        {
            return;
        }

        var password = _folder.File("password", Password);
        _folder.OpenToEverybody();
        var made = Start(
            "initdb", "-D", Data, "-U", "gate", $"--pwfile={password}", "-A", "scram-sha-256", "--no-sync", "--locale=C.UTF-8", "-E",
            "UTF8");
        await made.WaitForExitAsync();
        made.ExitCode.Should().Be(0);
        await StartAsync();
    }

    /// <summary>Starts the server, at first or after <see cref="StopAsync"/>.</summary>
    internal async Task StartAsync()
    {
        _server = Start(
            "postgres", "-D", Data, "-p", $"{_port}", "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={_folder.Path}",
                "-F", "-c", "full_page_writes=off", "-c", "max_connections=200");
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    await using var connection = new NpgsqlConnection(ConnectionTo("postgres") + ";Pooling=false");
                    await connection.OpenAsync();
                    return true;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            },
            "PostgreSQL answers");
    }

    /// <summary>Stops the server at once, as a failing machine does.</summary>
    internal async Task StopAsync()
    {
        if (_server is { HasExited: false } server)
        {
            // SIGINT is PostgreSQL's fast shutdown.
            ProcessSignal.Interrupt(server);
            await server.WaitForExitAsync();
        }
    }

    /// <summary>A new database; gives how it is reached.</summary>
    internal async Task<string> MakeDatabaseAsync()
    {
        var name = $"gateway_{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(ConnectionTo("postgres") + ";Pooling=false");
        await connection.OpenAsync();
#pragma warning disable CA2100 // The name is a number of ours.
        await using var command = new NpgsqlCommand($"create database {name}", connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return ConnectionTo(name);
    }

    /// <summary>The section of the settings for a database.</summary>
    internal static string Section(string connection) => $"store: {{kind: postgres, connection: '{connection}'}}";

    internal static Secret Secret(string connection) => new(connection);

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await StopAsync();
    }

    public void Dispose()
    {
        _server?.Dispose();
        _folder.Dispose();
    }

    private string Data => Path.Combine(_folder.Path, "data");

    private string ConnectionTo(string database) => $"Host=127.0.0.1;Port={_port};Username=gate;Password={Password};Database={database}";

    private static Process Start(string program, params string[] arguments)
    {
        var path = Path.Combine(Programs, program);
        var start = Environment.UserName == "root"
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}

/// <summary>Tests that share one PostgreSQL.</summary>
[CollectionDefinition(Name)]
[System.Diagnostics.CodeAnalysis.SuppressMessage("Naming", "CA1711", Justification = "xunit calls it a collection")]
public sealed class PostgresCollection : ICollectionFixture<PostgresCluster>
{
    public const string Name = "PostgreSQL";
}
