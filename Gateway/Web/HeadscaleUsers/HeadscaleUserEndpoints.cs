using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Gateway.Web.Users;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.HeadscaleUsers;

/// <summary>A Headscale user as the page shows it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">The name, which may be empty.</param>
/// <param name="Label">The name, or what else tells it apart, with the id.</param>
/// <param name="Kind">Where it comes from: oidc, or Headscale itself.</param>
/// <param name="Person">The person that it is linked to; null for none.</param>
public sealed record HeadscaleUserRow(string Id, string Name, string Label, string Kind, string? Person)
{
    /// <summary>Whether any of what is shown holds the text.</summary>
    public bool Matches(string text) => UserEndpoints.Contains(text, Label, Kind, Person);
}

/// <summary>Headscale's own users: created, renamed and deleted over its API, as the person who asks.</summary>
internal static class HeadscaleUserEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["create"] = Noop("The Headscale user was created."),
        ["rename"] = Noop("The Headscale user has its new name."),
        ["delete"] = Noop("The Headscale user was deleted."),
    };

    public static void MapHeadscaleUsers(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/users/headscale", ListAsync).RequireCapability(Capability.ReadUsers).Performs("users.list");
        admin.MapGet("/users/headscale/{id}", ShowAsync).RequireCapability(Capability.ReadUsers).Performs("users.list");
        admin.MapPost("/users/headscale", CreateAsync).RequireCapability(Capability.ReadUsers).TakesForm().Performs("users.create");
        admin.MapPost("/users/headscale/{id}/{action}", ActAsync).RequireCapability(Capability.ReadUsers).TakesForm()
            .Performs(route => $"users.{route["action"]}");
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Principal principal, PageLayout layout, People people, UserDirectory directory, HeadscaleCalls calls,
        string? q = null, int page = 1, string? done = null)
    {
        var (users, search) = (await directory.GetAsync(context.RequestAborted), q?.Trim() ?? "");
        var shown = Paging.Cut([.. RowsOf(people, users).Where(one => one.Matches(search))], page);
        return PageResults.Page<HeadscaleUsersPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Users", shown.Rows),
            ("MayCreate", calls.Can(context, principal, "users.create", Ownership.Foreign)),
            ("Search", search),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("Notice", _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null));
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, string id, Principal principal, PageLayout layout, People people, UserDirectory directory,
        HeadscaleCalls calls, string? done = null)
    {
        var users = await directory.GetAsync(context.RequestAborted);
        return users.Find(id) is not { } user
            ? PageResults.NotFound(context, T("Headscale has no such user."))
            : PageResults.Page<HeadscaleUserPage>(
                StatusCodes.Status200OK,
                ("Layout", layout.For(context, principal)),
                ("User", RowOf(user, UserEndpoints.HoldersOf(people, users))),
                ("MayRename", calls.Can(context, principal, "users.rename", Ownership.Foreign)),
                ("MayDelete", calls.Can(context, principal, "users.delete", Ownership.Foreign)),
                ("Notice", _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null));
    }

    /// <summary>All of them, by name.</summary>
    public static IEnumerable<HeadscaleUserRow> RowsOf(People people, UserSnapshot users)
    {
        var holders = UserEndpoints.HoldersOf(people, users);
        return users.Users.Select(one => RowOf(one, holders)).OrderBy(one => one.Label, StringComparer.OrdinalIgnoreCase);
    }

    private static HeadscaleUserRow RowOf(HeadscaleUser user, Dictionary<string, string> holders) =>
        new(
            user.Id, user.Name, user.Label, user.Provider is { Length: > 0 } provider ? provider : "local",
            holders.GetValueOrDefault(user.Id));

    private static async Task<IResult> CreateAsync(HttpContext context, Principal principal, HeadscaleCalls calls)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var operation = Operation.CreateUser(Text("name"), Text("display_name"), Text("email"));
        return Answer(context, principal, "create", await calls.SendAsync(context, principal, operation));

        string Text(string field) => form[field].ToString().Trim();
    }

    private static async Task<IResult> ActAsync(HttpContext context, Principal principal, HeadscaleCalls calls, string id, string action)
    {
        if (action is not ("rename" or "delete"))
        {
            return PageResults.NotFound(context, T("There is no such action."));
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var operation = action == "delete" ? Operation.DeleteUser(id) : Operation.RenameUser(id, form["name"].ToString().Trim());
        return Answer(context, principal, action, await calls.SendAsync(context, principal, operation), Uri.EscapeDataString(id));
    }

    private static IResult Answer(HttpContext context, Principal principal, string action, ApiResponse answer, string id = "") =>
        answer.IsDone
            ? Results.Redirect($"{PageResults.BasePath(context)}/users/headscale{(action == "rename" ? $"/{id}" : "")}?done={action}")
            : PageResults.Explain(context, principal, answer);
}
