using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;

namespace Gateway.Edge;

/// <summary>
/// Tells systemd that the gateway lives, twice in the time that the unit allows (WatchdogSec=); a gateway that hangs is started anew.
/// It runs on the same threads as the requests: where these are stuck, it says nothing.
/// </summary>
internal sealed class Watchdog(TimeProvider clock, ISystemdNotifier systemd) : BackgroundService
{
    private static readonly ServiceState _alive = new("WATCHDOG=1");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Interval is not { } interval)
        {
            return;
        }

        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            systemd.Notify(_alive);
        }
    }

    /// <summary>Half of what WATCHDOG_USEC allows; null: the unit has none (sd_watchdog_enabled(3)).</summary>
    private static TimeSpan? Interval =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            && time > 0 ? TimeSpan.FromMicroseconds(time / 2.0) : null;
}
