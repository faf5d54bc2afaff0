using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;

namespace Gateway.Edge;

/// <summary>
/// Whether this process is a service of systemd. The library asks /proc for the name of the parent, which a service cannot read where
/// its unit hides other processes (ProtectProc=); systemd itself says it in the environment (systemd.exec(5), sd_notify(3)).
/// </summary>
internal static class SystemdService
{
    private static bool IsNotified => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    /// <summary>Whether the journal reads what is written.</summary>
    public static bool HasJournal =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("JOURNAL_STREAM"))
            && (IsNotified || Environment.GetEnvironmentVariable("SYSTEMD_EXEC_PID")
                == Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    /// <summary>Tells systemd of the start, that the gateway lives, and of the end (Type=notify, WatchdogSec=).</summary>
    public static void Add(IServiceCollection services)
    {
        if (!IsNotified)
        {
            return;
        }

        services.AddSingleton<ISystemdNotifier, SystemdNotifier>();
        services.AddSingleton<IHostLifetime, SystemdLifetime>();
        services.AddHostedService<Watchdog>();
    }
}
