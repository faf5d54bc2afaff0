namespace Gateway.Identity.Oidc;

/// <summary>Why a sign-in at the provider did not end in a session. Each has its sentence on the error page.</summary>
internal enum SignInFailure
{
    Unknown = 0,

    /// <summary>The section <c>oidc</c> is missing or off.</summary>
    NotConfigured,
    ProviderUnavailable,

    /// <summary>State missing, forged, too old, or of another browser.</summary>
    StateInvalid,

    /// <summary>A parameter came more than once.</summary>
    ParameterRepeated,

    /// <summary>The answer names another issuer (RFC 9207).</summary>
    IssuerMixedUp,

    /// <summary>The person declined, or the provider refused.</summary>
    ProviderRefused,
    CodeMissing,
    TokenEndpointFailed,

    /// <summary>The provider does not know the client id, or not with this secret.</summary>
    ClientRejected,
    TokenMissing,
    TokenMalformed,
    AlgorithmNotAllowed,
    KeyUnknown,
    KeyTooWeak,
    SignatureInvalid,
    IssuerWrong,
    AudienceWrong,
    TokenExpired,
    TokenFromTheFuture,
    NonceWrong,
    AccessTokenHashWrong,
    SubjectMissing,
    UserInfoFailed,
    UserInfoOfAnother,

    /// <summary>Not in allowed_domains, allowed_groups or allowed_users.</summary>
    NotAllowed,

    /// <summary>The gateway could not store the person or the session.</summary>
    StoreUnavailable,
}

/// <summary>A sign-in that failed.</summary>
/// <param name="failure">Why.</param>
/// <param name="detail">For the log; holds no token, no code and no secret.</param>
internal sealed class SignInException(SignInFailure failure, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public SignInFailure Failure => failure;

    /// <summary>An OAuth error code as the log may show it: cut down to what such codes are made of.</summary>
    public static string Clean(string errorCode) => string.Concat(errorCode.Where(one => char.IsAsciiLetterOrDigit(one) || one == '_').Take(40));
}
