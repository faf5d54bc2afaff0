using Gateway.Edge;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.SignIn;

/// <summary>The login page and the way to the provider.</summary>
internal static class LoginEndpoints
{
    public static void MapLogin(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/login", Show).AllowAnonymous();
        admin.MapPost("/login", ApiKeySignIn.SubmitAsync).AllowAnonymous();
        admin.MapGet("/oidc/start", StartAsync).AllowAnonymous();
    }

    /// <summary>The page, with only those buttons that work now.</summary>
    public static RazorComponentResult Page(
        HttpContext context, Provider provider, IAntiforgery antiforgery, string returnTo, int status = 200, string? error = null,
        string? notice = null)
    {
        var settings = RequestContext.Of(context).Configuration.Settings;
        var (state, token) = (provider.Status, antiforgery.GetAndStoreTokens(context));
        return PageResults.Page<LoginPage>(
            status,
            ("Base", settings.Server.BasePath),
            ("Brand", Brand.Of(settings.Branding)),
            ("Error", error),
            ("Notice", notice ?? InsecureNotice(context, settings.Server.Cookie.Secure)),
            ("ProviderUrl", state is { Configuration: not null, Trouble: null } ? StartUrl(settings, returnTo) : null),
            ("ProviderTrouble", state?.Trouble),
            ("TakesApiKeys", settings.TakesApiKeys),
            ("ByProxy", settings.Server.ProxyAuth is not null),
            ("ReturnTo", returnTo),
            ("TokenField", token.FormFieldName),
            ("Token", token.RequestToken));
    }

    /// <summary>Where there is one way only, nobody is asked which; after signing out, nobody is signed in again at once.</summary>
    private static IResult Show(
        HttpContext context, Provider provider, IAntiforgery antiforgery, string? return_to = null, string? s = null)
    {
        var settings = RequestContext.Of(context).Configuration.Settings;
        var returnTo = PageResults.ReturnTo(context, return_to);
        var isOnlyWay = !settings.TakesApiKeys && settings.Server.ProxyAuth is null
            && provider.Status is { Configuration: not null, Trouble: null };
        return isOnlyWay && s is null
            ? Results.Redirect(StartUrl(settings, returnTo))
            : Page(context, provider, antiforgery, returnTo, notice: s == "logout" ? T("You have been signed out.") : null);
    }

    private static string StartUrl(Settings.GatewaySettings settings, string returnTo) =>
        $"{settings.Server.BasePath}/oidc/start?return_to={Uri.EscapeDataString(returnTo)}";

    /// <summary>
    /// A browser does not keep a Secure cookie that an insecure page sets, and sign-in would go round in circles. Behind a front
    /// with TLS that is not believed here, the browser is on https all the same: it says so itself (Fetch Metadata is sent from
    /// secure pages alone), or the front does. This is advice and no decision, so their word is enough.
    /// </summary>
    private static string? InsecureNotice(HttpContext context, bool isSecure)
    {
        var request = RequestContext.Of(context);
        var isHttps = request.Peer.Scheme == "https" || context.Request.Headers.ContainsKey("Sec-Fetch-Site")
            || request.Headers["X-Forwarded-Proto"].Any(one => one?.Contains("https", StringComparison.OrdinalIgnoreCase) is true);
        return !isSecure || isHttps ? null
            : T("This page came over http, and the session cookie is for https only, so signing in will not last. Open the https address, "
                + "or set server.cookie_secure: false for trying things out.");
    }

    private static async Task<IResult> StartAsync(
        HttpContext context, Provider provider, ProviderSignIn signIn, IAntiforgery antiforgery, ILogger<Provider> log,
        string? return_to = null)
    {
        var returnTo = PageResults.ReturnTo(context, return_to);
        if (provider.Status is null)
        {
            return PageResults.Failure(
                context, StatusCodes.Status501NotImplemented, T("No single sign-on"), SignInTexts.NotConfigured,
                SignInTexts.NotConfiguredAdvice, isSignedIn: false);
        }

        try
        {
            await context.ChallengeAsync(OidcHandler.SchemeName, new AuthenticationProperties { RedirectUri = returnTo });
            return Results.Empty;
        }
        catch (SignInException e) when (e.Failure is SignInFailure.ProviderUnavailable)
        {
            // The page itself says what is wrong with the provider.
            ProviderSignIn.LogRefused(log, context.TraceIdentifier, e.Failure, e.Message);
            return Page(context, provider, antiforgery, returnTo, Refusals.StatusOf(Reason.UpstreamUnavailable));
        }
        catch (SignInException e)
        {
            return await signIn.RefuseAsync(context, e.Failure, e.Message);
        }
    }
}
