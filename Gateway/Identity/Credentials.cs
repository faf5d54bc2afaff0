using System.Text;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>Who sends a request: the caller's own Headscale key, or the headers of a trusted proxy, or a session. Never two of them.</summary>
internal sealed class Credentials(TrustedHeaders trustedHeaders, Sessions sessions)
{
    public Identification Identify(HttpRequest request, IdentityHeaders headers, Peer peer, GatewaySettings settings)
    {
        var byHeaders = settings.Server.ProxyAuth is { } proxy ? trustedHeaders.Identify(headers, peer, proxy) : Identification.Nobody.Instance;
        var session = sessions.Of(request, settings.Server.Cookie);
        return FromAuthorization(request, settings) switch
        {
            null => byHeaders switch
            {
                Identification.Known known => known with { Session = session },
                _ => session is null ? byHeaders : new Identification.InSession(session),
            },
            Identification.OwnKey when byHeaders is Identification.Known || session is not null => new Identification.Rejected(
                Reason.CredentialsDisagree, "the request has an API key and a signed-in person; send one of the two"),
            var bearer => bearer,
        };
    }

    /// <summary>Null when there is no credential meant for us: a front proxy's Basic login stays on the request.</summary>
    private static Identification? FromAuthorization(HttpRequest request, GatewaySettings settings)
    {
        switch (request.Headers.Authorization.ToArray())
        {
            case []:
                return null;
            case [{ } one] when one.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase):
                return FromKey(one["Bearer ".Length..], request, settings) ?? Malformed("the bearer token is not a Headscale API key");
            case [{ } one] when one.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase):
                return FromKey(BasicUserName(one["Basic ".Length..]), request, settings);
            case [_]:
                return null;
            default:
                return Malformed("there is more than one Authorization header");
        }
    }

    /// <summary>OAuth tokens, and keys as Basic user name, are ways of /api/v2 only.</summary>
    private static Identification? FromKey(string key, HttpRequest request, GatewaySettings settings)
    {
        if (ApiKeyFormat.PrefixOf(key) is { } prefix)
        {
            return settings.Headscale.ApiKeyPassthrough ? new Identification.OwnKey(prefix) : Malformed("headscale.api_key_passthrough is off");
        }

        return request.Path.StartsWithSegments("/api/v2", StringComparison.Ordinal) && ApiKeyFormat.TokenPrefixOf(key) is { } token && settings.Headscale.ApiKeyPassthrough
            ? new Identification.OwnKey(token)
            : null;
    }

    private static string BasicUserName(string encoded)
    {
        var bytes = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length).Split(':')[0] : "";
    }

    private static Identification.Rejected Malformed(string detail) => new(Reason.MalformedCredential, detail);
}
