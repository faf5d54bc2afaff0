using System.CommandLine;
using Gateway.Documents;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary><c>gateway backup</c> and <c>gateway restore</c>: while the gateway runs, or while it does not.</summary>
internal static class BackupVerbs
{
    private static readonly Argument<string> _file = new("FILE") { Description = "the backup file" };

    public static Command CreateBackup()
    {
        var verb = new Command("backup", "Copy the state into a new file, and the audit into a folder beside it.") { _file };
        verb.SetAction(BackUpAsync);
        return verb;
    }

    public static Command CreateRestore()
    {
        var verb = new Command("restore", "Put a backup in the place of the state; all sessions end, and the audit stays.") { _file };
        verb.SetAction(RestoreAsync);
        return verb;
    }

    private static async Task<int> BackUpAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var file = Path.GetFullPath(parsed.GetValue(_file)!);
        var audit = file + ".audit";
        if (Path.Exists(file) || Path.Exists(audit))
        {
            return Output.Fail($"{(Path.Exists(file) ? file : audit)} exists already; backups are never overwritten");
        }

        if (await ExportAsync(configuration, ControlClient.Request("state.backup", ("file", file)), cancel) is not { } documents)
        {
            return Output.Failed;
        }

        await BackupFile.WriteAsync(file, documents, cancel);
        await BackupFile.CopyAuditAsync(configuration.Settings, audit, cancel);
        Console.WriteLine($"the state was copied to {file}, the audit to {audit}; sessions are not part of it");
        return Output.Fine;
    }

    private static async Task<int> RestoreAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var (file, settings) = (Path.GetFullPath(parsed.GetValue(_file)!), configuration.Settings);
        if (!File.Exists(file))
        {
            return Output.Fail($"{file} does not exist");
        }

        var documents = await BackupFile.ReadAsync(file, cancel);
        var aside = $"{settings.Store.File}.before-restore-{TimeProvider.System.GetUtcNow():yyyyMMddHHmmss}";
        var wasDamaged = false;
        try
        {
            if (await ExportAsync(configuration, ControlClient.Request("state.export"), cancel) is not { } before)
            {
                return Output.Failed;
            }

            await BackupFile.WriteAsync(aside, before, cancel);
        }
        catch (DamagedStoreException)
        {
            // No gateway can run on it.
            using var held = StoreLock.Take(settings.Store.File);
            BackupFile.MoveAside(settings.Store.File, aside);
            wasDamaged = true;
        }

        var request = ControlClient.Request("state.restore", ("file", file)) with { Documents = documents };
        var done = $"the state was restored from {file} and all sessions were ended; what was there before is in "
            + $"{aside}{(wasDamaged ? " (it was damaged)" : "")}";
        return await ControlClient.DoAsync(configuration, request, done, cancel);
    }

    private static Task<IReadOnlyList<Document>?> ExportAsync(
        Configuration configuration, ControlRequest request, CancellationToken cancel) =>
        ControlClient.AskAsync(configuration, request, ControlJson.Default.IReadOnlyListDocument, cancel);
}
