using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>The way of an API request, from the edge to the answer, step by step.</summary>
internal sealed class ApiPipeline(
    Authentication authentication, CallLimits limits, Authorizer authorizer, AuthorizedCall calls, ProxySenders senders)
{
    /// <summary>Answers a request of the API.</summary>
    /// <param name="match">The rule that it matches.</param>
    public async Task RunAsync(HttpContext context, RouteMatch match)
    {
        // :: Step 1. The edge: peer, client and target were established when the request came in.
        var request = RequestContext.Of(context);

        // :: Step 2. Authenticate: one credential, and the principal that it stands for.
        var caller = await authentication.AuthenticateAsync(context);

        // :: Step 3. Authorize: what is not in the caller's share, or not understood, or not allowed, ends here.
        var result = Limit(context, request, caller) ?? await AuthorizeAsync(context, request, caller, match);
        if (caller.OwnKey is not null && !result.Decision.IsAllowed)
        {
            limits.KeyWasRefused(request);
        }

        // :: Steps 4 to 6. Audit, send, audit.
        var call = new DecidedCall(request, request.RequestId, request.Target?.Path ?? "", caller, result);
        await calls.RunAsync(call, senders.For(context, caller), context.RequestAborted);
    }

    private AuthorizationResult? Limit(HttpContext context, RequestContext request, AuthenticationState caller)
    {
        if (limits.Take(caller, request) is not { } wait)
        {
            return null;
        }

        RateLimits.SetRetryAfter(context.Response, wait);
        return AuthorizationResult.Refused(context.Request.Method, Reason.TooMany);
    }

    private async ValueTask<AuthorizationResult> AuthorizeAsync(
        HttpContext context, RequestContext request, AuthenticationState caller, RouteMatch match)
    {
        if (caller.Problem is var (reason, detail))
        {
            return AuthorizationResult.Refused(context.Request.Method, reason, detail);
        }

        var baseUrl = request.Configuration.Settings.Server.BaseUrl;
        var hasOwnKey = caller.OwnKey is not null;

        // Bearers are nobody's ambient authority; and a page of ours may call its JSON what it likes.
        var isBearer = hasOwnKey || caller.Principal is { Token.IsAmbient: false };
        var body = new HttpRequestBody(context, anyType: isBearer || SameOrigin.IsProven(context.Request, baseUrl));
        var source = new WireCall(context.Request.Method, request.Target, match, context.Request.Headers, body) { HasOwnKey = hasOwnKey };
        return await authorizer.AuthorizeAsync(new(source, FactsOf(context, caller)), context.RequestAborted);
    }

    /// <summary>What is known about whoever calls, by JSON or by gRPC.</summary>
    public static Facts FactsOf(HttpContext context, AuthenticationState caller) =>
        caller.OwnKey is not null ? Facts.Anonymous with { HasOwnKey = true }
        : caller.Principal is not { } principal ? Facts.Anonymous
        : principal.Facts(
            principal.Token is not { IsAmbient: false }
            && SameOrigin.IsCrossSite(context.Request, RequestContext.Of(context).Configuration.Settings.Server.BaseUrl));
}
