using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Identity;

/// <summary>
/// Reads the one credential of a request: a token of the gateway's own, the caller's own Headscale key, the headers of a trusted
/// proxy, or a session. Two that disagree are refused.
/// </summary>
internal sealed class CredentialReader(TrustedHeaders trustedHeaders, Sessions sessions, AccessTokens tokens)
{
    /// <summary>New with each process: a fingerprint is worth nothing outside of it.</summary>
    private readonly byte[] _fingerprintKey = RandomNumberGenerator.GetBytes(32);

    /// <summary>The credential of a request.</summary>
    /// <exception cref="StoreException">The store could not be asked for too long.</exception>
    public Credential Read(HttpRequest request, RequestContext received)
    {
        var settings = received.Configuration.Settings;
        var proxy = settings.Server.ProxyAuth;
        var byHeaders = proxy is null ? Credential.None.Instance : trustedHeaders.Identify(received.Headers, received.Peer, proxy);
        var session = sessions.Of(request, settings);
        var stated = ReadAuthorization(request, settings, received.Peer.Client);
        if (byHeaders is Credential.ProxyIdentity && proxy is { Bearer: BearerRule.Ignore } && !IsToken(stated))
        {
            stated = null;
        }

        return stated switch
        {
            null => byHeaders switch
            {
                Credential.ProxyIdentity known => known with { Session = session },
                Credential.Rejected { CountsBesideSession: true } => byHeaders,
                _ => session is null ? byHeaders : new Credential.OfSession(session),
            },
            Credential.OfToken when byHeaders is Credential.ProxyIdentity || session is not null => new Credential.Rejected(
                Reason.CredentialsDisagree, "the request has a token and also names a signed-in person; send one of the two"),
            Credential.HeadscaleKey when byHeaders is Credential.ProxyIdentity || session is not null =>
                new Credential.Rejected(
                    Reason.CredentialsDisagree,
                    "the request has an API key and also names a signed-in person; send one of the two (server.proxy_auth.bearer: ignore "
                    + "lets the person count)"),
            var bearer => bearer,
        };
    }

    /// <summary>Null when there is no credential meant for the gateway: a front proxy's Basic login stays on the request.</summary>
    private Credential? ReadAuthorization(HttpRequest request, GatewaySettings settings, IPAddress? client)
    {
        var lines = request.Headers.Authorization;
        if (lines.Count == 0)
        {
            return null;
        }

        if (lines.Count > 1)
        {
            return Malformed("there is more than one Authorization header");
        }

        return lines[0] switch
        {
            { } bearer when bearer.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) =>
                ReadToken(bearer["Bearer ".Length..], client) ?? ReadKey(bearer["Bearer ".Length..], request, settings)
                    ?? Malformed("the bearer token is not a Headscale API key, nor a token of this gateway"),
            { } basic when basic.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) =>
                ReadBasic(BasicUserName(basic["Basic ".Length..]), request, settings, client),
            _ => null,
        };
    }

    private Credential? ReadBasic(string name, HttpRequest request, GatewaySettings settings, IPAddress? client) =>
        ReadToken(name, client) switch
        {
            null => ReadKey(name, request, settings),
            Credential.OfToken known => known with { IsAmbient = true },
            var rejected => rejected,
        };

    /// <summary>Null when it is no token of the gateway's own.</summary>
    private Credential? ReadToken(string text, IPAddress? client)
    {
        if (!text.StartsWith(Token.Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var (token, complaint) = tokens.Read(text, client);
        return complaint is null ? new Credential.OfToken(token!) : NoLonger(token, complaint);
    }

    /// <summary>What limits a token would be void if the person counted instead.</summary>
    private static bool IsToken(Credential? credential) => credential is Credential.OfToken or Credential.Rejected { IsToken: true };

    /// <summary>OAuth tokens are ways of /api/v2 only.</summary>
    private Credential? ReadKey(string key, HttpRequest request, GatewaySettings settings)
    {
        var passes = settings.Headscale.ApiKeyPassthrough;
        if (ApiKeyFormat.PrefixOf(key) is { } prefix)
        {
            return passes ? new Credential.HeadscaleKey(prefix, FingerprintOf(key)) : Malformed("headscale.api_key_passthrough is off");
        }

        return passes && TailnetApi.IsPath(request.Path) && ApiKeyFormat.TokenPrefixOf(key) is { } token
            ? new Credential.HeadscaleKey(token, FingerprintOf(key)) { IsToken = true }
            : null;
    }

    private string FingerprintOf(string key) => Convert.ToHexString(HMACSHA256.HashData(_fingerprintKey, Encoding.UTF8.GetBytes(key)));

    /// <summary>Whether an Authorization header has a token of the gateway's own, which is for nobody else.</summary>
    public static bool HasToken(StringValues lines) => lines.Count > 0 && lines.Any(one =>
        one?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) is true ? IsToken(one["Bearer ".Length..])
        : one?.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) is true && IsToken(BasicUserName(one["Basic ".Length..])));

    private static bool IsToken(string text) => text.TrimStart(' ').StartsWith(Token.Prefix, StringComparison.Ordinal);

    private static string BasicUserName(string encoded)
    {
        var bytes = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length).Split(':')[0] : "";
    }

    private static Credential.Rejected NoLonger(Token? token, string complaint) =>
        new(Reason.MalformedCredential, complaint) { IsToken = true, Token = token?.Label };

    private static Credential.Rejected Malformed(string detail) => new(Reason.MalformedCredential, detail);
}
