using Gateway.Audit;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.RateLimiting;

namespace Gateway.Web.Layout;

/// <summary>Counts requests for own pages against the share of whoever asks, which is the same as for the API.</summary>
internal sealed class PageLimits(CallLimits limits, AuditLog audit, TimeProvider clock)
{
    /// <summary>Middleware. The provider's answer is handled behind it, so it counts as well.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var request = RequestContext.Of(context);
        await context.AuthenticateAsync();
        var isFree = context.GetEndpoint()?.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null;
        if (isFree || limits.Take(AuthenticationState.Of(context), request) is not { } wait)
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
                Path = AuditEntryFactory.Cut(context.Request.Path),
                Reason = SnakeCase.From(nameof(Reason.TooMany)),
                Status = StatusCodes.Status429TooManyRequests,
                Actor = AuthenticationState.Of(context).Principal?.Label,
                Client = request.Peer.Client?.ToString(),
            },
            CancellationToken.None);
        RateLimits.SetRetryAfter(context.Response, wait);
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        await context.Response.WriteAsync("Too many requests. Please try again in a moment.\n", context.RequestAborted);
    }
}
