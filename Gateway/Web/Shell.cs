using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Microsoft.AspNetCore.Antiforgery;

namespace Gateway.Web;

/// <summary>An entry of the navigation.</summary>
/// <param name="Href">Where it leads.</param>
/// <param name="Text">What it says.</param>
/// <param name="IsCurrent">Whether the page is there, or below it.</param>
public sealed record NavLink(string Href, string Text, bool IsCurrent);

/// <summary>What frames every page of somebody who is signed in: who they are, and where they may go.</summary>
/// <param name="Base">The path that all pages are under.</param>
/// <param name="Name">What the person is called.</param>
/// <param name="Role">The name of their role.</param>
/// <param name="HeadscaleUser">Their Headscale user, with its id; null for none.</param>
/// <param name="Links">The pages that the role may see.</param>
/// <param name="Warning">What is wrong with the gateway itself; null for nothing.</param>
/// <param name="CanSignOut">Whether there is a session to end, or a proxy that does it.</param>
/// <param name="TokenField">The name of the field that every form carries.</param>
/// <param name="Token">Its value, which another site cannot know.</param>
public sealed record Shell(string Base, string Name, string Role, string? HeadscaleUser, IReadOnlyList<NavLink> Links, string? Warning, bool CanSignOut, string TokenField, string Token);

/// <summary>The way into pages: who may come in, and what frames the page for them.</summary>
internal sealed partial class PageDoor(Authentication authentication, IAntiforgery antiforgery, DuplicateFormGuard sent, SignInAudit audit, UpstreamMonitor upstream, TimeProvider clock)
{
    /// <summary>Who is there; or the answer for somebody who may not go on.</summary>
    /// <param name="isForm">Whether something was posted: then it must come from a page of ours.</param>
    /// <param name="needs">What the role must hold to see the page at all.</param>
    public async Task<(Principal? Who, IResult? Refusal)> EnterAsync(HttpContext context, bool isForm = false, Capability? needs = null)
    {
        var request = RequestContext.Of(context);
        var (principal, key, problem) = await authentication.AuthenticateAsync(context, request);
        if (problem is var (reason, detail) && reason is not Reason.SignInRequired)
        {
            return (null, Refuse(context, new(reason, Detail: detail)));
        }

        if (principal is null)
        {
            var returnTo = isForm ? PageAnswers.HomePath(context) : context.Request.Path + context.Request.QueryString;
            return (null, key is null ? Results.Redirect(PageAnswers.LoginUrl(context, PageAnswers.ReturnTo(context, returnTo))) : Results.NotFound());
        }

        if (isForm && await IsForeignAsync(context, request.Configuration.Settings.Server.BaseUrl) is { } status)
        {
            await audit.RecordAsync(context, "page.form", principal.Label, "cross_site", status, principal.Role.Name);
            return (null, PageAnswers.Failure(context, status, "Please try again", "This form was too old or came from elsewhere, so nothing was changed.", isSignedIn: true));
        }

        if (isForm && !sent.IsFirst(context.Request.Path, await context.Request.ReadFormAsync(context.RequestAborted)))
        {
            return (null, PageAnswers.Failure(context, StatusCodes.Status409Conflict, "Sent twice", "This form was sent already, and what it does was begun once. Have a look whether it is done before you send it again.", isSignedIn: true));
        }

        return needs is { } capability && !principal.Role.Has(capability)
            ? (null, Refuse(context, new(Reason.RoleTooLow, principal.Role.Name, capability)))
            : (principal, null);
    }

    /// <summary>The status for a form that may have been sent by another site; null for one of ours.</summary>
    private async Task<int?> IsForeignAsync(HttpContext context, Uri? baseUrl) =>
        SameOrigin.IsCrossSite(context.Request, baseUrl) ? StatusCodes.Status403Forbidden
        : context.Request.HasFormContentType && await antiforgery.IsRequestValidAsync(context) ? null
        : StatusCodes.Status400BadRequest;

