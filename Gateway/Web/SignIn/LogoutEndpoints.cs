using Gateway.Edge;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.SignIn;

/// <summary>Signing out here, at the provider, and because the provider says so.</summary>
internal static partial class LogoutEndpoints
{
    public static void MapLogout(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/logout", SubmitAsync).AllowAnonymous();
        admin.MapPost("/oidc/backchannel-logout", BackChannelAsync).AllowAnonymous();
    }

    private static async Task<IResult> SubmitAsync(
        HttpContext context, Sessions sessions, SignInAudit audit, Provider provider, IAntiforgery antiforgery,
            IDataProtectionProvider protection)
    {
        var request = RequestContext.Of(context);
        var settings = request.Configuration.Settings;
        if (await Forms.ProblemAsync(context, antiforgery) is { } problem)
        {
            return PageResults.Failure(
                context, problem, T("Not signed out"), T("This form was too old or came from elsewhere."),
                T("Please try again."), isSignedIn: false);
        }

        var principal = AuthenticationState.Of(context).Principal;
        var session = sessions.Of(context.Request, settings);
        SessionCookie.Delete(context.Response, settings.Server.Cookie);
        if (session is not null)
        {
            await sessions.EndAsync(session.Id);
            await audit.RecordAsync(context, "sign_out", principal?.Label, "done", StatusCodes.Status302Found, principal?.Role.Name);
            return Results.Redirect(EndSessionUrl(session, settings, provider, protection) ?? SignedOutPage(settings));
        }

        return Results.Redirect(principal is not null && settings.Server.ProxyAuth?.LogoutUrl is { } url ? url : SignedOutPage(settings));
    }

    private static string SignedOutPage(GatewaySettings settings) => settings.Server.BasePath + "/login?s=logout";

    /// <summary>OpenID Connect RP-Initiated Logout 1.0; null when it is off or the provider has no such page.</summary>
    private static string? EndSessionUrl(Session session, GatewaySettings settings, Provider provider, IDataProtectionProvider protection)
    {
        if (settings.Oidc is not { UseEndSession: true } oidc || session.Kind is not SessionKind.Oidc
            || provider.Status?.Configuration?.EndSessionEndpoint is not { Length: > 0 } endpoint)
        {
            return null;
        }

        var query = new Dictionary<string, string?>
        {
            ["client_id"] = oidc.ClientId,
            ["post_logout_redirect_uri"] = oidc.PostLogoutRedirect?.OriginalString
                ?? $"{settings.Server.BaseUrl!.GetLeftPart(UriPartial.Authority)}{SignedOutPage(settings)}",
        };
        if (Unprotect(session, protection) is { } hint)
        {
            query["id_token_hint"] = hint;
        }

        return QueryHelpers.AddQueryString(endpoint, query);
    }

    private static string? Unprotect(Session session, IDataProtectionProvider protection)
    {
        try
        {
            return session.ProtectedIdToken is { } kept ? protection.CreateProtector(ProviderSignIn.TokenPurpose).Unprotect(kept) : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            // The key ring was lost; the provider then asks whether to sign out.
            return null;
        }
    }

    /// <summary>OpenID Connect Back-Channel Logout 1.0 2.6: a token like an ID token, but for this purpose alone.</summary>
    private static async Task<IResult> BackChannelAsync(
        HttpContext context, IOptionsMonitor<OpenIdConnectOptions> options, Sessions sessions, People people, UsedLogoutTokens used,
            SignInAudit audit, ILogger<Sessions> log)
    {
        if (RequestContext.Of(context).Configuration.Settings.Oidc is not { } settings)
        {
            return Results.NotFound();
        }

        try
        {
            var (form, _) = await Forms.ReadAsync(context);
            var text = form?["logout_token"] is [{ Length: > 0 } only]
                ? only
                : throw new SignInException(SignInFailure.TokenMissing, "there is no logout_token");
            var token = LogoutToken.From(
                await ((IdTokenHandler)options.Get(OidcHandler.SchemeName).TokenHandler)
                    .ReadLogoutTokenAsync(text, context.RequestAborted));
            if (token.Id is { } id && !used.TryUse(id))
            {
                throw new SignInException(SignInFailure.TokenMalformed, "the logout token was used before ('jti')");
            }

            await EndAsync(context, token, settings.Issuer, sessions, people, used, audit, log);
            return Results.Ok();
        }
        catch (SignInException e)
        {
            ProviderSignIn.LogRefused(log, context.TraceIdentifier, e.Failure, e.Message);
            return Results.BadRequest();
        }
    }

    /// <summary>Ends the sessions that a token means. A token that could have no effect may be sent again.</summary>
    private static async Task EndAsync(
        HttpContext context, LogoutToken token, string issuer, Sessions sessions, People people, UsedLogoutTokens used, SignInAudit audit,
            ILogger log)
    {
        try
        {
            var whom = OutsideText.Clean(token.Subject ?? $"(session {token.Session})");
            await audit.RecordAsync(context, "sign_out.provider", $"oidc:{issuer}#{whom}", "done", StatusCodes.Status200OK);
            LogEnded(log, await sessions.EndAllAsync(session => IsMeant(session, token, issuer, people.Snapshot)), whom);
        }
        catch (StoreException)
        {
            used.Release(token.Id ?? "");
            throw;
        }
    }

    /// <summary>One of the provider's sessions, or all of a subject.</summary>
    private static bool IsMeant(Session session, LogoutToken token, string issuer, PeopleSnapshot people) =>
        session is { Kind: SessionKind.Oidc, PersonId: { } id } && people.Find(id) is { Source: Source.Oidc } person
            && person.Issuer == issuer
        && (token.Subject is not null || token.Session is not null)
        && (token.Subject is null || token.Subject == person.Subject)
        && (token.Session is null || token.Session == session.ProviderSession);

    [LoggerMessage(2, LogLevel.Information, "The provider ended {Count} sessions of {Whom}")]
    private static partial void LogEnded(ILogger log, int count, string whom);
}
