using System.CommandLine;
using Gateway.Settings;
using Gateway.Store;

namespace Gateway.Cli;

/// <summary><c>gateway migrate-store KIND</c>: carries everything to another kind of store, while no gateway runs.</summary>
internal static class MigrateStoreVerb
{
    private static readonly Argument<string> _kind = new("KIND") { Description = "sqlite, litedb or postgres" };
    private static readonly Option<string?> _file = new("--file")
    {
        Description = "the new file, for sqlite and litedb (else its usual name in the data folder)",
    };
    private static readonly Option<string?> _connection = new("--connection-path")
    {
        Description = "a file with the connection, for postgres",
    };

    public static Command Create()
    {
        _kind.AcceptOnlyFromAmong([.. StoreKinds.Names]);
        var verb = new Command(
            "migrate-store", "Carry state and audit to another kind of store; stop the gateway first.") { _kind, _file, _connection };
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var (settings, kind) = (configuration.Settings, StoreKinds.Parse(parsed.GetValue(_kind)!));
        if (kind == settings.Store.Kind)
        {
            return Output.Fail($"store.kind is {kind.Name} already");
        }

        var store = settings.Store with
        {
            Kind = kind,
            Connection = null,
            File = parsed.GetValue(_file) ?? Path.Combine(settings.Server.DataPath, kind.FileName),
        };
        if (kind is StoreKind.Postgres)
        {
            if (parsed.GetValue(_connection) is not { } path)
            {
                return Output.Fail("--connection-path is missing: a file with Host=…;Database=…;Username=…;Password=… or postgres://…");
            }

            store = store with { Connection = new Secret(SecretFiles.WithoutNewline(await File.ReadAllTextAsync(path, cancel))) };
        }

        var (documents, entries) = await StoreMigration.RunAsync(settings, settings with { Store = store }, cancel);
        var audit = kind is StoreKind.Postgres || settings.Store.Kind is StoreKind.Postgres
            ? $" and {entries} audit entries"
            : "; the audit stays where it is";
        Console.WriteLine(
            $"{documents} documents{audit} were copied to {kind.Name}. Now set store.kind to {kind.Name}; what was there before is "
            + $"still there.");
        return Output.Fine;
    }
}
