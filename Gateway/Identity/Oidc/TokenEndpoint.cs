using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>What the token endpoint gave for a code.</summary>
internal sealed record Tokens(string IdToken, string? AccessToken);

/// <summary>Redeems codes. Which way of showing itself a provider takes is tried once and then remembered.</summary>
internal sealed class TokenEndpoint(ProviderHttp http)
{
    private readonly ConcurrentDictionary<(string Endpoint, string ClientId), ClientAuthentication> _works = new();

    /// <exception cref="SignInException">There are no tokens.</exception>
    public async Task<Tokens> RedeemAsync(string code, string redirectUri, string? verifier, ProviderMetadata metadata, OidcSettings settings, CancellationToken cancel)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirectUri };
        if (verifier is not null)
        {
            form["code_verifier"] = verifier;
        }

        var key = (metadata.TokenEndpoint, settings.ClientId);
        var first = settings.ClientAuthentication is not ClientAuthentication.Automatic ? settings.ClientAuthentication
            : _works.TryGetValue(key, out var known) ? known
            : Preferred(metadata);
        var answer = await SendAsync(form, first, metadata, settings, cancel);
        if (settings.ClientAuthentication is ClientAuthentication.Automatic && IsClientRejected(answer))
        {
            first = first is ClientAuthentication.ClientSecretBasic ? ClientAuthentication.ClientSecretPost : ClientAuthentication.ClientSecretBasic;
            answer = await SendAsync(form, first, metadata, settings, cancel);
        }

        var tokens = Read(answer, metadata);
        _works[key] = first;
        return tokens;
    }

    private static ClientAuthentication Preferred(ProviderMetadata metadata) =>
        metadata.ClientAuthentications.Contains("client_secret_post") && !metadata.ClientAuthentications.Contains("client_secret_basic")
            ? ClientAuthentication.ClientSecretPost
            : ClientAuthentication.ClientSecretBasic;

    private Task<ProviderAnswer> SendAsync(
        Dictionary<string, string> form, ClientAuthentication how, ProviderMetadata metadata, OidcSettings settings, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        var fields = new Dictionary<string, string>(form);
        if (how is ClientAuthentication.ClientSecretPost)
        {
            fields["client_id"] = settings.ClientId;
            fields["client_secret"] = settings.ClientSecret.Reveal();
        }
        else
        {
            // RFC 6749 2.3.1: both are form-encoded before they are joined.
            var pair = $"{Uri.EscapeDataString(settings.ClientId)}:{Uri.EscapeDataString(settings.ClientSecret.Reveal())}";
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }

        request.Content = new FormUrlEncodedContent(fields);
        return http.SendAsync(request, cancel);
    }

    private static bool IsClientRejected(ProviderAnswer answer) =>
        answer.Status is StatusCodes.Status400BadRequest or StatusCodes.Status401Unauthorized && ErrorOf(answer) is "invalid_client" or "unauthorized_client";

    private static Tokens Read(ProviderAnswer answer, ProviderMetadata metadata)
    {
        if (!answer.IsSuccess)
        {
            var error = ErrorOf(answer);
            throw new SignInException(
                IsClientRejected(answer) ? SignInFailure.ClientRejected : SignInFailure.TokenEndpointFailed,
                $"{metadata.TokenEndpoint} answered {answer.Status} {error}{(error is "invalid_grant" ? ": the code was used before or is too old, or the verifier is not its" : "")}");
        }

        return Text(answer, "id_token") is { Length: > 0 } token
            ? new Tokens(token, Text(answer, "access_token"))
            : throw new SignInException(SignInFailure.TokenMissing, $"{metadata.TokenEndpoint} gave no id_token; does oidc.scope contain openid?");
    }

    private static string? ErrorOf(ProviderAnswer answer) => Text(answer, "error") is { } error ? SignInException.Clean(error) : null;

    private static string? Text(ProviderAnswer answer, string name)
    {
        try
        {
            using var json = JsonDocument.Parse(answer.Body);
            return json.RootElement.ValueKind is JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
