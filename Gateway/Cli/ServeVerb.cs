using System.CommandLine;
using System.Net.Sockets;
using System.Security.Cryptography;
using Gateway.Edge;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Microsoft.AspNetCore.Connections;

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
        using var signals = new Signals();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signals.Stop, cancel);
        if (CommandLine.Load(parsed) is not var (files, configuration, problems))
        {
            return Output.Failed;
        }

        try
        {
            await ServeAsync(files, configuration, problems, signals, stop.Token);
            return Output.Fine;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // It was told to end while it was starting.
            return Output.Fine;
        }
        catch (Exception e) when (e is SocketException or CryptographicException)
        {
            return Output.Fail(e is SocketException ? $"{Listeners.Complaint(configuration.Settings.Server, e)}" : e.Message);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException or SocketException)
        {
            return Output.Fail(Listeners.Complaint(configuration.Settings.Server, e));
        }
    }

    private static async Task ServeAsync(
        ConfigurationFiles files, Configuration configuration, Problems problems, Signals signals, CancellationToken stop)
    {
        await using var app = await App.BuildAsync(configuration, files);
        foreach (var warning in problems.Warnings)
        {
            LogWarning(app.Logger, warning);
        }

        if (app.Services.GetRequiredService<People>().Snapshot.Everyone.Count == 0
            && StartProblems.OwnerWarning(configuration.Settings) is { } danger)
        {
            LogWarning(app.Logger, $"bootstrap.owner: {danger}");
        }

        stop.ThrowIfCancellationRequested();
        await app.StartAsync(stop);
        LogListening(
            app.Logger, string.Join(", ", app.Urls), configuration.Settings.Headscale.Url,
            configuration.Settings.Server.ProxyAuth is null ? "off" : "on");
        var watch = app.Services.GetServices<IHostedService>().OfType<ConfigurationWatch>().SingleOrDefault();
        signals.HangUp = () => watch?.ReadAnew();
        using var stopping = app.Lifetime.ApplicationStopping.Register(
            () => LogStopping(app.Logger, app.Services.GetRequiredService<TunnelDrain>().Open, configuration.Settings.Server.DrainSeconds));
        await app.WaitForShutdownAsync(stop);
        LogStopped(app.Logger);
    }

    [LoggerMessage(1, LogLevel.Warning, "{Warning}")]
    private static partial void LogWarning(ILogger log, string warning);

    [LoggerMessage(2, LogLevel.Information, "Listening on {Urls} in front of {Headscale}; sign-in by proxy headers is {ProxyAuth}")]
    private static partial void LogListening(ILogger log, string urls, Uri headscale, string proxyAuth);

    [LoggerMessage(3, LogLevel.Information, "Stopping: {Open} connections are open; what is left after {Seconds} s is cut")]
    private static partial void LogStopping(ILogger log, int open, int seconds);

    [LoggerMessage(4, LogLevel.Information, "Stopped")]
    private static partial void LogStopped(ILogger log);
}
