using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>Why a sign-in at the provider did not end in a session. Each has its sentence on the error page.</summary>
internal enum SignInFailure
{
    Unknown = 0,

    /// <summary>The section <c>oidc</c> is missing or off.</summary>
    NotConfigured,

    /// <summary>No answer, none in time, or a document that cannot be used. It may pass.</summary>
    ProviderUnavailable,

    /// <summary>The provider answered that it has a fault of its own. It may pass.</summary>
    ProviderFailing,

    /// <summary>The answer came by another method than GET.</summary>
    MethodNotAllowed,

    /// <summary>State missing or not ours.</summary>
    StateInvalid,

    /// <summary>State ours, and too old.</summary>
    StateExpired,

    /// <summary>State ours, and this browser has no cookie for it: lost, used before, or begun elsewhere.</summary>
    CookieMissing,

    /// <summary>A parameter came more than once.</summary>
    ParameterRepeated,

    /// <summary>A parameter came that belongs to another flow, or in a spelling that two readers take differently.</summary>
    ParameterUnexpected,

    /// <summary>The answer names another issuer (RFC 9207).</summary>
    IssuerMixedUp,

    /// <summary>The person declined, or the provider does not let them use this application.</summary>
    ProviderRefused,

    /// <summary>The provider does not understand the request as configured.</summary>
    RequestRejected,

    /// <summary>The provider does not know a scope, or does not give it to this client.</summary>
    ScopeRejected,

    /// <summary>The provider demands PKCE, and <c>oidc.use_pkce</c> is off.</summary>
    PkceRequired,

    /// <summary>The provider does not accept the <c>code_verifier</c>.</summary>
    VerifierRejected,

    /// <summary>The provider knows another redirect address.</summary>
    RedirectRejected,
    CodeMissing,

    /// <summary>The code was used before, is too old, or is not this client's.</summary>
    CodeRejected,
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

    /// <summary>A time that must be in the token is not, or is none.</summary>
    TokenTimeMissing,
    TokenExpired,
    TokenFromTheFuture,

    /// <summary>The person signed in at the provider longer ago than <c>oidc.max_age</c>.</summary>
    SignInTooOld,
    NonceWrong,
    AccessTokenHashWrong,

    /// <summary>No claim names the person.</summary>
    SubjectMissing,

    /// <summary>A claim names the person by something that cannot name anybody.</summary>
    SubjectUnusable,

    /// <summary>User info refuses or is not understood, and will again.</summary>
    UserInfoFailed,
    UserInfoOfAnother,

    /// <summary>Not in allowed_domains, allowed_groups or allowed_users.</summary>
    NotAllowed,

    /// <summary>The gateway could not store the person or the session.</summary>
    StoreUnavailable,
}

/// <summary>A sign-in that failed.</summary>
/// <param name="failure">Why.</param>
/// <param name="detail">For log and audit; holds no token, no code and no secret. What others wrote in it is cleaned here.</param>
/// <param name="inner">What was behind it.</param>
internal sealed class SignInException(
    SignInFailure failure, string detail, Exception? inner = null) : Exception(OutsideText.Clean(detail, 1000), inner)
{
    public SignInFailure Failure => failure;
}
