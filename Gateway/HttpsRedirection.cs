using Gateway.Edge;
using Gateway.Policy;
using Gateway.Web.Status;

namespace Gateway;

/// <summary>Where the gateway speaks TLS itself, nobody's key or cookie crosses the network in the clear because of it.</summary>
internal static class HttpsRedirection
{
    /// <summary>Middleware. Browsers are sent on to <c>base_url</c>; whoever sent a secret is told that others may have it now.</summary>
    public static RequestDelegate Demand(RequestDelegate next) => context =>
        context.Request.IsHttps || !PlainListener.Took(context) || MayBePlain(context) ? next(context) : AnswerAsync(context);

    private static Task AnswerAsync(HttpContext context)
    {
        var (asked, response, secure) = (context.Request, context.Response, AddressOf(RequestContext.Of(context)));
        if (secure is not null && HttpMethods.IsGet(asked.Method) && asked.Headers.Authorization.Count == 0)
        {
            response.Redirect(secure + asked.Path.ToUriComponent() + asked.QueryString.ToUriComponent());
            return Task.CompletedTask;
        }

        response.StatusCode = StatusCodes.Status403Forbidden;
        return response.WriteAsync(
            $"Nothing was done: this needs https, at {secure ?? "another address"}. A key that was sent here crossed the network in the "
            + "clear; replace it.\n",
            context.RequestAborted);
    }

    private static string? AddressOf(RequestContext request) =>
        request.Configuration.Settings.Server.BaseUrl is { Scheme: "https" } url ? url.GetLeftPart(UriPartial.Authority) : null;

    /// <summary>Tailscale's clients, and monitors, which ask by address; not programs that fetch a token.</summary>
    private static bool MayBePlain(HttpContext context)
    {
        var (configuration, path) = (RequestContext.Of(context).Configuration, RequestContext.Of(context).Target?.Path ?? "");
        return path == CaptivePortal.Path
            || HealthEndpoints.IsHealth(context.Request.Path, configuration.Settings.Server.BasePath)
            || (configuration.Table.Find(context.Request.Method, path).Rule is { Plane: Plane.Client }
                && !path.StartsWith("/api/", StringComparison.Ordinal));
    }
}
