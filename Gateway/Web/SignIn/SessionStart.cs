using Gateway.Edge;
using Gateway.Identity;

namespace Gateway.Web.SignIn;

/// <summary>How every session begins, whoever it is for: what the request tells about it, the store, the cookie.</summary>
internal static class SessionStart
{
    private const int LongestUserAgent = 256;

    /// <summary>A session for whoever is behind this request; id and hash come when it is begun.</summary>
    public static Session Draft(HttpContext context, SessionKind kind, DateTimeOffset now, DateTimeOffset until) => new()
    {
        Id = 0,
        Hash = "",
        Kind = kind,
        CreatedAt = now,
        ExpiresAt = until,
        LastUsedAt = now,
        Client = RequestContext.Of(context).Peer.Client?.ToString(),
        UserAgent = context.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent
            ? agent[..Math.Min(agent.Length, LongestUserAgent)]
            : null,
    };

    /// <summary>Stores it and gives the browser its cookie.</summary>
    public static async Task BeginAsync(HttpContext context, Sessions sessions, Session session)
    {
        var settings = RequestContext.Of(context).Configuration.Settings;
        var value = await sessions.BeginAsync(session, settings.Sessions.MaxPerUser);
        SessionCookie.Write(context.Response, value, session.ExpiresAt - session.CreatedAt, settings.Server.Cookie);
    }
}
