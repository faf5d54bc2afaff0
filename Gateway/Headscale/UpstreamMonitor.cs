using System.Collections.Frozen;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Headscale;

/// <summary>What is known about the gateway's own API key.</summary>
internal enum KeyState
{
    Unknown = 0,
    Missing,
    Rejected,
    Valid,

    /// <summary>Headscale's socket serves.</summary>
    NotNeeded,
}

/// <summary>The API keys that Headscale had at one moment, by their public prefixes; expired ones are left out.</summary>
internal sealed record ListedKeys(DateTimeOffset At, FrozenSet<string> Prefixes);

/// <summary>What is known about the Headscale behind us.</summary>
/// <param name="Found">Its version, and how that is known; null until it answered once.</param>
/// <param name="IsReachable">Whether it answered last time.</param>
/// <param name="Key">The state of our key.</param>
/// <param name="KeyExpires">When our key expires, if it does.</param>
/// <param name="Detail">What went wrong last, in words.</param>
/// <param name="Listed">Its API keys; null until they were listed once.</param>
internal sealed record UpstreamStatus(
    FoundVersion? Found, bool IsReachable, KeyState Key, DateTimeOffset? KeyExpires, string? Detail, ListedKeys? Listed = null)
{
    /// <summary>Its version; null until it answered once.</summary>
    public HeadscaleVersion? Version => Found?.Version;

    private static readonly TimeSpan _soon = TimeSpan.FromDays(30);

    /// <summary>Whether it is time to make a new key.</summary>
    public bool KeyExpiresSoon(DateTimeOffset now) => KeyExpires - now < _soon;
}

