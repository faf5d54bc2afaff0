using System.IdentityModel.Tokens.Jwt;
using System.Security.Cryptography;
using Gateway.Settings;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>
/// Whether a token was signed by the provider, for us, and is of now. The library checks the signature; everything that it
/// leaves open in this version is checked here: algorithm list, <c>crit</c>, the key's own algorithm, its size.
/// </summary>
internal sealed class SignedToken(Provider provider, TimeProvider clock)
{
    private const int LargestToken = 64 * 1024;
    private const int StrongRsaBits = 2048;
    private const int LongestSubject = 255;

    private const string Expired = "the token has expired or says no 'exp'; are the clocks of gateway and provider right?";
    private const string LogoutType = "logout+jwt";

    private static readonly TimeSpan _skew = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _logoutLifetime = TimeSpan.FromMinutes(2);
    private static readonly string[] _algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>An ID token, once everything was checked that needs no knowledge of the sign-in.</summary>
    /// <exception cref="SignInException">It is not acceptable.</exception>
    public Task<JwtSecurityToken> ReadIdTokenAsync(string text, ProviderMetadata metadata, OidcSettings settings, CancellationToken cancel) =>
        ReadAsync(text, null, metadata, settings, cancel);

    /// <summary>
    /// A logout token, checked likewise. Back-Channel Logout 1.0 requires <c>exp</c>, its drafts did not, and providers in use
    /// (Glewlwyd 2.7) send none: such a token is good for two minutes after its <c>iat</c>.
    /// </summary>
    /// <exception cref="SignInException">It is not acceptable.</exception>
    public Task<JwtSecurityToken> ReadLogoutTokenAsync(string text, ProviderMetadata metadata, OidcSettings settings, CancellationToken cancel) =>
        ReadAsync(text, LogoutType, metadata, settings, cancel);

    private async Task<JwtSecurityToken> ReadAsync(string text, string? type, ProviderMetadata metadata, OidcSettings settings, CancellationToken cancel)
    {
        var token = Parse(text);
        var header = token.Header;
        if (!_algorithms.Contains(header.Alg, StringComparer.Ordinal))
        {
            throw new SignInException(SignInFailure.AlgorithmNotAllowed, $"the token's algorithm '{header.Alg}' is not among {string.Join(", ", _algorithms)}");
        }

        if (header.ContainsKey("crit"))
        {
            throw new SignInException(SignInFailure.TokenMalformed, "the token has a 'crit' header, which nobody here understands");
        }

        // A token for one purpose is none for another.
        if (header.Typ is not (null or "" or "JWT") && header.Typ != type)
        {
            throw new SignInException(SignInFailure.TokenMalformed, $"the token is of type '{header.Typ}'");
        }

        try
        {
            Verify(text, KeysFor(header, metadata), settings);
        }
        catch (SignInException e) when (e.Failure is SignInFailure.KeyUnknown or SignInFailure.SignatureInvalid)
        {
            // The provider may have new keys, under new ids or, against all advice, under the old ones.
            Verify(text, KeysFor(header, await provider.RefreshAsync(metadata, cancel)), settings);
        }

        CheckClaims(token, type, settings);
        return token;
    }

    private static JwtSecurityToken Parse(string text)
    {
        if (text.Length > LargestToken || text.Count(one => one == '.') != 2)
        {
            throw new SignInException(SignInFailure.TokenMalformed, text.Length > LargestToken ? "the token is too long" : "the token is not of three parts; encrypted ones are not supported");
        }

        try
        {
            return new JwtSecurityTokenHandler { MaximumTokenSizeInBytes = LargestToken }.ReadJwtToken(text);
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException or Newtonsoft.Json.JsonException or FormatException)
        {
            throw new SignInException(SignInFailure.TokenMalformed, "the token is not a JWT", e);
        }
    }

    /// <summary>The published keys that may have made this signature: same id, same kind, and no other algorithm or use.</summary>
    private static List<JsonWebKey> KeysFor(JwtHeader header, ProviderMetadata metadata) =>
    [
        .. metadata.Keys.Where(key => (header.Kid is not { Length: > 0 } id || key.Kid == id)
            && key.Kty == (header.Alg[0] == 'E' ? "EC" : "RSA")
            && key.Use is null or "" or "sig"
            && (key.Alg is null or "" || key.Alg == header.Alg)),
    ];

