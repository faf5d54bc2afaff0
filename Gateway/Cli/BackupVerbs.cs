using System.CommandLine;
using Gateway.Store;

namespace Gateway.Cli;

/// <summary><c>gateway backup</c> and <c>gateway restore</c>: work while the gateway runs, but for the restore of a damaged store.</summary>
internal static class BackupVerbs
{
    private static readonly Argument<string> _file = new("FILE") { Description = "the backup file" };

    public static Command CreateBackup()
    {
        var verb = new Command("backup", "Copy the store into a new file.") { _file };
        verb.SetAction(parsed =>
        {
            if (CommandLine.Load(parsed) is not var (_, configuration, _))
            {
                return Output.Failed;
            }

            var file = parsed.GetValue(_file)!;
            if (File.Exists(file))
            {
                return Output.Fail($"{file} exists already; backups are never overwritten");
            }

            SqliteFile.Open(configuration.Settings.Store.File).BackupTo(file);
            Console.WriteLine($"the store was copied to {file}");
            return Output.Fine;
        });
        return verb;
    }

    public static Command CreateRestore()
    {
        var verb = new Command("restore", "Replace the store's contents with those of a backup.") { _file };
        verb.SetAction(parsed =>
        {
            if (CommandLine.Load(parsed) is not var (_, configuration, _))
            {
                return Output.Failed;
            }

            var file = parsed.GetValue(_file)!;
            if (!File.Exists(file))
            {
                return Output.Fail($"{file} does not exist");
            }

            var (aside, wasDamaged) = SqliteFile.Restore(configuration.Settings.Store.File, file, TimeProvider.System);
            Console.WriteLine($"the store was restored from {file}; what was there before is in {aside}{(wasDamaged ? " (it was damaged: start the gateway anew if it is running)" : "")}");
            return Output.Fine;
        });
        return verb;
    }
}
