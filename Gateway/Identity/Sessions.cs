using System.Security.Cryptography;
using Gateway.Documents;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>Who is signed in. A request is answered from memory; when sessions were used is stored once a minute.</summary>
internal sealed class Sessions(
    SessionStore store, DocumentSet documents, UpstreamMonitor upstream, ConfigurationMonitor monitor, TimeProvider clock,
        ILogger<Sessions> log)
    : CredentialUse(clock, log)
{
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

        var now = Clock.GetUtcNow();
        var lastUsed = Noted(session.Id) is { } used && used > session.LastUsedAt ? used : session.LastUsedAt;
        if (session.ExpiresAt <= now || (idle > TimeSpan.Zero && now - lastUsed > idle) || IsKeyGone(session))
        {
            return null;
        }

        Note(session.Id, now);
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

    protected override async Task StoreAsync(IReadOnlyDictionary<long, DateTimeOffset> used)
    {
        await store.TouchAsync(used);

        // Another replica may have seen a use that it has not written down yet.
        var (now, idle) = (Clock.GetUtcNow(), monitor.Current.Settings.Sessions.Idle);
        await store.RemoveAsync(one => one.ExpiresAt <= now || (idle > TimeSpan.Zero && one.LastUsedAt < now - idle - (2 * Interval)));
    }
}
