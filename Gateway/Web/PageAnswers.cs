using Gateway.Audit;
using Gateway.Edge;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Web;

/// <summary>How own pages are answered: never cached, never framed, no scripts, nothing from elsewhere.</summary>
internal static class PageAnswers
{
    /// <summary>Middleware for everything under the base path.</summary>
    public static RequestDelegate AddHeaders(RequestDelegate next, Provider provider) => context =>
    {
        var headers = context.Response.Headers;

        // Signing out may lead to the provider, and browsers follow form-action along redirects.
        var elsewhere = Uri.TryCreate(provider.Status?.Configuration?.EndSessionEndpoint, UriKind.Absolute, out var end) ? " " + end.GetLeftPart(UriPartial.Authority) : "";
        headers.ContentSecurityPolicy = $"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'{elsewhere}; frame-ancestors 'none'; base-uri 'none'";
        headers.XContentTypeOptions = "nosniff";

        // Not no-referrer: browsers would then send our own forms with "Origin: null" (Fetch, 3.2).
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        return next(context);
    };

    /// <summary>Where a change that a page asks for comes from.</summary>
    public static ChangeOrigin OriginOf(HttpContext context)
    {
        var request = RequestContext.Of(context);
        return new(request.RequestId, AuditKind.Person, context.Request.Method, request.Peer.Client?.ToString(), request.Started, request.Configuration);
    }

    /// <summary>
    /// Middleware: pages and cookies belong to the host of base_url, so that no other name that leads here can be used to
    /// borrow them. Health pages are asked for by address.
    /// </summary>
    public static RequestDelegate CheckHost(RequestDelegate next) => async context =>
    {
        var (settings, host) = (RequestContext.Of(context).Configuration.Settings.Server, context.Request.Host);
        var isHealth = context.Request.Path.Value is { } path && (path == settings.BasePath + "/healthz" || path == settings.BasePath + "/readyz");
        var isOurs = Uri.TryCreate($"{context.Request.Scheme}://{host.Value}/", UriKind.Absolute, out var asked)
            && (settings.BaseUrl is not { } own || (asked.Host.Equals(own.Host, StringComparison.OrdinalIgnoreCase) && (asked.Port == own.Port || asked.IsDefaultPort)));
        if (isHealth || isOurs)
        {
            await next(context);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        await context.Response.WriteAsync($"These pages live at {settings.BaseUrl?.GetLeftPart(UriPartial.Authority) ?? "another address"}. If you came from there, the proxy in front must pass the Host header on.\n");
    };

    public static RazorComponentResult Page<T>(int status, params ReadOnlySpan<(string Name, object? Value)> parameters)
        where T : IComponent
    {
        var values = new Dictionary<string, object?>();
        foreach (var (name, value) in parameters)
        {
            values[name] = value;
        }

        return new RazorComponentResult(typeof(T), values) { StatusCode = status };
    }

    /// <summary>A page that says what went wrong, what helps, and under which reference the log has more.</summary>
    public static RazorComponentResult Failure(HttpContext context, int status, string title, string text, string? advice = null, bool isSignedIn = false) => Page<Pages.FailurePage>(
        status, ("Title", title), ("Base", BasePath(context)), ("Text", text), ("Advice", advice), ("IsSignedIn", isSignedIn), ("Reference", context.TraceIdentifier));

    public static string BasePath(HttpContext context) => RequestContext.Of(context).Configuration.Settings.Server.BasePath;

    public static string HomePath(HttpContext context) => BasePath(context) + "/";

    /// <summary>
    /// A path of this host to go on to after signing in, or the first page: anything that a browser could take for another
    /// host ('//', '/\', a control character that it drops) is not one.
    /// </summary>
    public static string ReturnTo(HttpContext context, string? wanted) =>
        wanted is ['/', .. var rest] && rest is not ['/' or '\\', ..] && wanted.Length <= 2048 && wanted.All(one => one is > ' ' and < (char)127 and not '\\')
            ? wanted
            : HomePath(context);

    /// <summary>Whether a refused request is better answered with the login page: a person's browser going somewhere.</summary>
    public static bool IsNavigation(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && context.Request.Headers["Sec-Fetch-Mode"] is [] or ["navigate"];

    /// <summary>Whether anybody can sign in here at all: with a provider, or with an API key.</summary>
    public static bool HasLogin(Configuration configuration) => configuration.Settings.Oidc is not null || configuration.Settings.Headscale.ApiKey is not null;

    public static string LoginUrl(HttpContext context, string returnTo) => $"{BasePath(context)}/login?return_to={Uri.EscapeDataString(returnTo)}";
}
