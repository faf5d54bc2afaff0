using System.Security.Claims;
using System.Text.Json;
using Gateway.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>
/// Whether a token was signed by the provider, for us, and is of now. The framework's code flow asks for tokens without
/// looking at signatures (<c>RequireSignedTokens = false</c>, allowed by OpenID Connect Core 3.1.3.7 over TLS alone), so what
/// it asks for is not listened to: everything that is demanded of a token stands here. The library checks the signature,
/// issuer and audience; everything that it leaves open is checked before and after it.
/// </summary>
internal sealed class IdTokenHandler(OidcSettings? settings, Provider provider, TimeProvider clock) : TokenHandler
{
    private const int LargestToken = 64 * 1024;
    private const int StrongRsaBits = 2048;
    private const string LogoutType = "logout+jwt";
    private const string Clocks = "are the clocks of gateway and provider right?";

    /// <summary>
    /// How long after its <c>iat</c> a logout token is good at most: as long as one is remembered. Back-Channel Logout 1.0 2.4 advises two
    /// minutes.
    /// </summary>
    internal static readonly TimeSpan LongestLogout = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan _skew = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _logoutLifetime = TimeSpan.FromMinutes(2);
    private static readonly string[] _algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
    private static readonly JsonDocumentOptions _unambiguous = new() { AllowDuplicateProperties = false };

    /// <summary>What a token is for. One for another purpose is none for this.</summary>
    private enum Purpose
    {
        Nothing = 0,
        SignIn,
        SignOut,
        UserInfo,
    }

    /// <summary>The settings that these rules are made of.</summary>
    /// <exception cref="SignInException">There are none.</exception>
    public OidcSettings Settings =>
        settings ?? throw new SignInException(SignInFailure.NotConfigured, "the section oidc is missing or off");

