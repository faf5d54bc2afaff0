using System.Security.Cryptography;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Loading;

/// <summary>
/// Puts a changed configuration into effect. The files are looked at once a second: file events miss the symbolic links that
/// Kubernetes and configuration tools swap.
/// </summary>
internal sealed partial class ConfigurationWatch(
    ConfigurationFiles files, ConfigurationMonitor monitor, TimeProvider clock, ILogger<ConfigurationWatch> log) : BackgroundService
{
    private const int TicksBetweenReadings = 10;

    private static readonly TimeSpan _poll = TimeSpan.FromSeconds(1);

    private IReadOnlyList<string> _watched = [];
    private string _seen = "";
    private int _isAskedFor;

    /// <summary>Reads everything with the next look, also what seems the same: somebody sent SIGHUP.</summary>
    public void ReadAnew() => Interlocked.Exchange(ref _isAskedFor, 1);

    /// <summary>What is in effect is what the files hold while the gateway starts; whatever is written later is a change.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _watched = files.Load().Files;
        _seen = Digest(_watched);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (watched, seen, before) = (_watched, _seen, "");
        var (stamp, ticks) = (StampOf(watched), 0);
        using var timer = new PeriodicTimer(_poll, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (Interlocked.Exchange(ref _isAskedFor, 0) == 1)
            {
                watched = Reload();
                (stamp, seen) = (StampOf(watched), Digest(watched));
                before = seen;
                continue;
            }

            // Contents are compared when a file looks touched, until they stay the same; and now and then in any case.
            var touched = StampOf(watched);
            if (touched == stamp && before == seen && ++ticks % TicksBetweenReadings != 0)
            {
                continue;
            }

            // What is still being written is read once it stays the same.
            var now = Digest(watched);
            if (now != seen && now == before)
            {
                watched = Reload();
                seen = now = Digest(watched);
            }

            (stamp, before) = (touched, now);
        }
    }

    /// <summary>When the files were written, which follows links.</summary>
    private static int StampOf(IReadOnlyList<string> watched)
    {
        var stamp = default(HashCode);
        foreach (var file in watched)
        {
            stamp.Add(File.GetLastWriteTimeUtc(file));
        }

        return stamp.ToHashCode();
    }

    private IReadOnlyList<string> Reload()
    {
        var (next, problems, watched) = files.Load();
        if (next is null)
        {
            foreach (var error in problems.Errors)
            {
                LogBroken(error);
            }

            LogKept();
            return watched;
        }

        var now = monitor.Current.Settings;
        if (!FixedIn(next.Settings).Equals(FixedIn(now)) || !next.Settings.Server.Listen.SequenceEqual(now.Server.Listen))
        {
            LogRestart();
        }

        // Pages stay where they are mapped, and cookies what browsers have, until then.
        var server = next.Settings.Server with { BasePath = now.Server.BasePath, Cookie = now.Server.Cookie };
        monitor.Replace(next with { Settings = next.Settings with { Server = server } });
        LogReloaded();
        return watched;
    }

    /// <summary>What a restart alone changes, besides the addresses.</summary>
    private static object FixedIn(GatewaySettings settings) => (
        settings.Server.BasePath, settings.Server.Cookie, settings.Store, settings.Audit.Folder, settings.Headscale.TlsCaPath,
        settings.Log.Format, settings.Log.Level);

    /// <summary>What the files hold together. An unreadable file counts as empty and is reported by the reload.</summary>
    private static string Digest(IReadOnlyList<string> watched)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in watched)
        {
            try
            {
                hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]);
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    [LoggerMessage(1, LogLevel.Information, "The changed configuration is in effect")]
    private partial void LogReloaded();

    [LoggerMessage(2, LogLevel.Error, "{Problem}")]
    private partial void LogBroken(string problem);

    [LoggerMessage(3, LogLevel.Error, "The changed configuration has errors; the old one stays in effect")]
    private partial void LogKept();

    [LoggerMessage(4, LogLevel.Warning, "Listening addresses, base path, cookies, the store, the audit's folder, the log and "
        + "headscale.tls_ca_path change with the next restart")]
    private partial void LogRestart();
}
