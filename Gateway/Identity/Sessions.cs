using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>All sessions in memory, so that a request needs no I/O; the store is asked once a second whether another process changed something.</summary>
internal sealed partial class Sessions(ISessionStore store, UpstreamWatch upstream, Live<Configuration> live, TimeProvider clock, ILogger<Sessions> log) : BackgroundService
{
    private static readonly TimeSpan _poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _write = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, DateTimeOffset> _used = new();
    private readonly Lock _gate = new();
    private volatile Snapshot? _snapshot;

    public IReadOnlyList<Session> All => (_snapshot ?? Reload()).All;

    /// <summary>The session whose cookie a request brings; null when there is none, or it is over.</summary>
    /// <exception cref="StoreException">The store was never read and cannot be.</exception>
    public Session? Of(HttpRequest request, CookieSettings settings) => SessionCookie.Read(request, settings) is { } cookie ? Find(cookie) : null;

    /// <summary>The session of a cookie's value; null when there is none, or it is over.</summary>
    /// <exception cref="StoreException">The store was never read and cannot be.</exception>
    private Session? Find(string cookie)
    {
        if ((_snapshot ?? Reload()).ByHash.GetValueOrDefault(HashOf(cookie)) is not { } session)
        {
            return null;
        }

        var now = clock.GetUtcNow();
        var idle = live.Current.Settings.Sessions.Idle;
        var lastUsed = _used.TryGetValue(session.Id, out var used) && used > session.LastUsedAt ? used : session.LastUsedAt;
        if (session.ExpiresAt <= now || (idle > TimeSpan.Zero && now - lastUsed > idle) || IsKeyGone(session))
        {
            return null;
        }

        _used[session.Id] = now;
        return session;
    }

    /// <summary>Whether Headscale listed its keys since this session began, and the session's key was not among them.</summary>
    private bool IsKeyGone(Session session) =>
        session.KeyPrefix is { } prefix && upstream.Status.Listed is { } listed && listed.At > session.CreatedAt && !listed.Prefixes.Contains(prefix);

    /// <summary>Begins a session and gives the value for its cookie: 256 random bits that are stored nowhere.</summary>
    public string Begin(Session session)
    {
        var cookie = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        store.Add(session with { Hash = HashOf(cookie) }, live.Current.Settings.Sessions.MaxPerUser);
        Reload();
        return cookie;
    }

    public bool End(long id)
    {
        var ended = store.Remove(id);
        Reload();
        return ended;
    }

    public int EndOfProvider(string issuer, string? subject, string? providerSession)
    {
        var ended = store.RemoveOfProvider(issuer, subject, providerSession);
        Reload();
        return ended;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_poll, clock);
        var written = clock.GetTimestamp();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (clock.GetElapsedTime(written) >= _write)
                {
                    written = clock.GetTimestamp();
                    WriteUse();
                }

                if (store.Generation() != _snapshot?.Generation)
                {
                    Reload();
                }
            }
            catch (StoreException e)
            {
                LogUnreadable(e.Message);
            }
        }
    }

    /// <summary>What was used since the last time; then what is over goes.</summary>
    private void WriteUse()
    {
        var used = _used.ToArray();
        store.Touch([.. used.Select(one => (one.Key, one.Value))]);
        foreach (var one in used)
        {
            _used.TryRemove(one);
        }

        var (now, idle) = (clock.GetUtcNow(), live.Current.Settings.Sessions.Idle);

        // Another process may have seen a use that it has not written down yet.
        store.RemoveOver(now, idle > TimeSpan.Zero ? now - idle - (2 * _write) : null);
        Reload();
    }

    private Snapshot Reload()
    {
        var (generation, sessions) = store.List();
        lock (_gate)
        {
            if (_snapshot is not { } current || generation >= current.Generation)
            {
                _snapshot = new Snapshot(generation, sessions, sessions.ToFrozenDictionary(one => one.Hash, StringComparer.Ordinal));
            }

            return _snapshot!;
        }
    }

    private static string HashOf(string cookie) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(cookie)));

    private sealed record Snapshot(long Generation, IReadOnlyList<Session> All, FrozenDictionary<string, Session> ByHash);

    [LoggerMessage(1, LogLevel.Error, "The sessions cannot be read: {Cause}")]
    private partial void LogUnreadable(string cause);
}