    private void Verify(string text, List<JsonWebKey> keys, OidcSettings settings)
    {
        if (keys.Count == 0)
        {
            throw new SignInException(SignInFailure.KeyUnknown, "the provider publishes no key that fits the token's 'kid' and 'alg'");
        }

        var strong = settings.AllowWeakRsaKeys ? keys : [.. keys.Where(key => key.Kty != "RSA" || BitsOf(key) >= StrongRsaBits)];
        if (strong.Count == 0)
        {
            throw new SignInException(SignInFailure.KeyTooWeak, $"the provider's RSA key has fewer than {StrongRsaBits} bits; give it a longer one, or set oidc.allow_weak_rsa_keys");
        }

        try
        {
            new JwtSecurityTokenHandler { MaximumTokenSizeInBytes = LargestToken }.ValidateToken(text, new TokenValidationParameters
            {
                // The library remembers keys by their id alone; two keys of one id must not be taken for each other.
                CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
                IssuerSigningKeys = [.. strong.Select(ToKey)],
                ValidIssuer = settings.Issuer,
                ValidAudience = settings.ClientId,
                // A missing 'exp' is judged with the other claims; the signature is needed first.
                LifetimeValidator = (_, expires, _, _) => expires is null || expires + _skew >= clock.GetUtcNow(),
            }, out _);
        }
        catch (SecurityTokenInvalidIssuerException e)
        {
            throw new SignInException(SignInFailure.IssuerWrong, $"the token's 'iss' is not oidc.issuer, '{settings.Issuer}'", e);
        }
        catch (SecurityTokenInvalidAudienceException e)
        {
            throw new SignInException(SignInFailure.AudienceWrong, $"the token's 'aud' is not oidc.client_id, '{settings.ClientId}'", e);
        }
        catch (SecurityTokenInvalidLifetimeException e)
        {
            throw new SignInException(SignInFailure.TokenExpired, Expired, e);
        }
        catch (Exception e) when (e is SecurityTokenException or ArgumentException or InvalidOperationException or NotSupportedException or CryptographicException or FormatException)
        {
            throw new SignInException(SignInFailure.SignatureInvalid, "the token's signature is not the provider's", e);
        }
    }

    private void CheckClaims(JwtSecurityToken token, string? type, OidcSettings settings)
    {
        var payload = token.Payload;
        var audiences = token.Audiences.ToArray();
        if (payload.Azp is { } party ? party != settings.ClientId : audiences.Length > 1)
        {
            throw new SignInException(SignInFailure.AudienceWrong, audiences.Length > 1 ? "the token is for several audiences and not issued to us ('azp')" : "the token was issued to another client ('azp')");
        }

        var now = clock.GetUtcNow();
        var issued = TimeOf(payload, "iat");
        var expires = payload.ContainsKey("exp") || type is not LogoutType ? TimeOf(payload, "exp") : issued + _logoutLifetime;
        if (!(expires + _skew >= now))
        {
            throw new SignInException(SignInFailure.TokenExpired, Expired);
        }

        if (issued is null || issued - _skew > now || TimeOf(payload, "nbf") - _skew > now)
        {
            throw new SignInException(SignInFailure.TokenFromTheFuture, "the token is from the future or says no 'iat'; are the clocks of gateway and provider right?");
        }

        if (token.Subject is { } subject && (subject.Length > LongestSubject || subject.Any(char.IsControl)))
        {
            throw new SignInException(SignInFailure.SubjectMissing, "the token's 'sub' is not a printable text of at most 255 characters");
        }
    }

    private static DateTimeOffset? TimeOf(JwtPayload payload, string name)
    {
        try
        {
            return payload.TryGetValue(name, out var value) && value is long or int or double
                ? DateTimeOffset.FromUnixTimeSeconds(Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture))
                : null;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>0 for a key without a readable modulus.</summary>
    private static int BitsOf(JsonWebKey key)
    {
        try
        {
            return key.N is null ? 0 : Base64UrlEncoder.DecodeBytes(key.N).SkipWhile(one => one == 0).Count() * 8;
        }
        catch (FormatException)
        {
            return 0;
        }
    }

    private static SecurityKey ToKey(JsonWebKey key) => key.Kty == "RSA"
        ? new RsaSecurityKey(new RSAParameters { Modulus = Base64UrlEncoder.DecodeBytes(key.N), Exponent = Base64UrlEncoder.DecodeBytes(key.E) }) { KeyId = key.Kid }
        : new ECDsaSecurityKey(ECDsa.Create(new ECParameters
        {
            Curve = key.Crv switch
            {
                "P-256" => ECCurve.NamedCurves.nistP256,
                "P-384" => ECCurve.NamedCurves.nistP384,
                "P-521" => ECCurve.NamedCurves.nistP521,
                _ => throw new NotSupportedException($"the curve {key.Crv} is not supported"),
            },
            Q = new ECPoint { X = Base64UrlEncoder.DecodeBytes(key.X), Y = Base64UrlEncoder.DecodeBytes(key.Y) },
        }))
        { KeyId = key.Kid };
}
