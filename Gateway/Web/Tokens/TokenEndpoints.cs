using System.Globalization;
using Gateway.Edge;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Tokens;

/// <summary>Tokens of the gateway's own, with which programs act for whoever made them.</summary>
internal static class TokenEndpoints
{
    private const string Secret = "token";

    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["revoke"] = Noop("The token was revoked. It counts no more."),
    };

    public static void MapTokens(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/tokens", List).RequireCapability(Capability.SignedIn);
        admin.MapPost("/tokens", CreateAsync).RequireCapability(Capability.SignedIn).TakesForm().Performs("tokens.create");
        admin.MapPost("/tokens/{id:long}/{action}", ChangeAsync).RequireCapability(Capability.SignedIn).TakesForm()
            .Performs(route => $"tokens.{route["action"]}");
    }

    private static RazorComponentResult List(
        HttpContext context, Principal principal, PageLayout layout, TokenList tokens, OneTimeSecretCookie once, TimeProvider clock,
        int page = 1, string? done = null)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        var shown = Paging.Cut(tokens.SeenBy(principal, table), page);
        return PageResults.Page<TokensPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Tokens", shown.Rows),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("Roles", principal.Person is { } me ? TokenChanges.RolesFor(me, table) : []),
            ("Fresh", once.Take(context, principal, Secret)),
            ("Address", AddressOf(context)),
            ("Now", clock.GetUtcNow()),
            ("Notice", _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null));
    }

    /// <summary>Where programs reach the gateway.</summary>
    private static Uri AddressOf(HttpContext context) =>
        RequestContext.Of(context).Configuration.Settings.Server.BaseUrl ?? new($"{context.Request.Scheme}://{context.Request.Host}");

    private static async Task<IResult> CreateAsync(HttpContext context, Principal principal, TokenChanges changes, OneTimeSecretCookie once)
    {
        if (principal.Person is not { } person)
        {
            return PageResults.Failure(
                context, StatusCodes.Status403Forbidden, T("Not possible"),
                T("You signed in with an API key, and a token is a person's. Sign in as yourself."));
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var wish = new TokenWish(
            form["name"].ToString().Trim(), form["role"].ToString(), NumberIn(form, "days"), Words(form["networks"]),
            Words(form["operations"]));
        var made = await changes.CreateAsync(PageResults.OriginOf(context), principal, person, wish, context.RequestAborted);
        return Show(context, principal, made, once);
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext context, long id, string action, Principal principal, AccessTokens tokens, TokenChanges changes,
        OneTimeSecretCookie once)
    {
        // Somebody else's token answers like one that is not there.
        if (tokens.Find(id) is not { } token || !changes.MayRevoke(principal, token, RequestContext.Of(context).Configuration.Table))
        {
            return PageResults.NotFound(context, T("There is no such token, or it is somebody else's."));
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        switch (action)
        {
            case "rotate":
                return Show(
                    context, principal,
                    await changes.RotateAsync(
                        PageResults.OriginOf(context), principal, token, NumberIn(form, "overlap", otherwise: -1), context.RequestAborted),
                    once);
            case "revoke":
                var changed = await changes.RevokeAsync(PageResults.OriginOf(context), principal, token, context.RequestAborted);
                var back = long.TryParse(form["person"], out var person) ? $"/users/{person}?done=token" : "/tokens?done=revoke";
                return changed.Complaint is null
                    ? Results.Redirect($"{PageResults.BasePath(context)}{back}")
                    : PageResults.Failure(context, changed.Status, T("Nothing was changed"), T(changed.Complaint));
            default:
                return PageResults.NotFound(context, T("There is no such action."));
        }
    }

    private static IResult Show(HttpContext context, Principal principal, TokenChanged made, OneTimeSecretCookie once)
    {
        if (made is not { Token: not null, Text: { } text })
        {
            return PageResults.Failure(context, made.Changed.Status, T("Nothing was changed"), T(made.Changed.Complaint!));
        }

        once.Keep(context, principal, Secret, text);
        return Results.Redirect($"{PageResults.BasePath(context)}/tokens");
    }

    private static int NumberIn(IFormCollection form, string field, int otherwise = 0) =>
        int.TryParse(form[field], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private static string[] Words(string? text) =>
        text?.Split([' ', ',', '\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries) ?? [];
}
