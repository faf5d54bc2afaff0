using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Gateway.Documents;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>Who is signed in. A request is answered from memory; when sessions were used is stored once a minute.</summary>
internal sealed partial class Sessions(
    SessionStore store, DocumentSet documents, UpstreamMonitor upstream, ConfigurationMonitor monitor, TimeProvider clock,
        ILogger<Sessions> log) : BackgroundService
{
    private static readonly TimeSpan _write = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, DateTimeOffset> _used = new();

    /// <summary>Every session, by number.</summary>
    public IReadOnlyList<Session> All => [.. store.All.OrderBy(one => one.Id)];

    /// <summary>The session with a number; null when there is none.</summary>
    public Session? Find(long id) => store.Find(id);

    /// <summary>The session whose cookie a request brings; null when there is none, or it is over.</summary>
    /// <exception cref="StoreException">The store could not be asked for too long.</exception>
    public Session? Of(HttpRequest request, GatewaySettings settings) =>
        SessionCookie.Read(request, settings.Server.Cookie) is { } cookie ? Find(cookie, settings.Sessions.Idle) : null;

    /// <summary>The session of a cookie's value; null when there is none, or it is over.</summary>
    private Session? Find(string cookie, TimeSpan idle)
    {
        documents.EnsureFresh();
        if (store.Find(HashOf(cookie)) is not { } session)
        {
            return null;
        }

        var now = clock.GetUtcNow();
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
        session.KeyPrefix is { } prefix && upstream.Status.Listed is { } listed && listed.At > session.CreatedAt
            && !listed.Prefixes.Contains(prefix);

    /// <summary>Begins a session and gives the value for its cookie: 256 random bits that are stored nowhere.</summary>
    /// <exception cref="StoreException">It could not be stored.</exception>
    /// <param name="session">The session.</param>
    /// <param name="mostPerUser">How many one person may have.</param>
    public async Task<string> BeginAsync(Session session, int mostPerUser)
    {
        var cookie = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await store.AddAsync(session with { Hash = HashOf(cookie) }, mostPerUser);
        return cookie;
    }

    /// <summary>Ends one session; false when there is none of that number.</summary>
    /// <exception cref="StoreException">It could not be stored.</exception>
    public async Task<bool> EndAsync(long id) => await store.RemoveAsync(one => one.Id == id) == 1;

    /// <summary>Ends all sessions that the condition names.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="StoreException">It could not be stored.</exception>
    public Task<int> EndAllAsync(Func<Session, bool> isMeant) => store.RemoveAsync(isMeant);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_write, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await WriteUseAsync();
            }
            catch (StoreException e)
            {
                LogUnwritten(e.Message);
            }
        }
    }

    /// <summary>What was used since the last time; then what is over goes.</summary>
    private async Task WriteUseAsync()
    {
        var used = _used.ToArray();
        await store.TouchAsync(used.ToDictionary());
        foreach (var one in used)
        {
            _used.TryRemove(one);
        }

        // Another replica may have seen a use that it has not written down yet.
        var (now, idle) = (clock.GetUtcNow(), monitor.Current.Settings.Sessions.Idle);
        await store.RemoveAsync(one => one.ExpiresAt <= now || (idle > TimeSpan.Zero && one.LastUsedAt < now - idle - (2 * _write)));
    }

    private static string HashOf(string cookie) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(cookie)));

    [LoggerMessage(1, LogLevel.Error, "The sessions' use could not be stored: {Cause}")]
    private partial void LogUnwritten(string cause);
}
