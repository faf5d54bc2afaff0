using System.Text.Encodings.Web;
using Gateway.Edge;
using Gateway.Identity.Oidc;
using Gateway.Settings;
using Gateway.Web.Status;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>
/// What holds for everything under the base path: never cached, never framed, nothing from elsewhere, one host.
/// </summary>
internal static class PageHeaders
{
    /// <summary>Middleware that says so to browsers.</summary>
    public static RequestDelegate Add(RequestDelegate next, Provider provider) => context =>
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy =
            $"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
            + $"form-action 'self'{FormTargets(context, provider)}; frame-ancestors 'none'; base-uri 'none'";
        headers.XContentTypeOptions = "nosniff";

        // Not no-referrer: browsers would then send our own forms with "Origin: null" (Fetch, 3.2).
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        return next(context);
    };

    /// <summary>
    /// Middleware: pages and cookies belong to the host of base_url, so that no other name that leads here can be used to
    /// borrow them. Health pages are asked for by address.
    /// </summary>
    public static RequestDelegate CheckHost(RequestDelegate next) => async context =>
    {
        var (settings, host) = (RequestContext.Of(context).Configuration.Settings.Server, context.Request.Host);
        var isHealth = HealthEndpoints.IsHealth(context.Request.Path, settings.BasePath);
        var isOurs = Uri.TryCreate($"{context.Request.Scheme}://{host.Value}/", UriKind.Absolute, out var asked)
            && (settings.BaseUrl is not { } own
                || (asked.Host.Equals(own.Host, StringComparison.OrdinalIgnoreCase) && (asked.Port == own.Port || asked.IsDefaultPort)));
        if (isHealth || isOurs)
        {
            await next(context);
            return;
        }

        await MisdirectedAsync(context, settings);
    };

    /// <summary>Where the pages are: as a line for programs, and with a link for people.</summary>
    private static async Task MisdirectedAsync(HttpContext context, ServerSettings settings)
    {
        context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        var address = settings.BaseUrl?.GetLeftPart(UriPartial.Authority);
        var advice = T("If you came from there, the proxy in front must pass the Host header on.");
        if (address is not null && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            var link = HtmlEncoder.Default.Encode(address + settings.BasePath + "/");
            await context.Response.WriteAsync(
                $"<!DOCTYPE html><html lang=\"{Language}\"><title>{T("Another address")}</title>"
                + $"<p>{T("These pages live at {0}.", $"<a href=\"{link}\">{link}</a>")}</p><p>{advice}</p></html>\n");
            return;
        }

        await context.Response.WriteAsync($"{T("These pages live at {0}.", address ?? T("another address"))} {advice}\n");
    }

    /// <summary>Signing out may lead to the provider or the proxy's own page, and browsers follow form-action along redirects.</summary>
    private static string FormTargets(HttpContext context, Provider provider)
    {
        var proxy = RequestContext.Of(context).Configuration.Settings.Server.ProxyAuth?.LogoutUrl;
        return OriginOf(provider.Status?.Configuration?.EndSessionEndpoint) + OriginOf(proxy);
    }

    private static string OriginOf(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? " " + url.GetLeftPart(UriPartial.Authority)
            : "";
}
