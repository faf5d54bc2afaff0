using System.IdentityModel.Tokens.Jwt;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Settings;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>What an attempt to sign in was begun with; it comes back protected in <c>state</c>.</summary>
/// <param name="Nonce">Binds the ID token to this attempt.</param>
/// <param name="Verifier">Binds the code to this attempt (RFC 7636); null without PKCE.</param>
/// <param name="RedirectUri">The redirect address as it was sent.</param>
internal sealed record SignInAttempt(string Nonce, string? Verifier, string RedirectUri);

/// <summary>Someone the provider signed in.</summary>
/// <param name="Caller">Who.</param>
/// <param name="IdToken">The token, which signing out there may need.</param>
/// <param name="ProviderSession">The provider's own session (<c>sid</c>), which it names when it ends it.</param>
internal sealed record SignedInAtProvider(Caller Caller, string IdToken, string? ProviderSession);

/// <summary>From a code to a person: token endpoint, ID token, user info, and who may sign in at all.</summary>
internal sealed class SignIn(TokenEndpoint tokens, SignedToken signed, ProviderHttp http)
{
    /// <exception cref="SignInException">Nobody is signed in; the failure says why.</exception>
    public async Task<SignedInAtProvider> CompleteAsync(string code, SignInAttempt attempt, ProviderMetadata metadata, OidcSettings settings, CancellationToken cancel)
    {
        var received = await tokens.RedeemAsync(code, attempt.RedirectUri, attempt.Verifier, metadata, settings, cancel);
        var idToken = await signed.ReadIdTokenAsync(received.IdToken, metadata, settings, cancel);
        CheckBinding(idToken, received, attempt);

        using var payload = JsonDocument.Parse(Base64UrlEncoder.Decode(idToken.RawPayload));
        var claims = new Claims(payload.RootElement, null);
        using var more = claims.AreIncomplete(settings) ? await GetUserInfoAsync(received, idToken, metadata, cancel) : null;
        var caller = new Claims(payload.RootElement, more?.RootElement).ToCaller(settings);
        if (Refuse(caller, settings.Access) is { } complaint)
        {
            throw new SignInException(SignInFailure.NotAllowed, complaint);
        }

        return new(caller, received.IdToken, idToken.Payload.TryGetValue("sid", out var sid) ? sid as string : null);
    }

    /// <summary>Nonce and access token hash: this token was made for this attempt, with this access token.</summary>
    private static void CheckBinding(JwtSecurityToken idToken, Tokens received, SignInAttempt attempt)
    {
        if (idToken.Payload.Nonce is not { } nonce || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(attempt.Nonce)))
        {
            throw new SignInException(SignInFailure.NonceWrong, "the token's 'nonce' is not the one of this attempt");
        }

        if (idToken.Payload.TryGetValue("at_hash", out var hash) && (received.AccessToken is not { } access || hash as string != HashOf(access, idToken.Header.Alg)))
        {
            throw new SignInException(SignInFailure.AccessTokenHashWrong, "the token's 'at_hash' is not that of the access token");
        }
    }

    /// <summary>OpenID Connect Core 3.1.3.6: the left half of the hash that the signature uses.</summary>
    private static string HashOf(string accessToken, string algorithm)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm[2..] switch
        {
            "256" => SHA256.HashData(bytes),
            "384" => SHA384.HashData(bytes),
            _ => SHA512.HashData(bytes),
        };
        return Base64UrlEncoder.Encode(hash[..(hash.Length / 2)]);
    }

    /// <summary>User info is a second answer from elsewhere: without the same subject it is about somebody else (OpenID Connect Core 5.3.2).</summary>
    private async Task<JsonDocument?> GetUserInfoAsync(Tokens received, JwtSecurityToken idToken, ProviderMetadata metadata, CancellationToken cancel)
    {
        if (metadata.UserInfoEndpoint is not { Length: > 0 } endpoint || received.AccessToken is not { } access)
        {
            return null;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint);
        request.Headers.Authorization = new("Bearer", access);
        var answer = await http.SendAsync(request, cancel);
        if (!answer.IsSuccess || answer.MediaType is not "application/json")
        {
            throw new SignInException(SignInFailure.UserInfoFailed, $"{endpoint} answered {answer.Status} with {answer.MediaType ?? "no media type"}");
        }

        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(answer.Body);
            if (document.RootElement.ValueKind is JsonValueKind.Object && idToken.Subject is { } subject
                && document.RootElement.TryGetProperty("sub", out var named) && named.ValueKind is JsonValueKind.String && named.GetString() == subject)
            {
                return document;
            }
        }
        catch (JsonException e)
        {
            throw new SignInException(SignInFailure.UserInfoFailed, $"{endpoint} did not answer with JSON", e);
        }

        document.Dispose();
        throw new SignInException(SignInFailure.UserInfoOfAnother, $"{endpoint} does not name the subject of the token");
    }

    /// <summary>Why this person may not sign in; null when they may. Addresses count only when the provider verified them.</summary>
    private static string? Refuse(Caller caller, OidcAccess access)
    {
        var email = caller.EmailIsVerified || caller.EmailIsTrusted ? caller.Email : null;
        if (access.Domains.Count > 0 && !access.Domains.Any(domain => email?.EndsWith("@" + domain, StringComparison.OrdinalIgnoreCase) is true))
        {
            return "no verified e-mail address in oidc.allowed_domains";
        }

        if (access.Groups.Count > 0 && !access.Groups.Intersect(caller.Groups, StringComparer.Ordinal).Any())
        {
            return "in none of oidc.allowed_groups";
        }

        return access.Users.Count > 0 && (email is null || !access.Users.Contains(email, StringComparer.OrdinalIgnoreCase)) ? "no verified e-mail address in oidc.allowed_users" : null;
    }
}
