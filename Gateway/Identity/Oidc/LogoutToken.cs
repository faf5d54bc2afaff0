using System.Collections.Concurrent;
using System.Text.Json;

namespace Gateway.Identity.Oidc;

/// <summary>Whom a provider signs out: one of its sessions, or all of a subject's (OpenID Connect Back-Channel Logout 1.0 2.4).</summary>
/// <param name="Subject"><c>sub</c>; null when a session is named alone.</param>
/// <param name="Session"><c>sid</c>; null when the subject is named alone.</param>
/// <param name="Id"><c>jti</c>; null where a provider sends none.</param>
internal sealed record LogoutToken(string? Subject, string? Session, string? Id)
{
    private const string Event = "http://schemas.openid.net/event/backchannel-logout";

    /// <summary>Reads the claims of a token whose signature, issuer, audience and times are good.</summary>
    /// <exception cref="SignInException">It is no logout token.</exception>
    public static LogoutToken From(JsonElement claims)
    {
        var token = new LogoutToken(Text(claims, "sub"), Text(claims, "sid"), Text(claims, "jti"));
        var isOfEvent = claims.TryGetProperty("events", out var events) && events.ValueKind is JsonValueKind.Object
            && events.TryGetProperty(Event, out var named) && named.ValueKind is JsonValueKind.Object;
        return isOfEvent && !claims.TryGetProperty("nonce", out _) && token is not { Subject: null, Session: null }
            ? token
            : throw new SignInException(SignInFailure.TokenMalformed, "the token is no logout token");
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && Claims.StringOf(value) is { Length: > 0 } text ? text : null;
}

/// <summary>The logout tokens of the last minutes: each counts once (Back-Channel Logout 1.0 2.6), for as long as one is good at all.</summary>
internal sealed class LogoutTokensSeen(TimeProvider clock)
{
    private const int Most = 10_000;
    private static readonly TimeSpan _remembered = IdTokenHandler.LongestLogout + TimeSpan.FromMinutes(5);

    private static readonly TimeSpan _betweenPrunings = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);
    private long _pruned;

    /// <exception cref="SignInException">It was used before.</exception>
    public void RequireFirst(LogoutToken token)
    {
        if (token.Id is { } id && _seen.ContainsKey(id))
        {
            throw new SignInException(SignInFailure.TokenMalformed, "the logout token was used before ('jti')");
        }
    }

    /// <summary>Called when it has had its effect: one that failed may be sent again.</summary>
    public void Remember(LogoutToken token)
    {
        if (_seen.Count >= Most && clock.GetElapsedTime(_pruned) > _betweenPrunings)
        {
            _pruned = clock.GetTimestamp();
            foreach (var old in _seen.Where(one => clock.GetElapsedTime(one.Value) > _remembered))
            {
                _seen.TryRemove(old);
            }
        }

        if (token.Id is { } id)
        {
            _seen[id] = clock.GetTimestamp();
        }
    }
}
