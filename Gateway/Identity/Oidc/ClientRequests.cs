using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>
/// The requests in which the client shows itself: redeeming codes and pushing authorization requests. Which way of showing
/// itself a provider takes is tried once and then remembered (OpenID Connect Core 9).
/// </summary>
internal sealed class ClientRequests(ProviderHttp http, TimeProvider clock)
{
    private static readonly TimeSpan _assertionLifetime = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Issuer, string ClientId), ClientAuthentication> _works = new();

    /// <summary>Redeems a code.</summary>
    /// <returns>A message with <c>id_token</c> and <c>access_token</c>; nothing else of the answer is used.</returns>
    /// <exception cref="SignInException">There are no tokens.</exception>
    public async Task<OpenIdConnectMessage> RedeemAsync(
        IDictionary<string, string> form, OpenIdConnectConfiguration configuration, OidcSettings settings, CancellationToken cancel)
    {
        // Beside Basic, strict providers take the id in the body for a second way of showing oneself; where it belongs, it is added.
        var fields = form.Where(one => one.Key != "client_id").ToDictionary(one => one.Key, one => one.Value);
        var answer = await PostAsync(
            configuration.TokenEndpoint, fields, configuration, settings, SignInFailure.TokenEndpointFailed, cancel);
        if (Text(answer, "id_token") is not { Length: > 0 } token)
        {
            throw new SignInException(
                SignInFailure.TokenMissing, $"{configuration.TokenEndpoint} gave no id_token; does oidc.scope contain openid?");
        }

        // RFC 6749 5.1 demands it, and the framework relies on it.
        return Text(answer, "access_token") is { Length: > 0 } access
            ? new OpenIdConnectMessage { IdToken = token, AccessToken = access }
            : throw new SignInException(SignInFailure.TokenMissing, $"{configuration.TokenEndpoint} gave no access_token");
    }

    /// <summary>Pushes an authorization request (RFC 9126).</summary>
    /// <returns>The <c>request_uri</c> that stands for it.</returns>
    /// <exception cref="SignInException">The provider did not take it.</exception>
    public async Task<string> PushAsync(
        IDictionary<string, string> parameters, OpenIdConnectConfiguration configuration, OidcSettings settings, CancellationToken cancel)
    {
        var endpoint = configuration.PushedAuthorizationRequestEndpoint;
        var answer = await PostAsync(endpoint, parameters, configuration, settings, SignInFailure.RequestRejected, cancel);
        return Text(answer, "request_uri") is { Length: > 0 } address
            ? address
            : throw new SignInException(SignInFailure.RequestRejected, $"{endpoint} gave no request_uri");
    }

    private async Task<ProviderAnswer> PostAsync(
        string endpoint, IDictionary<string, string> form, OpenIdConnectConfiguration configuration, OidcSettings settings,
            SignInFailure otherwise, CancellationToken cancel)
    {
        var key = (settings.Issuer, settings.ClientId);
        var isAutomatic = settings.ClientAuthentication is ClientAuthentication.Automatic;
        var way = !isAutomatic ? settings.ClientAuthentication : _works.TryGetValue(key, out var known) ? known : Preferred(configuration);
        var answer = await SendAsync(endpoint, form, way, settings, cancel);
        if (isAutomatic && !answer.IsSuccess && ErrorOf(answer).Code is "invalid_client" or "unauthorized_client")
        {
            way = way is ClientAuthentication.ClientSecretBasic
                ? ClientAuthentication.ClientSecretPost
                : ClientAuthentication.ClientSecretBasic;
            answer = await SendAsync(endpoint, form, way, settings, cancel);
        }

        if (!answer.IsSuccess)
        {
            throw Failed(endpoint, answer, settings, otherwise);
        }

        if (isAutomatic)
        {
            _works[key] = way;
        }

        return answer;
    }

    private static ClientAuthentication Preferred(OpenIdConnectConfiguration configuration) =>
        configuration.TokenEndpointAuthMethodsSupported.Contains("client_secret_post")
            && !configuration.TokenEndpointAuthMethodsSupported.Contains("client_secret_basic")
            ? ClientAuthentication.ClientSecretPost
            : ClientAuthentication.ClientSecretBasic;

    private Task<ProviderAnswer> SendAsync(
        string endpoint, IDictionary<string, string> form, ClientAuthentication way, OidcSettings settings, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        var fields = new Dictionary<string, string>(form);
        switch (way)
        {
            case ClientAuthentication.ClientSecretPost:
                fields["client_id"] = settings.ClientId;
                fields["client_secret"] = settings.ClientSecret!.Reveal();
                break;
            case ClientAuthentication.PrivateKeyJwt:
                fields["client_id"] = settings.ClientId;
                fields["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                fields["client_assertion"] = MakeAssertion(settings);
                break;
            case ClientAuthentication.None:
                fields["client_id"] = settings.ClientId;
                break;
            case ClientAuthentication.Automatic or ClientAuthentication.ClientSecretBasic:
                // RFC 6749 2.3.1: both are form-encoded before they are joined.
                var pair = $"{Uri.EscapeDataString(settings.ClientId)}:{Uri.EscapeDataString(settings.ClientSecret!.Reveal())}";
                request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
                break;
        }

        request.Content = new FormUrlEncodedContent(fields);
        return http.SendAsync(request, cancel);
    }

    /// <summary>RFC 7523 3: from us, to the provider by its own name, once and for a minute.</summary>
    private string MakeAssertion(OidcSettings settings)
    {
        using var key = ClientKey.Read(settings.ClientKey!);
        var now = clock.GetUtcNow();
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = settings.ClientId,
            Audience = settings.Issuer,
            IssuedAt = now.UtcDateTime,
            Expires = (now + _assertionLifetime).UtcDateTime,
            Claims = new Dictionary<string, object>
            {
                ["sub"] = settings.ClientId,
                ["jti"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
            },
            SigningCredentials = new(
                key.SecurityKey, key.Algorithm)
            { CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } },
        });
    }

    private static SignInException Failed(string endpoint, ProviderAnswer answer, OidcSettings settings, SignInFailure otherwise)
    {
        var error = ErrorOf(answer);
        var failure = answer.IsFailing ? SignInFailure.ProviderFailing : error.ToFailure(settings.UsePkce, otherwise);
        var guess = failure is SignInFailure.CodeRejected
            ? "; probably the code was used before or is too old, or the redirect address is not the registered one"
            : "";
        return new SignInException(failure, $"{endpoint} answered {answer.Status} {error}{guess}");
    }

    private static ProviderError ErrorOf(ProviderAnswer answer) => new(Text(answer, "error"), Text(answer, "error_description"));

    private static string? Text(ProviderAnswer answer, string name)
    {
        try
        {
            using var json = JsonDocument.Parse(answer.Body);
            return json.RootElement.ValueKind is JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var value)
                ? Claims.StringOf(value)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
