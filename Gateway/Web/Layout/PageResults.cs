using Gateway.Audit;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>What own pages answer.</summary>
internal static class PageResults
{
    private static readonly (string Field, string Label)[] _typed =
    [
        ("name", Noop("Name")), ("display_name", Noop("Display name")), ("email", Noop("E-mail address")), ("tags", Noop("Tags")),
        ("device", Noop("Link or key")), ("route", Noop("Routes")),
    ];

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

    /// <summary>
    /// A page that says what went wrong, what helps, and under which reference the log has more. What was typed stays to be seen.
    /// </summary>
    public static RazorComponentResult Failure(
        HttpContext context, int status, string title, string text, string? advice = null, bool isSignedIn = true)
    {
        var principal = AuthenticationState.Of(context).Principal;
        return Page<FailurePage>(
            status, ("Title", title), ("Base", BasePath(context)), ("Text", text), ("Advice", advice), ("IsSignedIn", isSignedIn),
            ("Layout", principal is null ? null : context.RequestServices.GetRequiredService<PageLayout>().For(context, principal)),
            ("Brand", Brand.Of(RequestContext.Of(context).Configuration.Settings.Branding)),
            ("Back", FormOf(context)), ("Typed", TypedInto(context)), ("Reference", context.TraceIdentifier));
    }

    /// <summary>The page of ours whose form was sent; null where none was.</summary>
    private static string? FormOf(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method)
        && Uri.TryCreate(context.Request.Headers.Referer.ToString(), UriKind.Absolute, out var from)
        && from.AbsolutePath.StartsWith(HomePath(context), StringComparison.Ordinal)
            ? ReturnTo(context, from.AbsolutePath)
            : null;

    /// <summary>The fields of forms that somebody types into, and that are no secrets.</summary>
    private static (string Name, string Value)[] TypedInto(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method) && context.Features.Get<IFormFeature>()?.Form is { } form
            ? [.. _typed.Where(one => form[one.Field].ToString().Length > 0).Select(one => (T(one.Label), form[one.Field].ToString()))]
            : [];

    /// <summary>That there is nothing of the kind.</summary>
    public static RazorComponentResult NotFound(HttpContext context, string text) =>
        Failure(context, StatusCodes.Status404NotFound, T("Not found"), text);

    /// <summary>The page that says why something is not possible, in the words that the API would use.</summary>
    public static RazorComponentResult Refuse(HttpContext context, Refusal refusal) =>
        Failure(
            context, Refusals.StatusOf(refusal.Reason), T("Not possible"), Refusals.TextOf(refusal, T),
            isSignedIn: refusal.Role is not null);

    /// <summary>Answers a request that gets no further: with a page, and on addresses of JSON with a problem.</summary>
    public static Task RefuseAsync(HttpContext context, Refusal refusal) => IsJson(context)
        ? ErrorAnswers.WriteAsync(context, refusal, ErrorStyle.Problem)
        : Refuse(context, refusal).ExecuteAsync(context);

    /// <summary>What the person is told where something did not work: the gateway's reason, or Headscale's own words.</summary>
    public static RazorComponentResult Explain(HttpContext context, Principal principal, ApiResponse answer) =>
        IsGone(answer) ? NotFound(context, T("This doesn't exist, or it isn't yours."))
        : answer.Decision.IsAllowed ? Failure(
            context, StatusCodes.Status502BadGateway, T("Headscale refused"), answer.Complaint
                ?? T("Headscale answered {0} and said nothing more.", answer.Status))
        : Refuse(context, RefusalOf(principal, answer));

    /// <summary>Headscale up to 0.29 says it with status 500, and ours is that of somebody else's things.</summary>
    private static bool IsGone(ApiResponse answer) =>
        answer.Decision.Reason is Reason.NotFound
        || (answer.Decision.IsAllowed && (answer.Status is StatusCodes.Status404NotFound
            || (answer.Status >= 400 && answer.Complaint is { } words
                && words.EndsWith("not found", StringComparison.Ordinal))));

    /// <summary>Why something did not work, in a sentence: Headscale's own words, or the gateway's reason.</summary>
    public static string ComplaintOf(Principal principal, ApiResponse answer) =>
        answer.Complaint ?? Refusals.TextOf(RefusalOf(principal, answer), T);

    /// <summary>Why a call of a page was not carried out.</summary>
    public static Refusal RefusalOf(Principal principal, ApiResponse answer) =>
        new(answer.Decision.Reason, principal.Role.Name, answer.Decision.Lacks, answer.Decision.Detail);

    /// <summary>Where a change that a page asks for comes from.</summary>
    public static ChangeOrigin OriginOf(HttpContext context)
    {
        var request = RequestContext.Of(context);
        return new(
            RequestReferences.Next(context), AuditKind.Person, context.Request.Method, request.Peer.Client?.ToString(), request.Started,
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
