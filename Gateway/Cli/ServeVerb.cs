using System.CommandLine;

namespace Gateway.Cli;

/// <summary><c>gateway serve</c>.</summary>
internal static partial class ServeVerb
{
    public static Command Create()
    {
        var verb = new Command("serve", "Run the gateway (the default).");
        verb.SetAction((parsed, cancel) => RunAsync(parsed, cancel));
        return verb;
    }

    public static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (files, configuration, problems))
        {
            return Output.Failed;
        }

        await using var app = await App.BuildAsync(configuration, files);
        foreach (var warning in problems.Warnings)
        {
            LogWarning(app.Logger, warning);
        }

        await app.StartAsync(cancel);
        LogListening(
            app.Logger, string.Join(", ", app.Urls), configuration.Settings.Headscale.Url,
            configuration.Settings.Server.ProxyAuth is null ? "off" : "on");
        await app.WaitForShutdownAsync(cancel);
        return Output.Fine;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Warning}")]
    private static partial void LogWarning(ILogger log, string warning);

    [LoggerMessage(2, LogLevel.Information, "Listening on {Urls} in front of {Headscale}; sign-in by proxy headers is {ProxyAuth}")]
    private static partial void LogListening(ILogger log, string urls, Uri headscale, string proxyAuth);
}
