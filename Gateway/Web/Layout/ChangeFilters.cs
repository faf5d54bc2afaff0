using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.SignIn;
using Microsoft.AspNetCore.Antiforgery;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>Whether a form comes from a page that was shown to the very person who sends it, and for the first time.</summary>
internal sealed class FormFilter(IAntiforgery antiforgery, DuplicateFormGuard sent, SignInAudit audit) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var (http, principal) = (context.HttpContext, AuthenticationState.Of(context.HttpContext).Principal);
        if (await Forms.ProblemAsync(http, antiforgery) is { } status)
        {
            await audit.RecordAsync(http, "page.form", principal?.Label, "cross_site", status, principal?.Role.Name);
            return PageResults.Failure(
                http, status, T("Please try again"), T("This form was too old, was opened by somebody else or came from elsewhere, so "
                    + "nothing was changed."));
        }

        return sent.IsFirst(http.Request.Path, await http.Request.ReadFormAsync(http.RequestAborted))
            ? await next(context)
            : PageResults.Failure(
                http, StatusCodes.Status409Conflict, T("Sent twice"),
                T("This form was sent already, and what it does was begun once. Have a look whether it is done before you send it again."));
    }
}

/// <summary>Whether a change that is asked for as JSON may have been sent by another site.</summary>
internal sealed class JsonChangeFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var (http, baseUrl) = (context.HttpContext, RequestContext.Of(context.HttpContext).Configuration.Settings.Server.BaseUrl);
        if (!SameOrigin.IsCrossSite(http.Request, baseUrl))
        {
            return await next(context);
        }

        await ErrorAnswers.WriteAsync(http, new(Reason.CrossSite), ErrorStyle.Problem);
        return Results.Empty;
    }
}

/// <summary>How endpoints that change something say what they take.</summary>
internal static class ChangeEndpoints
{
    /// <summary>Takes forms of own pages.</summary>
    public static RouteHandlerBuilder TakesForm(this RouteHandlerBuilder endpoint) =>
        endpoint.AddEndpointFilter<FormFilter>().WithMetadata(ChangeMark.Form);

    /// <summary>Takes JSON of programs and scripts.</summary>
    public static RouteHandlerBuilder TakesJson(this RouteHandlerBuilder endpoint) =>
        endpoint.AddEndpointFilter<JsonChangeFilter>().WithMetadata(ChangeMark.Json);
}

/// <summary>The mark of endpoints that change something, by which a test finds those without a filter.</summary>
internal sealed record ChangeMark(string Kind)
{
    public static ChangeMark Form { get; } = new("form");

    public static ChangeMark Json { get; } = new("json");
}
