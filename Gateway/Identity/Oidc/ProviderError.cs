using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>An error as providers say it (RFC 6749 4.1.2.1 and 5.2): a code, and words for whoever runs the client.</summary>
/// <param name="Code"><c>error</c>.</param>
/// <param name="Description"><c>error_description</c>; the words differ by product, and often name the cause that the code hides.</param>
internal sealed record ProviderError(string? Code, string? Description)
{
    private const int LongestCode = 60;

    /// <summary>The error for the log: both parts cleaned, the description in quotes.</summary>
    public override string ToString() =>
        OutsideText.Clean(Code ?? "(no error code)", LongestCode)
        + (Description is { Length: > 0 } words ? $" \"{OutsideText.Clean(words)}\"" : "");

    /// <summary>The cause. The code decides; among causes that share a code, the words.</summary>
    /// <param name="usesPkce">Whether PKCE is on here.</param>
    /// <param name="other">What it is when neither says more.</param>
    public SignInFailure ToFailure(bool usesPkce, SignInFailure other) => Code switch
    {
        "access_denied" => SignInFailure.ProviderRefused,
        "invalid_client" or "unauthorized_client" => SignInFailure.ClientRejected,
        "invalid_scope" => SignInFailure.ScopeRejected,
        "server_error" or "temporarily_unavailable" => SignInFailure.ProviderFailing,
        "login_required" or "interaction_required" or "consent_required" or "account_selection_required" => SignInFailure.ProviderRefused,
        "invalid_request" or "invalid_grant" when Mentions(
            "pkce", "code_challenge", "code challenge", "proof key", "code_verifier", "code verifier") =>
            usesPkce ? SignInFailure.VerifierRejected : SignInFailure.PkceRequired,
        "invalid_request" or "invalid_grant" when Mentions("redirect_uri", "redirect uri", "redirect url") =>
            SignInFailure.RedirectRejected,
        "invalid_grant" => SignInFailure.CodeRejected,
        "invalid_request" or "unsupported_response_type" or "unsupported_response_mode" or "invalid_request_object"
            or "request_not_supported" => SignInFailure.RequestRejected,
        _ => other,
    };

    private bool Mentions(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (Description?.Contains(word, StringComparison.OrdinalIgnoreCase) is true)
            {
                return true;
            }
        }

        return false;
    }
}
