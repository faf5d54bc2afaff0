using Gateway.Audit;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Web.Layout;

/// <summary>What somebody is answered who may not use an endpoint: the login page, the page that says why, or a problem document.</summary>
internal sealed class AccessResults(AuditLog audit, TimeProvider clock) : IAuthorizationMiddlewareResultHandler
{
    public async Task HandleAsync(
        RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded)
        {
            await next(context);
            return;
        }

        var caller = AuthenticationState.Of(context);
        if (caller.Principal is { } principal)
        {
            var refusal = RefusalOf(context.GetEndpoint(), principal);
            await RecordAsync(context, principal, refusal);
            await PageResults.RefuseAsync(context, refusal);
            return;
        }

        await ChallengeAsync(context, caller);
    }

    private static Refusal RefusalOf(Endpoint? endpoint, Principal principal) => TokenAccess.IsOpenTo(principal, endpoint)
        ? new(
            Reason.RoleTooLow, principal.Role.Name, endpoint?.Metadata.GetMetadata<CapabilityRequirement>()?.AnyOf[0] ?? Capability.None)
        : new(Reason.NotInToken, principal.Role.Name);

    private static async Task ChallengeAsync(HttpContext context, AuthenticationState caller)
    {
        var isSignIn = caller.Problem is null or { Reason: Reason.SignInRequired };
        if (isSignIn && caller.OwnKey is null && !PageResults.IsJson(context))
        {
            var path = context.Request.Path + context.Request.QueryString;
            var returnTo = HttpMethods.IsGet(context.Request.Method) ? PageResults.ReturnTo(context, path) : PageResults.HomePath(context);
            context.Response.Redirect(LoginAddress.Of(context, returnTo));
            return;
        }

        await PageResults.RefuseAsync(context, caller.OwnKey is null
            ? new(caller.Problem?.Reason ?? Reason.SignInRequired, Detail: caller.Problem?.Detail)
            : new(Reason.MalformedCredential, Detail: "a Headscale API key opens Headscale's own API alone (/api/v1, /api/v2); these "
                + "pages are for people who sign in"));
    }

    /// <summary>Refusals are recorded like those of the API.</summary>
    private ValueTask RecordAsync(HttpContext context, Principal principal, Refusal refusal)
    {
        var request = RequestContext.Of(context);
        return audit.RecordAsync(
            new AuditEntry
            {
                At = clock.GetUtcNow(),
                RequestId = request.RequestId,
                Kind = AuditKind.Api,
                Actor = principal.Label,
                Token = principal.TokenLabel,
                Role = principal.Role.Name,
                HeadscaleUser = principal.User?.Id,
                Row = context.GetEndpoint()?.Metadata.GetMetadata<EndpointOperation>()?.NameOf(context.Request.RouteValues) ?? "page",
                Method = context.Request.Method,
                Path = AuditEntryFactory.Cut(context.Request.Path),
                Reason = AuditEntryFactory.NameOf(refusal.Reason),
                Status = Refusals.StatusOf(refusal.Reason),
                Client = request.Peer.Client?.ToString(),
                Duration = clock.GetElapsedTime(request.Started).TotalMilliseconds,
                Detail = refusal.Lacks is Capability.None ? null : $"lacks {refusal.Lacks.Name}",
            },
            CancellationToken.None);
    }
}