/// <summary>Asks Headscale now and then who it is and whether it still takes our key.</summary>
internal sealed partial class UpstreamMonitor(
    HeadscaleClient client, ConfigurationMonitor monitor, UpstreamConnections connections, TimeProvider clock,
    ILogger<UpstreamMonitor> log) : BackgroundService
{
    private static readonly TimeSpan _calm = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _urgent = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _least = TimeSpan.FromSeconds(1);

    private static readonly UpstreamStatus _unasked = new(null, false, KeyState.Unknown, null, "Headscale was not asked yet");

    private volatile UpstreamStatus _status = _unasked;

    public UpstreamStatus Status => _status;

    /// <summary>Whether the first question was answered, or found nobody.</summary>
    public bool WasAsked => !ReferenceEquals(_status, _unasked);

    /// <summary>How errors are written; before the version is known, as the newest does.</summary>
    public ErrorStyle ErrorStyle => Assumed.ErrorStyle;

    /// <summary>The version to go by where nothing can be asked; the newest until it is known.</summary>
    public HeadscaleVersion Assumed => _status.Version?.Known ?? HeadscaleVersion.Newest;

    /// <summary>The version to treat Headscale as. Asks when nothing is known yet.</summary>
    /// <exception cref="HeadscaleException">Headscale did not say.</exception>
    public ValueTask<HeadscaleVersion> VersionAsync(CancellationToken cancel) =>
        _status.Version is { } version ? new(version.Known) : AskVersionAsync(cancel);

    /// <summary>Asks for version and key, and remembers the answers.</summary>
    public async Task<UpstreamStatus> RefreshAsync(CancellationToken cancel)
    {
        var before = _status;
        try
        {
            var version = await client.GetVersionAsync(cancel);
            var (key, expires, detail, listed) = await AskKeyAsync(cancel);
            _status = new(version, true, key, expires, detail ?? AboutVersion(version.Version), listed ?? before.Listed);
        }
        catch (HeadscaleException e)
        {
            _status = before with { IsReachable = false, Detail = e.Message };
        }

        Report(before, _status);
        return _status;
    }

    /// <summary>Headscale refused our key while a call was forwarded.</summary>
    public void KeyWasRejected()
    {
        var before = _status;
        _status = before with { Key = KeyState.Rejected, Detail = "Headscale rejects headscale.api_key" };
        Report(before, _status);
    }

    /// <summary>A forwarded request found nobody there. It is news at once, and not only when the next question comes.</summary>
    public void CouldNotBeReached(string cause)
    {
        var before = _status;
        if (!before.IsReachable)
        {
            return;
        }

        _status = before with { IsReachable = false, Detail = cause };
        Report(before, _status);
        connections.Opened();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var due = clock.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            if (!IsFine || clock.GetUtcNow() >= due)
            {
                await RefreshAsync(stoppingToken);
                due = clock.GetUtcNow() + _calm;
            }
            else
            {
                await RefreshVersionAsync(stoppingToken);
            }

            await Task.Delay(_least, clock, stoppingToken);
            await WaitAsync(IsFine ? due - clock.GetUtcNow() : _urgent, stoppingToken);
        }
    }

    private bool IsFine => _status is { IsReachable: true, Key: KeyState.Valid or KeyState.Missing or KeyState.NotNeeded };

    /// <summary>Waits so long, or until a call had to open a connection: Headscale may have been replaced by another version.</summary>
    private async Task WaitAsync(TimeSpan longest, CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var delay = Task.Delay(longest > TimeSpan.Zero ? longest : TimeSpan.Zero, clock, either.Token);
        await await Task.WhenAny(delay, connections.NextAsync(either.Token));
        await either.CancelAsync();
    }

    /// <summary>Asks for the version alone: for the key, Headscale works a tenth of a second, and strangers open connections too.</summary>
    private async Task RefreshVersionAsync(CancellationToken cancel)
    {
        var before = _status;
        try
        {
            var version = await client.GetVersionAsync(cancel);
            _status = version == before.Found ? before with { IsReachable = true } : await RefreshAsync(cancel);
        }
        catch (HeadscaleException e)
        {
            _status = before with { IsReachable = false, Detail = e.Message };
        }

        Report(before, _status);
    }

    private async ValueTask<HeadscaleVersion> AskVersionAsync(CancellationToken cancel)
    {
        var version = await client.GetVersionAsync(cancel);
        _status = _status with { Found = version, IsReachable = true };
        return version.Version.Known;
    }

    private async Task<(KeyState, DateTimeOffset?, string?, ListedKeys?)> AskKeyAsync(CancellationToken cancel)
    {
        var settings = monitor.Current.Settings.Headscale;
        if (!settings.ServesPeople)
        {
            return (KeyState.Missing, null, null, null);
        }

        try
        {
            var now = clock.GetUtcNow();
            var keys = await client.ListApiKeysAsync(cancel);
            var valid = keys.Where(one => one.Expiration is null || one.Expiration > now).Select(one => ApiKeyFormat.BareOf(one.Prefix));
            var own = settings.ApiKey is { } key
                ? keys.FirstOrDefault(one => ApiKeyFormat.IsListedAs(key.Reveal(), one.Prefix)) : null;
            var (state, detail) = JudgeKey(settings, own);
            return (state, own?.Expiration, detail, new ListedKeys(now, valid.ToFrozenSet(StringComparer.Ordinal)));
        }
        catch (HeadscaleException e) when (e.Reason is Reason.UpstreamKeyRejected)
        {
            return (KeyState.Rejected, null, "Headscale rejects headscale.api_key: it is expired, deleted or wrong", null);
        }
    }

    /// <summary>The key counts where the socket does not serve.</summary>
    private (KeyState State, string? Detail) JudgeKey(HeadscaleSettings settings, HeadscaleApiKey? own) =>
        settings.Socket is null ? (KeyState.Valid, null)
        : client.SocketTrouble is { } trouble ? (KeyState.Valid, $"headscale.api_key serves in place of headscale.socket: {trouble}")
        : settings.ApiKey is null || own is not null ? (KeyState.NotNeeded, null)
        : (KeyState.NotNeeded, "headscale.socket serves; Headscale does not list headscale.api_key, which could not take its place");

    private static string? AboutVersion(HeadscaleVersion version) =>
        version.IsKnown ? null : $"Headscale {version} is not known to this gateway and treated like {version.Known}";

    private void Report(UpstreamStatus before, UpstreamStatus after)
    {
        if (after.Found != before.Found && after.Found is { } version)
        {
            LogVersion(version.ToString());
        }

        if (after.Detail != before.Detail && after.Detail is { } detail)
        {
            LogTrouble(detail);
        }

        if (after.IsReachable && before is { IsReachable: false, Version: not null })
        {
            LogBack();
        }

        if (after.KeyExpires is { } expires && expires != before.KeyExpires && after.KeyExpiresSoon(clock.GetUtcNow()))
        {
            LogExpiry(expires);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Headscale {Version} was found")]
    private partial void LogVersion(string version);

    [LoggerMessage(2, LogLevel.Warning, "Headscale: {Detail}")]
    private partial void LogTrouble(string detail);

    [LoggerMessage(4, LogLevel.Information, "Headscale answers again")]
    private partial void LogBack();

    [LoggerMessage(3, LogLevel.Warning, "The Headscale API key expires at {At:u}; create a new one and set headscale.api_key")]
    private partial void LogExpiry(DateTimeOffset at);
}
