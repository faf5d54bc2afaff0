using Gateway.Identity.Oidc;

namespace Gateway.Web.SignIn;

/// <summary>What people read when a sign-in failed: what happened, and what to do. The log has the rest.</summary>
internal static class SignInTexts
{
    public const string NotConfigured = "Single sign-on is not configured here.";
    public const string NotConfiguredAdvice = "An administrator can set the section oidc.";

    private const string TryAgain = "Please try again.";
    private const string AskAdministrator = "Ask an administrator to look up the reference below in the gateway's log.";

    private const string Clocks = "An administrator should check the clocks of gateway and provider.";
    private const string Later = "Please try again in a moment; this may pass by itself.";

    /// <summary>Status, what happened and what to do.</summary>
    /// <param name="failure">Why nobody was signed in.</param>
    /// <param name="redirectAddress">The address that the provider has to know.</param>
    public static (int Status, string Text, string Advice) Of(SignInFailure failure, string redirectAddress) => failure switch
    {
        SignInFailure.Unknown => (500, "Something went wrong in the gateway.", AskAdministrator),
        SignInFailure.NotConfigured => (501, NotConfigured, NotConfiguredAdvice),
        SignInFailure.ProviderUnavailable => (503, "The sign-in provider cannot be reached.", "Please try again in a moment."),
        SignInFailure.ProviderFailing => (502, "The sign-in provider has a fault of its own.", Later),
        SignInFailure.MethodNotAllowed =>
            (400, "The provider's answer came in a way that is not accepted.", "An administrator should see to it that the provider "
                + "answers with response_mode=query."),
        SignInFailure.StateInvalid => (400, "This is not the answer to a sign-in that was begun here.", "Please sign in again."),
        SignInFailure.StateExpired => (400, "This sign-in took too long.", "Please sign in again."),
        SignInFailure.CookieMissing =>
            (400, "This browser does not know the sign-in: its cookie was lost, or the sign-in was finished before or begun in another "
                + "browser.", "Please sign in again. If this repeats, allow cookies for this site, and begin at the address that this "
                    + "page has."),
        SignInFailure.ParameterRepeated => (400, "The provider's answer was malformed.", TryAgain),
        SignInFailure.ParameterUnexpected =>
            (400, "The provider's answer is not of the kind that was asked for.", "An administrator should see to it that the provider "
                + "answers with response_type=code."),
        SignInFailure.IssuerMixedUp => (400, "The answer came from another provider than the one that was asked.", AskAdministrator),
        SignInFailure.ProviderRefused =>
            (403, "The provider did not sign you in.", "Please try again, or ask an administrator whether you may use this application."),
        SignInFailure.RequestRejected =>
            (502, "The provider does not accept the way in which the gateway asks.", "An administrator finds the provider's own words "
                + "under the reference below in the gateway's log."),
        SignInFailure.ScopeRejected =>
            (502, "The provider does not give what the gateway asks for.", "An administrator should compare oidc.scope with the scopes "
                + "that the provider lets this client have."),
        SignInFailure.PkceRequired =>
            (502, "The provider demands PKCE, and it is switched off here.", "An administrator should set oidc.use_pkce: true."),
        SignInFailure.VerifierRejected =>
            (502, "The provider does not accept the gateway's PKCE proof (code_verifier).", "Please sign in again. If this repeats, an "
                + "administrator should allow PKCE with S256 for this client at the provider."),
        SignInFailure.RedirectRejected =>
            (502, "The provider knows another address to send you back to.", $"An administrator should register this redirect address "
                + $"at the provider, letter by letter: {redirectAddress}"),
        SignInFailure.CodeMissing => (400, "The provider's answer was incomplete.", AskAdministrator),
        SignInFailure.CodeRejected =>
            (502, "The provider did not accept its own answer back.", $"Please sign in again. If this repeats, an administrator should "
                + $"compare the redirect address at the provider with {redirectAddress}"),
        SignInFailure.TokenEndpointFailed => (502, "The provider refused to finish the sign-in.", AskAdministrator),
        SignInFailure.ClientRejected =>
            (502, "The provider does not accept this gateway: client id, secret or key is wrong, or the client may not sign people in "
                + "this way.", AskAdministrator),
        SignInFailure.TokenMissing => (502, "The provider sent no identity.", AskAdministrator),
        SignInFailure.TokenMalformed => (502, "The provider's identity token cannot be read.", AskAdministrator),
        SignInFailure.AlgorithmNotAllowed =>
            (502, "The provider's identity token is signed in a way that is not accepted.", "An administrator should choose a signing "
                + "key (RS256, PS256 or ES256) at the provider."),
        SignInFailure.KeyUnknown =>
            (502, "The provider's identity token is signed with a key that the provider does not "
                + "publish.", "Please try again in a moment. If this repeats, ask an administrator."),
        SignInFailure.KeyTooWeak => (502, "The provider's key is too short to be safe.", AskAdministrator),
        SignInFailure.SignatureInvalid => (502, "The provider's identity token has a wrong signature.", AskAdministrator),
        SignInFailure.IssuerWrong =>
            (502, "The identity token was issued by somebody else than the configured provider.", "An administrator should compare "
                + "oidc.issuer with the provider's own name, to the last slash."),
        SignInFailure.AudienceWrong => (502, "The identity token was made for another application.", AskAdministrator),
        SignInFailure.TokenTimeMissing => (502, "The provider's identity token does not say its times.", AskAdministrator),
        SignInFailure.TokenExpired => (502, "The identity token has expired.", Clocks),
        SignInFailure.TokenFromTheFuture => (502, "The identity token is from the future.", Clocks),
        SignInFailure.SignInTooOld =>
            (403, "You signed in at the provider too long ago.", "Please sign out at the provider, then sign in again. If this repeats, "
                + "the provider does not say when you signed in (auth_time)."),
        SignInFailure.NonceWrong => (502, "The identity token belongs to another sign-in.", TryAgain),
        SignInFailure.AccessTokenHashWrong => (502, "The provider's tokens do not belong together.", AskAdministrator),
        SignInFailure.SubjectMissing =>
            (502, "The provider does not say who you are: its token has no subject (sub).", "An administrator should have the "
                + "provider send it, or name another claim in oidc.subject_claims."),
        SignInFailure.SubjectUnusable => (502, "The provider names you by something that cannot be a name.", AskAdministrator),
        SignInFailure.UserInfoFailed =>
            (502, "The provider did not give your details.", "This does not pass by itself: an administrator finds under the reference "
                + "below in the gateway's log what its user info endpoint answered."),
        SignInFailure.UserInfoOfAnother => (502, "The provider gave the details of somebody else.", AskAdministrator),
        SignInFailure.NotAllowed =>
            (403, "Your account may not sign in here.", "Ask an administrator to add you, your group or your domain."),
        SignInFailure.StoreUnavailable => (503, "The gateway cannot store the sign-in.", AskAdministrator),
    };
}
