using Gateway.Edge;
using Gateway.Settings;
using Microsoft.Extensions.Logging.Console;

namespace Gateway;

/// <summary>What is written to the log, and how.</summary>
internal static class Logs
{
    private const string Time = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";

    public static void Add(ILoggingBuilder logging, LogSettings settings)
    {
        logging.AddConsole();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = Time;
            console.UseUtcTimestamp = true;
        });
        logging.Services.Configure<JsonConsoleFormatterOptions>(json => (json.TimestampFormat, json.UseUtcTimestamp) = (Time.Trim(), true));

        logging.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName = settings.Format switch
        {
            LogFormat.Text => ConsoleFormatterNames.Simple,
            LogFormat.Json => ConsoleFormatterNames.Json,
            LogFormat.Journald => ConsoleFormatterNames.Systemd,
            LogFormat.None or LogFormat.Auto =>
                SystemdService.HasJournal ? ConsoleFormatterNames.Systemd : ConsoleFormatterNames.Simple,
            _ => throw new ArgumentOutOfRangeException(nameof(settings)),
        });
        logging.SetMinimumLevel(settings.Level);
        Filter(logging);
    }

    private static void Filter(ILoggingBuilder logging)
    {
        logging.AddFilter("Microsoft", LogLevel.Warning);

        // The framework's base classes say of every failure what is said here already, with its stack and without its cause.
        logging.AddFilter("Gateway.Identity.Oidc.OidcHandler", LogLevel.None);
        logging.AddFilter("Gateway.Users.CredentialHandler", LogLevel.None);

        // It would begin an Activity for each request, which nobody reads here, to say what the audit says.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // A form cookie that a stranger broke is no error of ours, and no reason for a stack trace.
        logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.None);

        // What ends a start is said in one line, by the verb.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

        // YARP warns of every tunnel that ends, which is how tunnels end (dotnet/yarp #2503).
        logging.AddFilter("Yarp", LogLevel.Error);
    }
}
