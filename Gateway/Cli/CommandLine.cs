using System.CommandLine;
using Gateway.Headscale;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>The verbs. Without one, the gateway serves.</summary>
internal static class CommandLine
{
    /// <summary>The file with the settings.</summary>
    public static Option<string?> Config { get; } = new("--config")
    {
        Description = "the configuration (else HEADTOWER_CONFIG, ./headtower.yaml, /etc/headtower/headtower.yaml)",
        Recursive = true,
    };

    /// <summary>The file with the policy.</summary>
    public static Option<string?> Routes { get; } = new("--routes")
    {
        Description = "the policy (else HEADTOWER_ROUTES, routes.yaml beside the configuration, the shipped one)",
        Recursive = true,
    };

    /// <summary>Machine-readable output.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "print JSON" };

    /// <summary>All verbs with their options.</summary>
    public static RootCommand Root()
    {
        var root = new RootCommand("An authenticating reverse proxy for Headscale.") { Config, Routes };
        root.SetAction((parsed, cancel) => ServeVerb.RunAsync(parsed, cancel));
        root.Add(ServeVerb.Create());
        root.Add(CheckVerb.Create());
        root.Add(InitVerb.Create());
        root.Add(DoctorVerb.Create());
        root.Add(ImportVerb.Create());
        root.Add(SettingsVerb.Create());
        root.Add(ExplainVerb.Create());
        root.Add(UsersVerb.Create());
        root.Add(SessionsVerb.Create());
        root.Add(TokensVerb.Create());
        root.Add(AuditVerb.Create());
        root.Add(BackupVerbs.CreateBackup());
        root.Add(BackupVerbs.CreateRestore());
        root.Add(MigrateStoreVerb.Create());
        root.Add(HealthcheckVerb.Create());
        root.Add(ManualVerbs.CreateCompletion());
        root.Add(ManualVerbs.CreateManual(root));
        root.Add(CreateVersion());
        Examples.AddTo(root);
        return root;
    }

    public static async Task<int> RunAsync(string[] args)
    {
        // TLS of .NET looks into the user's home, and fails where there is none, as for DynamicUser= without libnss-systemd.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            Environment.SetEnvironmentVariable("HOME", "/");
        }

        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            await Console.Error.WriteLineAsync("'gateway --help' lists the verbs and their options.");
            return Output.Usage;
        }

        try
        {
            // The verb that serves drains by itself; a limit here would cut that short.
            return await parsed.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e) when (e is StoreException or HeadscaleException or IOException or UnauthorizedAccessException)
        {
            return Output.Fail(e.Message);
        }
    }

    /// <summary>Reads the configuration for a verb. Says what is wrong and gives null when it cannot be used.</summary>
    public static (ConfigurationFiles Files, Configuration Configuration, Problems Problems)? Load(ParseResult parsed)
    {
        if (ConfigurationFiles.Find(parsed.GetValue(Config), parsed.GetValue(Routes), out var complaint) is not { } files)
        {
            Console.Error.WriteLine(complaint);
            return null;
        }

        var (configuration, problems, _) = files.Load();
        if (configuration is null)
        {
            foreach (var error in problems.Errors)
            {
                Console.Error.WriteLine(error);
            }

            return null;
        }

        return (files, configuration, problems);
    }

    private static Command CreateVersion()
    {
        var verb = new Command("version", "Print the version.");
        verb.SetAction(_ => Console.WriteLine(ProductVersion.Short));
        return verb;
    }
}
