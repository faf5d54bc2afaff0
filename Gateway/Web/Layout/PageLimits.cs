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
        var caller = AuthenticationState.Of(context);
        var isFree = context.GetEndpoint()?.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null;
        if (isFree || limits.Take(caller, request) is not { } wait)
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
                Actor = caller.Principal?.Label,
                Token = caller.Principal?.TokenLabel,
                Client = request.Peer.Client?.ToString(),
            },
            CancellationToken.None);
        RateLimits.SetRetryAfter(context.Response, wait);
        await PageResults.RefuseAsync(context, new(Reason.TooMany, caller.Principal?.Role.Name));
    }
}
