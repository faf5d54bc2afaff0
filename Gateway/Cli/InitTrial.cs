using Gateway.Loading;

namespace Gateway.Cli;

/// <summary>Tries what <c>gateway init</c> wrote, at once: whether Headscale, its key or socket, and the provider are there.</summary>
internal static class InitTrial
{
    public static async Task RunAsync(InitAnswers answers, CancellationToken cancel)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["CREDENTIALS_DIRECTORY"] = answers.Output };
        if (answers.SignsIn && !File.Exists(Path.Combine(answers.Output, "client-secret")))
        {
            // It is not known here yet, and not needed to find the provider: any file does.
            environment["HEADTOWER_OIDC__CLIENT_SECRET_PATH"] = answers.ConfigFile;
        }

        var (configuration, problems, _) = new ConfigurationFiles(answers.ConfigFile, null, environment).Load();
        var fine = configuration is null ? []
            : await OnlineChecks.FindAsync(configuration, answers.ConfigFile, problems, cancel);
        Console.WriteLine("\nTried now:");
        foreach (var line in fine.Concat(problems.Errors.Select(one => $"NOT YET: {one}")))
        {
            Console.WriteLine("  " + line);
        }
    }
}
