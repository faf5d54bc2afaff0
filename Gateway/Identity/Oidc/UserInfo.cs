using System.Text.Json;

namespace Gateway.Identity.Oidc;

/// <summary>Asks the provider for what the token does not say (OpenID Connect Core 5.3), as JSON or as a signed token.</summary>
internal sealed class UserInfo(Provider provider, ProviderHttp http)
{
    private const string TokenType = "application/jwt";

    /// <summary>
    /// User info is a second answer from elsewhere: without the same subject it is about somebody else (OpenID Connect Core 5.3.2).
    /// </summary>
    /// <param name="tokens">Reads an answer that is a signed token.</param>
    /// <exception cref="SignInException">There is no answer that is about the subject of the token.</exception>
    public async Task<JsonElement?> GetAsync(string? accessToken, JsonElement idToken, IdTokenHandler tokens, CancellationToken cancel)
    {
        var configuration = await provider.GetConfigurationAsync(cancel);
        if (configuration.UserInfoEndpoint is not { Length: > 0 } endpoint || accessToken is null)
        {
            return null;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint);
        request.Headers.Authorization = new("Bearer", accessToken);
        var answer = await http.SendAsync(request, cancel);
        if (!answer.IsSuccess)
        {
            throw new SignInException(
                answer.IsFailing ? SignInFailure.ProviderFailing : SignInFailure.UserInfoFailed,
                $"{endpoint} answered {answer.Status}");
        }

        var info = answer.MediaType switch
        {
            "application/json" => Read(endpoint, answer.Body),
            TokenType => await ReadTokenAsync(endpoint, answer.Body, tokens, cancel),
            var other =>
                throw new SignInException(
                    SignInFailure.UserInfoFailed,
                    $"{endpoint} answered with {other ?? "no media type"}, and neither application/json nor {TokenType}"),
        };
        return info.ValueKind is JsonValueKind.Object && info.TryGetProperty("sub", out var named)
            && idToken.GetProperty("sub") is { ValueKind: JsonValueKind.String } subject
            && named.ValueKind is JsonValueKind.String && named.ValueEquals(subject.GetString())
                ? info
                : throw new SignInException(SignInFailure.UserInfoOfAnother, $"{endpoint} does not name the subject of the token");
    }

    private static async Task<JsonElement> ReadTokenAsync(string endpoint, string text, IdTokenHandler tokens, CancellationToken cancel)
    {
        try
        {
            return await tokens.ReadUserInfoAsync(text, cancel);
        }
        catch (SignInException e) when (e.Failure is not SignInFailure.ProviderUnavailable)
        {
            throw new SignInException(
                SignInFailure.UserInfoFailed, $"{endpoint} answered with a token that is not acceptable: {e.Failure}: {e.Message}", e);
        }
    }

    private static JsonElement Read(string endpoint, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new SignInException(SignInFailure.UserInfoFailed, $"{endpoint} did not answer with JSON", e);
        }
    }
}