    /// <summary>What the framework calls for an ID token.</summary>
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        try
        {
            var (read, _) = await ReadAsync(token, Purpose.SignIn, isFromProvider: true, CancellationToken.None);
            return new TokenValidationResult { IsValid = true, SecurityToken = read, ClaimsIdentity = new ClaimsIdentity("oidc") };
        }
        catch (SignInException e)
        {
            return new TokenValidationResult { IsValid = false, Exception = e };
        }
    }

    /// <summary>A logout token's claims. Back-Channel Logout 1.0 2.4 requires <c>exp</c>, its drafts did not, and providers in use
    /// (Glewlwyd 2.7) send none: such a token is good for two minutes after its <c>iat</c>.</summary>
    /// <exception cref="SignInException">It is not acceptable.</exception>
    public async Task<JsonElement> ReadLogoutTokenAsync(string text, CancellationToken cancel) =>
        (await ReadAsync(text, Purpose.SignOut, isFromProvider: false, cancel)).Claims;

    /// <summary>User info as a signed token (OpenID Connect Core 5.3.2): it names issuer and audience, and need not say times.</summary>
    /// <exception cref="SignInException">It is not acceptable.</exception>
    public async Task<JsonElement> ReadUserInfoAsync(string text, CancellationToken cancel) =>
        (await ReadAsync(text, Purpose.UserInfo, isFromProvider: true, cancel)).Claims;

    /// <summary>The claims of a token that was read before.</summary>
    public static JsonElement ClaimsOf(string text) => PartOf(text, 1);

    /// <summary>A part of a token as JSON. No member may be there twice: two readers would take different ones.</summary>
    private static JsonElement PartOf(string text, int part)
    {
        using var document = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(text.Split('.')[part]), _unambiguous);
        return document.RootElement.Clone();
    }

    private async Task<(JsonWebToken Token, JsonElement Claims)> ReadAsync(
        string text, Purpose purpose, bool isFromProvider, CancellationToken cancel)
    {
        var (token, claims) = Parse(text);
        CheckHeader(token, purpose);
        var configuration = await provider.GetConfigurationAsync(cancel);
        if (configuration.Issuer != Settings.Issuer)
        {
            throw new SignInException(SignInFailure.IssuerMixedUp, "the settings name another provider since this sign-in began");
        }

        try
        {
            await VerifyAsync(token, configuration);
        }
        catch (SignInException e) when (e.Failure is SignInFailure.KeyUnknown or SignInFailure.SignatureInvalid)
        {
            // The provider may have new keys, under new ids or, against all advice, under the old ones.
            await VerifyAsync(token, await provider.RefreshAsync(configuration, isFromProvider, cancel));
        }

        CheckParty(claims, purpose);
        CheckTimes(claims, purpose);
        return (token, claims);
    }

    private static (JsonWebToken Token, JsonElement Claims) Parse(string text)
    {
        if (text.Length > LargestToken || text.Count(one => one == '.') != 2)
        {
            throw Malformed(
                text.Length > LargestToken ? "the token is too long" : "the token is not of three parts; encrypted ones are not supported");
        }

        try
        {
            var (header, claims) = (PartOf(text, 0), ClaimsOf(text));
            return (header.ValueKind, claims.ValueKind) is (JsonValueKind.Object, JsonValueKind.Object)
                ? (new JsonWebToken(text), claims)
                : throw Malformed("the token's parts are not JSON objects");
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException or JsonException or FormatException
            or InvalidOperationException)
        {
            throw new SignInException(SignInFailure.TokenMalformed, "the token is not a JWT", e);
        }
    }

    private static void CheckHeader(JsonWebToken token, Purpose purpose)
    {
        if (!_algorithms.Contains(token.Alg, StringComparer.Ordinal))
        {
            throw new SignInException(
                SignInFailure.AlgorithmNotAllowed, $"the token's algorithm '{token.Alg}' is not among {string.Join(", ", _algorithms)}");
        }

        if (token.TryGetHeaderValue<object>("crit", out _))
        {
            throw Malformed("the token has a 'crit' header, which nobody here understands");
        }

        if (token.Typ is not (null or "" or "JWT") && !(token.Typ == LogoutType && purpose is Purpose.SignOut))
        {
            throw Malformed($"the token is of type '{token.Typ}'");
        }
    }

    /// <summary>Signature, issuer and audience, with only those keys that may have made this signature.</summary>
    private async Task VerifyAsync(JsonWebToken token, OpenIdConnectConfiguration configuration)
    {
        var keys = KeysFor(token, configuration);
        if (keys.Count == 0)
        {
            throw new SignInException(SignInFailure.KeyUnknown, "the provider publishes no key that fits the token's 'kid' and 'alg'");
        }

        JsonWebKey[] strong = Settings.AllowWeakRsaKeys
            ? [.. keys]
            : [.. keys.Where(key => key.Kty != "RSA" || BitsOf(key) >= StrongRsaBits)];
        if (strong.Length == 0)
        {
            throw new SignInException(
                SignInFailure.KeyTooWeak,
                $"the provider's RSA key has fewer than {StrongRsaBits} bits; give it a longer one, or set oidc.allow_weak_rsa_keys");
        }

        var result = await new JsonWebTokenHandler { MaximumTokenSizeInBytes = LargestToken }.ValidateTokenAsync(token.EncodedToken,
            new TokenValidationParameters
            {
                // The library remembers keys by their id alone; two keys of one id must not be taken for each other.
                CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
                IssuerSigningKeys = strong,
                ValidAlgorithms = _algorithms,
                ValidIssuer = Settings.Issuer,
                ValidAudience = Settings.ClientId,
                IgnoreTrailingSlashWhenValidatingAudience = false,
#pragma warning disable CA5404 // Times are judged with the other claims in CheckTimes, by the purpose of the token.
                ValidateLifetime = false,
#pragma warning restore CA5404
            });
        if (!result.IsValid)
        {
            throw result.Exception switch
            {
                SecurityTokenInvalidIssuerException e =>
                    new SignInException(SignInFailure.IssuerWrong, $"the token's 'iss' is not oidc.issuer, '{Settings.Issuer}'", e),
                SecurityTokenInvalidAudienceException e =>
                    new SignInException(SignInFailure.AudienceWrong, $"the token's 'aud' is not oidc.client_id, '{Settings.ClientId}'", e),
                var e => new SignInException(SignInFailure.SignatureInvalid, "the token's signature is not the provider's", e),
            };
        }
    }

    /// <summary>The published keys that may have made this signature: same id, same kind, and no other algorithm or use.</summary>
    private static List<JsonWebKey> KeysFor(JsonWebToken token, OpenIdConnectConfiguration configuration) =>
    [
        .. configuration.JsonWebKeySet.Keys.Where(key => (token.Kid is not { Length: > 0 } id || key.Kid == id)
            && key.Kty == (token.Alg[0] == 'E' ? "EC" : "RSA")
            && key.Use is null or "" or "sig"
            && (key.Alg is null or "" || key.Alg == token.Alg)),
    ];

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

    /// <summary>OpenID Connect Core 3.1.3.7, 4 and 5: a token for several parties says which of them it was issued to.</summary>
    private void CheckParty(JsonElement claims, Purpose purpose)
    {
        var isForSeveral = claims.TryGetProperty("aud", out var audience) && audience.ValueKind is JsonValueKind.Array
            && audience.GetArrayLength() > 1;
        var isIssuedToUs = claims.TryGetProperty("azp", out var party) && party.ValueKind is not JsonValueKind.Null
            ? party.ValueKind is JsonValueKind.String && party.ValueEquals(Settings.ClientId)
            : !isForSeveral;
        if (purpose is not Purpose.UserInfo && !isIssuedToUs)
        {
            throw new SignInException(
                SignInFailure.AudienceWrong,
                isForSeveral ? "the token is for several audiences and not issued to us "
                    + "('azp')" : "the token was issued to another client ('azp')");
        }
    }

    private void CheckTimes(JsonElement claims, Purpose purpose)
    {
        var now = clock.GetUtcNow();
        var (issued, expires, notBefore) = (TimeOf(claims, "iat"), TimeOf(claims, "exp"), TimeOf(claims, "nbf"));
        if (!Has(claims, "exp"))
        {
            expires = purpose switch
            {
                Purpose.SignOut => issued + _logoutLifetime,
                Purpose.UserInfo => DateTimeOffset.MaxValue - _skew,
                Purpose.Nothing or Purpose.SignIn => null,
            };
        }

        if (purpose is Purpose.SignOut && issued + LongestLogout < expires)
        {
            expires = issued + LongestLogout;
        }

        var mayLackIssued = purpose is Purpose.UserInfo && !Has(claims, "iat");
        if (expires is null || (issued is null && !mayLackIssued) || (notBefore is null && Has(claims, "nbf")))
        {
            throw new SignInException(
                SignInFailure.TokenTimeMissing,
                $"the token's {(expires is null ? "'exp'" : issued is null && !mayLackIssued ? "'iat'" : "'nbf'")} is missing or no "
                + $"time (RFC 7519 2)");
        }

        if (expires + _skew < now)
        {
            throw new SignInException(SignInFailure.TokenExpired, $"the token has expired; {Clocks}");
        }

        if (issued - _skew > now || notBefore - _skew > now)
        {
            throw new SignInException(SignInFailure.TokenFromTheFuture, $"the token is from the future; {Clocks}");
        }

        if (purpose is Purpose.SignIn && Settings.MaxAge is { } oldest
            && !(TimeOf(claims, "auth_time") is { } signedIn && signedIn + oldest + _skew >= now))
        {
            throw new SignInException(
                SignInFailure.SignInTooOld,
                $"the token's 'auth_time' is missing, or longer ago than oidc.max_age, {oldest.TotalSeconds} s");
        }
    }

    private static bool Has(JsonElement claims, string name) => claims.TryGetProperty(name, out _);

    /// <summary>A NumericDate (RFC 7519 2); null when it is absent or none.</summary>
    private static DateTimeOffset? TimeOf(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var seconds)
            && seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds() - LongestLogout.TotalSeconds
                ? DateTimeOffset.FromUnixTimeSeconds((long)Math.Max(seconds, 0))
                : null;

    private static SignInException Malformed(string detail) => new(SignInFailure.TokenMalformed, detail);
}
