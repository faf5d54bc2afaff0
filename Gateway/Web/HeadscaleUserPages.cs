using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web;

/// <summary>A Headscale user as the page shows it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">The name, which may be empty.</param>
/// <param name="Label">The name, or what else tells it apart, with the id.</param>
/// <param name="Kind">Where it comes from: oidc, or Headscale itself.</param>
/// <param name="Person">The person that it is linked to; null for none.</param>
public sealed record HeadscaleUserRow(string Id, string Name, string Label, string Kind, string? Person);

/// <summary>Headscale's own users: created, renamed and deleted over its API, as the person who asks.</summary>
internal static class HeadscaleUserPages
{
    private const string Users = "/api/v1/user";

    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["create"] = "The Headscale user was created.",
        ["rename"] = "The Headscale user has its new name.",
        ["delete"] = "The Headscale user was deleted.",
    };

    public static void MapHeadscaleUsers(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/users/headscale", ListAsync);
        admin.MapGet("/users/headscale/{id}", ShowAsync);
        admin.MapPost("/users/headscale", CreateAsync);
        admin.MapPost("/users/headscale/{id}/{action}", ActAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageDoor door, People people, UserDirectory directory, PageCalls calls, string? q = null, int page = 1, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context, needs: Capability.ReadUsers);
        if (who is null)
        {
            return refusal!;
        }

        var (users, search) = (await directory.GetAsync(context.RequestAborted), q?.Trim() ?? "");
        var holders = PeoplePages.HoldersOf(people, users);
        var rows = users.Users.Select(one => RowOf(one, holders)).OrderBy(one => one.Label, StringComparer.OrdinalIgnoreCase);
        var shown = Paging.Cut([.. rows.Where(one => PeoplePages.Contains(search, one.Label, one.Kind, one.Person))], page);
        return PageAnswers.Page<Pages.HeadscaleUsersPage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("Users", shown.Rows),
            ("MayCreate", calls.Offers(RequestContext.Of(context), who, "POST", Users, isOwn: false, """{"name":"name"}""")),
            ("Search", search),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("Notice", _done.GetValueOrDefault(done ?? "")));
    }

    private static async Task<IResult> ShowAsync(HttpContext context, string id, PageDoor door, People people, UserDirectory directory, PageCalls calls, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context, needs: Capability.ReadUsers);
        if (who is null)
        {
            return refusal!;
        }

        var (users, request) = (await directory.GetAsync(context.RequestAborted), RequestContext.Of(context));
        return users.Find(id) is not { } user
            ? PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "Headscale has no such user.", isSignedIn: true)
            : PageAnswers.Page<Pages.HeadscaleUserPage>(
                StatusCodes.Status200OK,
                ("Shell", door.ShellOf(context, who)),
                ("User", RowOf(user, PeoplePages.HoldersOf(people, users))),
                ("MayRename", calls.Offers(request, who, "POST", $"{Users}/{user.Id}/rename/name", isOwn: false)),
                ("MayDelete", calls.Offers(request, who, "DELETE", $"{Users}/{user.Id}", isOwn: false)),
                ("Notice", _done.GetValueOrDefault(done ?? "")));
    }

    private static HeadscaleUserRow RowOf(HeadscaleUser user, Dictionary<string, string> holders) =>
        new(user.Id, user.Name, user.Label, user.Provider is { Length: > 0 } provider ? provider : "local", holders.GetValueOrDefault(user.Id));

    private static async Task<IResult> CreateAsync(HttpContext context, PageDoor door, PageCalls calls)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var body = new JsonObject { ["name"] = form["name"].ToString().Trim() };
        foreach (var (field, member) in new[] { ("display_name", "displayName"), ("email", "email") })
        {
            if (form[field].ToString().Trim() is { Length: > 0 } text)
            {
                body[member] = text;
            }
        }

        return Answer(context, who, "create", await calls.SendAsync(context, RequestContext.Of(context), who, "POST", Users, body.ToJsonString()));
    }

    private static async Task<IResult> ActAsync(HttpContext context, PageDoor door, PageCalls calls, string id, string action)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        if (action is not ("rename" or "delete"))
        {
            return PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "There is no such action.", isSignedIn: true);
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var user = $"{Users}/{Uri.EscapeDataString(id)}";
        var (method, target) = action == "delete" ? ("DELETE", user) : ("POST", $"{user}/rename/{Uri.EscapeDataString(form["name"].ToString().Trim())}");
        return Answer(context, who, action, await calls.SendAsync(context, RequestContext.Of(context), who, method, target), Uri.EscapeDataString(id));
    }

    private static IResult Answer(HttpContext context, Principal who, string action, PageCall answer, string id = "") =>
        answer.IsDone ? Results.Redirect($"{PageAnswers.BasePath(context)}/users/headscale{(action == "rename" ? $"/{id}" : "")}?done={action}") : PageDoor.Explain(context, who, answer);
}