    public Shell ShellOf(HttpContext context, Principal who)
    {
        var (settings, token) = (RequestContext.Of(context).Configuration.Settings, antiforgery.GetAndStoreTokens(context));
        var at = settings.Server.BasePath;
        (string Href, string Text, bool IsThere)[] places =
        [
            ($"{at}/", "Overview", true),
            ($"{at}/machines", "Machines", who.Role.Has(Capability.ReadMachines) || who.Role.Has(Capability.ReadOwnMachines)),
            ($"{at}/keys", "Keys", who.Role.Has(Capability.GenerateAuthkeys) || who.Role.Has(Capability.GenerateOwnAuthkeys)),
            ($"{at}/apikeys", "API keys", who.Role.Has(Capability.ManageApiKeys)),
            ($"{at}/users", "Users", who.Role.Has(Capability.ReadUsers)),
            ($"{at}/policy", "Policy", who.Role.Has(Capability.ReadPolicy)),
            ($"{at}/audit", "Audit", who.Role.Has(Capability.ReadAudit)),
            ($"{at}/access", "Access", who.Role.Held.Count > 0),
            ($"{at}/status", "Status", StatusBoard.MaySee(who.Role)),
            ($"{at}/account", "Sessions", who.Session is not null || who.Role.Has(Capability.AssignRoles)),
        ];
        return new(
            at,
            who.Person?.Name ?? who.Person?.Email ?? who.Label,
            who.Role.Name,
            who.User is { } user ? $"{user.Name} ({user.Id})" : null,
            [.. places.Where(one => one.IsThere).Select(one => new NavLink(one.Href, one.Text, IsAt(context, one.Href)))],
            WarningFor(who.Role),
            who.Session is not null || settings.Server.ProxyAuth?.LogoutUrl is not null,
            token.FormFieldName,
            token.RequestToken!);
    }

    /// <summary>What keeps everybody from working is for everybody; what will, for those who see how things stand.</summary>
    private string? WarningFor(Role role) => upstream.Status switch
    {
        { Key: KeyState.Rejected } => Refusals.TextOf(new(Reason.UpstreamKeyRejected)),
        { Key: KeyState.Missing } => Refusals.TextOf(new(Reason.UpstreamKeyMissing)),
        { IsReachable: false, Detail: not null } => Refusals.TextOf(new(Reason.UpstreamUnavailable)),
        { KeyExpires: { } at } status when StatusBoard.MaySee(role) && status.KeyExpiresSoon(clock.GetUtcNow()) =>
            $"The gateway's Headscale API key ends on {at:yyyy-MM-dd}. Make a new one, put it where headscale.api_key points, and nothing stops working.",
        _ => null,
    };

    /// <summary>Middleware: a page that needs Headscale says so where it cannot be reached.</summary>
    public static RequestDelegate CatchAsync(RequestDelegate next) => async context =>
    {
        try
        {
            await next(context);
        }
        catch (HeadscaleException e) when (!context.Response.HasStarted)
        {
            await SayAsync(context, new(e.Reason, Detail: e.Message));
        }
        catch (StoreException e) when (!context.Response.HasStarted)
        {
            LogStore(context.RequestServices.GetRequiredService<ILogger<PageDoor>>(), context.TraceIdentifier, e.Message);
            await SayAsync(context, new(Reason.StoreUnavailable));
        }
    };

    private static Task SayAsync(HttpContext context, Refusal refusal) => context.Request.Path.StartsWithSegments(PageAnswers.BasePath(context) + "/api")
        ? Refusals.WriteAsync(context, refusal, ErrorStyle.Problem)
        : PageAnswers.Failure(context, Refusals.StatusOf(refusal.Reason), "Not possible", Refusals.TextOf(refusal), isSignedIn: true).ExecuteAsync(context);

    [LoggerMessage(1, LogLevel.Error, "Request {Reference} could not be done: {Cause}")]
    private static partial void LogStore(ILogger log, string reference, string cause);

    /// <summary>The page that says why something is not possible, in the words that the API would use.</summary>
    public static IResult Refuse(HttpContext context, Refusal refusal) =>
        PageAnswers.Failure(context, Refusals.StatusOf(refusal.Reason), "Not possible", Refusals.TextOf(refusal), isSignedIn: refusal.Role is not null);

    /// <summary>What the person is told where something did not work: the gateway's reason, or Headscale's own words.</summary>
    public static IResult Explain(HttpContext context, Principal who, PageCall answer) => answer.Decision.IsAllowed
        ? PageAnswers.Failure(context, StatusCodes.Status502BadGateway, "Headscale refused", answer.Complaint ?? $"Headscale answered {answer.Status} and said nothing more.", isSignedIn: true)
        : Refuse(context, new(answer.Decision.Reason, who.Role.Name, answer.Decision.Lacks, answer.Decision.Detail));

    private static bool IsAt(HttpContext context, string href) =>
        context.Request.Path.Value is { } path && (path == href || (!href.EndsWith('/') && path.StartsWith(href + "/", StringComparison.Ordinal)));
}
