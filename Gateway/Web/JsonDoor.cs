using Gateway.Edge;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web;

/// <summary>The way into what the pages are as JSON: who may come in, and a problem document for everybody else.</summary>
internal sealed class JsonDoor(Authentication authentication)
{
    /// <summary>The caller; null when there is none that may go on, which then was answered.</summary>
    /// <param name="needs">What the role must hold; null: nothing.</param>
    public async Task<Principal?> EnterAsync(HttpContext context, Capability? needs = null)
    {
        var request = RequestContext.Of(context);
        var (principal, _, problem) = await authentication.AuthenticateAsync(context, request);
        var isUnsafe = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);
        Refusal? refusal = problem is var (reason, detail) ? new Refusal(reason, Detail: detail)
            : principal is null ? new Refusal(Reason.SignInRequired)
            : isUnsafe && SameOrigin.IsCrossSite(context.Request, request.Configuration.Settings.Server.BaseUrl) ? new Refusal(Reason.CrossSite)
            : needs is { } capability && !principal.Role.Has(capability) ? new Refusal(Reason.RoleTooLow, principal.Role.Name, capability)
            : null;
        if (refusal is not { } reasoned)
        {
            return principal;
        }

        await Refusals.WriteAsync(context, reasoned, ErrorStyle.Problem);
        return null;
    }
}
