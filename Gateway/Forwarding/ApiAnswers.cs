using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>What callers of the API are answered when it is not Headscale that answers.</summary>
internal sealed class ApiAnswers(UpstreamMonitor upstream)
{
    /// <summary>Says no: with the login page to a browser that goes somewhere, and as Headscale would to everybody else.</summary>
    public Task RefuseAsync(HttpContext context, AuthenticationState caller, Decision decision)
    {
        if (decision.Reason is Reason.SignInRequired && LoginAddress.IsWanted(context))
        {
            context.Response.Redirect(LoginAddress.Of(context, RequestContext.Of(context).Target?.ToString() ?? "/"));
            return Task.CompletedTask;
        }

        var refusal = new Refusal(decision.Reason, caller.Principal?.Role.Name, decision.Lacks, decision.Detail);
        return ErrorAnswers.WriteAsync(context, refusal, StyleOf(context));
    }

    private ErrorStyle StyleOf(HttpContext context) => TailnetApi.IsPath(context.Request.Path) ? ErrorStyle.Tailscale : upstream.ErrorStyle;
}
