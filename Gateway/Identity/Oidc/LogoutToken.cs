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

/// <summary>The logout tokens of the last minutes: each counts once (Back-Channel Logout 1.0 2.6).</summary>
internal sealed class UsedLogoutTokens(TimeProvider clock) : SingleUse(clock, IdTokenHandler.LongestLogout + TimeSpan.FromMinutes(5));

/// <summary>
/// The sign-in attempts that were answered: the same answer does not count again, also while the first is still worked on.
/// </summary>
internal sealed class UsedAttempts(TimeProvider clock) : SingleUse(clock, TimeSpan.FromMinutes(20));
