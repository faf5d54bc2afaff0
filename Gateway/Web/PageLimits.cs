using Gateway.Audit;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Identity;
using Gateway.Policy;

namespace Gateway.Web;

/// <summary>Middleware: own pages count against the limit of an address while nobody is signed in, else against the caller's.</summary>
internal sealed class PageLimits(RateLimits limits, Credentials credentials, AuditLog audit, TimeProvider clock)
{
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var request = RequestContext.Of(context);
        if (IsFree(context, request.Configuration.Settings.Server.BasePath) || Take(context, request) is not { } wait)
        {
            await next(context);
            return;
        }

        await audit.RecordAsync(
            new AuditEntry
            {
                At = clock.GetUtcNow(),
                RequestId = request.RequestId,
                Kind = AuditKind.Api,
                Method = context.Request.Method,
                Path = CallEntry.Cut(context.Request.Path.Value ?? ""),
                Reason = CallEntry.NameOf(Reason.TooMany),
                Status = StatusCodes.Status429TooManyRequests,
                Client = request.Peer.Client?.ToString(),
            },
            CancellationToken.None);
        RateLimits.SetRetryAfter(context.Response, wait);
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        await context.Response.WriteAsync("Too many requests. Please try again in a moment.\n", context.RequestAborted);
    }

    /// <summary>What monitors ask for, and what every page brings along.</summary>
    private static bool IsFree(HttpContext context, string basePath) =>
        context.Request.Path.Value is { } path && (path == basePath + "/healthz" || path == basePath + "/readyz" || path == basePath + "/style.css");

    private TimeSpan? Take(HttpContext context, RequestContext request) => credentials.Identify(context.Request, request.Headers, request.Peer, request.Configuration.Settings) switch
    {
        Identification.Known known => limits.TakeCaller($"page of {known.Caller.Subject} at {known.Caller.Issuer}"),
        Identification.InSession session => limits.TakeCaller($"page of session {session.Session.Id}"),
        _ => limits.TakeAnonymous(request.Peer.Client),
    };
}
