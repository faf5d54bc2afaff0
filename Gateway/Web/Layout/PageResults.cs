using Gateway.Audit;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Users;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Web.Layout;

/// <summary>What own pages answer.</summary>
internal static class PageResults
{
    public static RazorComponentResult Page<T>(int status, params ReadOnlySpan<(string Name, object? Value)> parameters)
        where T : IComponent
    {
        var values = new Dictionary<string, object?>();
        foreach (var (name, value) in parameters)
        {
            values[name] = value;
        }

        return new RazorComponentResult(typeof(T), values) { StatusCode = status };
    }

    /// <summary>A page that says what went wrong, what helps, and under which reference the log has more.</summary>
    public static RazorComponentResult Failure(
        HttpContext context, int status, string title, string text, string? advice = null, bool isSignedIn = true) =>
            Page<FailurePage>(
        status, ("Title", title), ("Base", BasePath(context)), ("Text", text), ("Advice", advice), ("IsSignedIn", isSignedIn),
            ("Reference", context.TraceIdentifier));

    /// <summary>That there is nothing of the kind.</summary>
    public static RazorComponentResult NotFound(HttpContext context, string text) =>
        Failure(context, StatusCodes.Status404NotFound, "Not found", text);

    /// <summary>The page that says why something is not possible, in the words that the API would use.</summary>
    public static RazorComponentResult Refuse(HttpContext context, Refusal refusal) =>
        Failure(context, Refusals.StatusOf(refusal.Reason), "Not possible", Refusals.TextOf(refusal), isSignedIn: refusal.Role is not null);

    /// <summary>What the person is told where something did not work: the gateway's reason, or Headscale's own words.</summary>
    public static RazorComponentResult Explain(HttpContext context, Principal principal, ApiResponse answer) => answer.Decision.IsAllowed
        ? Failure(
            context, StatusCodes.Status502BadGateway, "Headscale refused", answer.Complaint
                ?? $"Headscale answered {answer.Status} and said nothing more.")
        : Refuse(context, RefusalOf(principal, answer));

    /// <summary>Why a call of a page was not carried out.</summary>
    public static Refusal RefusalOf(Principal principal, ApiResponse answer) =>
        new(answer.Decision.Reason, principal.Role.Name, answer.Decision.Lacks, answer.Decision.Detail);

    /// <summary>Where a change that a page asks for comes from.</summary>
    public static ChangeOrigin OriginOf(HttpContext context)
    {
        var request = RequestContext.Of(context);
        return new(
            request.RequestId, AuditKind.Person, context.Request.Method, request.Peer.Client?.ToString(), request.Started,
                request.Configuration);
    }

    public static string BasePath(HttpContext context) => RequestContext.Of(context).Configuration.Settings.Server.BasePath;

    public static string HomePath(HttpContext context) => BasePath(context) + "/";

    /// <summary>Whether the JSON of the pages is asked for.</summary>
    public static bool IsJson(HttpContext context) => context.Request.Path.StartsWithSegments(BasePath(context) + "/api");

    /// <summary>
    /// A path of this host to go on to after signing in, or the first page: anything that a browser could take for another
    /// host ('//', '/\', a control character that it drops) is not one.
    /// </summary>
    public static string ReturnTo(HttpContext context, string? wanted) =>
        wanted is ['/', .. var rest] && rest is not ['/' or '\\', ..] && wanted.Length <= 2048
        && wanted.All(letter => letter is > ' ' and < (char)127 and not '\\')
            ? wanted
            : HomePath(context);
}
