using Gateway.Identity.Oidc;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.SignIn;

/// <summary>What people read when a sign-in failed: what happened, and what to do. The log has the rest.</summary>
internal static class SignInTexts
{
    public static string NotConfigured => T("Single sign-on is not configured here.");
    public static string NotConfiguredAdvice => T("An administrator can set the section oidc.");

    private static string TryAgain => T("Please try again.");
    private static string AskAdministrator => T("Ask an administrator to look up the reference below in the gateway's log.");

    private static string Clocks => T("An administrator should check the clocks of gateway and provider.");
    private static string Later => T("Please try again in a moment; this may pass by itself.");

    /// <summary>Status, what happened and what to do.</summary>
    /// <param name="failure">Why nobody was signed in.</param>
    /// <param name="redirectAddress">The address that the provider has to know.</param>
    public static (int Status, string Text, string Advice) Of(SignInFailure failure, string redirectAddress) => failure switch
    {
        SignInFailure.Unknown => (500, T("Something went wrong in the gateway."), AskAdministrator),
        SignInFailure.NotConfigured => (501, NotConfigured, NotConfiguredAdvice),
        SignInFailure.ProviderUnavailable => (503, T("The sign-in provider cannot be reached."), T("Please try again in a moment.")),
        SignInFailure.ProviderFailing => (502, T("The sign-in provider has a fault of its own."), Later),
        SignInFailure.MethodNotAllowed =>
            (400, T("The provider's answer came in a way that is not accepted."), T("An administrator should see to it that the provider "
                + "answers with response_mode=query.")),
        SignInFailure.StateInvalid => (400, T("This is not the answer to a sign-in that was begun here."), T("Please sign in again.")),
        SignInFailure.StateExpired => (400, T("This sign-in took too long."), T("Please sign in again.")),
        SignInFailure.CookieMissing =>
            (400, T("This browser does not know the sign-in: its cookie was lost, or the sign-in was finished before or begun in another "
                + "browser."), T("Please sign in again. If this repeats, allow cookies for this site, and begin at the address that this "
                    + "page has.")),
        SignInFailure.ParameterRepeated => (400, T("The provider's answer was malformed."), TryAgain),
        SignInFailure.ParameterUnexpected =>
            (400, T("The provider's answer is not of the kind that was asked for."), T("An administrator should see to it that the "
                + "provider answers with response_type=code.")),
        SignInFailure.IssuerMixedUp => (400, T("The answer came from another provider than the one that was asked."), AskAdministrator),
        SignInFailure.ProviderRefused =>
            (403, T("The provider did not sign you in."), T("Please try again, or ask an administrator whether you may use this "
                + "application.")),
        SignInFailure.RequestRejected =>
            (502, T("The provider does not accept the way in which the gateway asks."), T("An administrator finds the provider's own words "
                + "under the reference below in the gateway's log.")),
        SignInFailure.ScopeRejected =>
            (502, T("The provider does not give what the gateway asks for."), T("An administrator should compare oidc.scope with the "
                + "scopes that the provider lets this client have.")),
        SignInFailure.PkceRequired =>
            (502, T("The provider demands PKCE, and it is switched off here."), T("An administrator should set oidc.use_pkce: true.")),
        SignInFailure.VerifierRejected =>
            (502, T("The provider does not accept the gateway's PKCE proof (code_verifier)."), T("Please sign in again. If this repeats, "
                + "an administrator should allow PKCE with S256 for this client at the provider.")),
        SignInFailure.RedirectRejected =>
            (502, T("The provider knows another address to send you back to."), T("An administrator should register this redirect address "
                + "at the provider, letter by letter: {0}", redirectAddress)),
        SignInFailure.CodeMissing => (400, T("The provider's answer was incomplete."), AskAdministrator),
        SignInFailure.CodeRejected =>
            (502, T("The provider did not accept its own answer back."), T("Please sign in again. If this repeats, an administrator should "
                + "compare the redirect address at the provider with {0}", redirectAddress)),
        SignInFailure.TokenEndpointFailed => (502, T("The provider refused to finish the sign-in."), AskAdministrator),
        SignInFailure.ClientRejected =>
            (502, T("The provider does not accept this gateway: client id, secret or key is wrong, or the client may not sign people in "
                + "this way."), AskAdministrator),
        SignInFailure.TokenMissing => (502, T("The provider sent no identity."), AskAdministrator),
        SignInFailure.TokenMalformed => (502, T("The provider's identity token cannot be read."), AskAdministrator),
        SignInFailure.AlgorithmNotAllowed =>
            (502, T("The provider's identity token is signed in a way that is not accepted."), T("An administrator should choose a signing "
                + "key (RS256, PS256 or ES256) at the provider.")),
        SignInFailure.KeyUnknown =>
            (502, T("The provider's identity token is signed with a key that the provider does not "
                + "publish."), T("Please try again in a moment. If this repeats, ask an administrator.")),
        SignInFailure.KeyTooWeak => (502, T("The provider's key is too short to be safe."), AskAdministrator),
        SignInFailure.SignatureInvalid => (502, T("The provider's identity token has a wrong signature."), AskAdministrator),
        SignInFailure.IssuerWrong =>
            (502, T("The identity token was issued by somebody else than the configured provider."), T("An administrator should compare "
                + "oidc.issuer with the provider's own name, to the last slash.")),
        SignInFailure.AudienceWrong => (502, T("The identity token was made for another application."), AskAdministrator),
        SignInFailure.TokenTimeMissing => (502, T("The provider's identity token does not say its times."), AskAdministrator),
        SignInFailure.TokenExpired => (502, T("The identity token has expired."), Clocks),
        SignInFailure.TokenFromTheFuture => (502, T("The identity token is from the future."), Clocks),
        SignInFailure.SignInTooOld =>
            (403, T("You signed in at the provider too long ago."), T("Please sign out at the provider, then sign in again. If this "
                + "repeats, the provider does not say when you signed in (auth_time).")),
        SignInFailure.NonceWrong => (502, T("The identity token belongs to another sign-in."), TryAgain),
        SignInFailure.AccessTokenHashWrong => (502, T("The provider's tokens do not belong together."), AskAdministrator),
        SignInFailure.SubjectMissing =>
            (502, T("The provider does not say who you are: its token has no subject (sub)."), T("An administrator should have the "
                + "provider send it, or name another claim in oidc.subject_claims.")),
        SignInFailure.SubjectUnusable => (502, T("The provider names you by something that cannot be a name."), AskAdministrator),
        SignInFailure.UserInfoFailed =>
            (502, T("The provider did not give your details."), T("This does not pass by itself: an administrator finds under the "
                + "reference below in the gateway's log what its user info endpoint answered.")),
        SignInFailure.UserInfoOfAnother => (502, T("The provider gave the details of somebody else."), AskAdministrator),
        SignInFailure.NotAllowed =>
            (403, T("Your account may not sign in here."), T("Ask an administrator to add you, your group or your domain.")),
        SignInFailure.StoreUnavailable => (503, T("The gateway cannot store the sign-in."), AskAdministrator),
    };
}
