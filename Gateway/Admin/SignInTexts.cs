using Gateway.Identity.Oidc;

namespace Gateway.Admin;

/// <summary>What people read when a sign-in failed: what happened, and what to do. The log has the rest.</summary>
internal static class SignInTexts
{
    private const string TryAgain = "Please try again.";
    private const string AskAdministrator = "Ask an administrator to look up the reference below in the gateway's log.";

    public static (int Status, string Text, string Advice) Of(SignInFailure failure) => failure switch
    {
        SignInFailure.Unknown => (500, "Something went wrong in the gateway.", AskAdministrator),
        SignInFailure.NotConfigured => (501, "Single sign-on is not configured here.", "An administrator can set the section oidc."),
        SignInFailure.ProviderUnavailable => (503, "The sign-in provider cannot be reached.", "Please try again in a moment; a Headscale API key works meanwhile."),
        SignInFailure.StateInvalid => (400, "This sign-in is not known: it took too long, was finished before, or was begun in another browser.", "Please sign in again. If this repeats, allow cookies for this site."),
        SignInFailure.ParameterRepeated => (400, "The provider's answer was malformed.", TryAgain),
        SignInFailure.IssuerMixedUp => (400, "The answer came from another provider than the one that was asked.", AskAdministrator),
        SignInFailure.ProviderRefused => (403, "The provider did not sign you in.", "Please try again, or ask an administrator whether you may use this application."),
        SignInFailure.CodeMissing => (400, "The provider's answer was incomplete.", AskAdministrator),
        SignInFailure.TokenEndpointFailed => (502, "The provider did not accept its own answer back.", "Please sign in again. If this repeats, ask an administrator."),
        SignInFailure.ClientRejected => (502, "The provider does not accept this gateway: client id or client secret is wrong.", AskAdministrator),
        SignInFailure.TokenMissing => (502, "The provider sent no identity.", AskAdministrator),
        SignInFailure.TokenMalformed => (502, "The provider's identity token cannot be read.", AskAdministrator),
        SignInFailure.AlgorithmNotAllowed => (502, "The provider's identity token is signed in a way that is not accepted.", AskAdministrator),
        SignInFailure.KeyUnknown => (502, "The provider's identity token is signed with a key that the provider does not publish.", "Please try again in a moment. If this repeats, ask an administrator."),
        SignInFailure.KeyTooWeak => (502, "The provider's key is too short to be safe.", AskAdministrator),
        SignInFailure.SignatureInvalid => (502, "The provider's identity token has a wrong signature.", AskAdministrator),
        SignInFailure.IssuerWrong => (502, "The identity token was issued by somebody else than the configured provider.", "An administrator should compare oidc.issuer with the provider's own name, to the last slash."),
        SignInFailure.AudienceWrong => (502, "The identity token was made for another application.", AskAdministrator),
        SignInFailure.TokenExpired => (502, "The identity token has expired.", "An administrator should check the clocks of gateway and provider."),
        SignInFailure.TokenFromTheFuture => (502, "The identity token is from the future.", "An administrator should check the clocks of gateway and provider."),
        SignInFailure.NonceWrong => (502, "The identity token belongs to another sign-in.", TryAgain),
        SignInFailure.AccessTokenHashWrong => (502, "The provider's tokens do not belong together.", AskAdministrator),
        SignInFailure.SubjectMissing => (502, "The provider does not say who you are.", AskAdministrator),
        SignInFailure.UserInfoFailed => (502, "The provider did not give your details.", "Please try again in a moment. If this repeats, ask an administrator."),
        SignInFailure.UserInfoOfAnother => (502, "The provider gave the details of somebody else.", AskAdministrator),
        SignInFailure.NotAllowed => (403, "Your account may not sign in here.", "Ask an administrator to add you, your group or your domain."),
        SignInFailure.StoreUnavailable => (503, "The gateway cannot store the sign-in.", AskAdministrator),
    };
}
