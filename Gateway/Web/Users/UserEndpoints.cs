using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Account;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using Gateway.Web.Tokens;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Users;

/// <summary>A person of the gateway as the page shows them.</summary>
/// <param name="Id">The gateway's number.</param>
/// <param name="Name">What they are called.</param>
/// <param name="Identity">How the audit names them.</param>
/// <param name="Role">The name of their role.</param>
/// <param name="HeadscaleUser">The name of their Headscale user; null for none.</param>
/// <param name="LinkedBy">Who or what linked them.</param>
/// <param name="Claim">The Headscale user that they ask for; null for none.</param>
/// <param name="MayChange">Whether the reader may change them.</param>
/// <param name="MayHandOver">Whether the reader may make them the owner.</param>
public sealed record PersonRow(
    long Id, string Name, string Identity, string Role, string? HeadscaleUser, string? LinkedBy, string? Claim, bool MayChange,
    bool MayHandOver)
{
    /// <summary>The id of their Headscale user; null for none.</summary>
    public string? HeadscaleUserId { get; init; }

    /// <summary>The id of the Headscale user that they ask for; null for none.</summary>
    public string? ClaimedId { get; init; }

    /// <summary>Their address; null for none.</summary>
    public string? Address { get; init; }

    /// <summary>Whether they wait for a role.</summary>
    public bool AsksForAccess { get; init; }

    /// <summary>Their address, with what it is worth; null for none.</summary>
    public string? Email { get; init; }

    /// <summary>What the role follows from; null when people give it.</summary>
    public string? RoleNote { get; init; }

    /// <summary>Whether the role was given by hand and stays.</summary>
    public bool RoleIsPinned { get; init; }

    /// <summary>Why they are linked to nobody; null when they are, and where nobody asks.</summary>
    public string? WhyUnlinked { get; init; }

    /// <summary>Whether any of what is shown holds the text.</summary>
    public bool Matches(string text) => UserEndpoints.Contains(text, Name, Address, Identity, Role, HeadscaleUser);
}

/// <summary>The gateway's people beside Headscale's users, and who may change what about them.</summary>
internal static class UserEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["role"] = Noop("The role was changed. It counts with the next request."),
        ["unpin"] = Noop("The role is decided by the source of the identity again."),
        ["link"] = Noop("The person was linked."),
        ["approve"] = Noop("The person was linked to the Headscale user that they asked for."),
        ["decline"] = Noop("The request was declined."),
        ["unlink"] = Noop("The link was removed."),
        ["add"] = Noop("The person was added. The role and the Headscale user count with their first sign-in."),
        ["remove"] = Noop("The person was removed."),
        ["owner"] = Noop("Ownership was handed over."),
        ["end"] = Noop("The session was ended."),
        ["token"] = Noop("The token was revoked. It counts no more."),
        ["offboard"] = Noop("Offboarded: sessions and tokens ended, devices signed out, keys expired, person removed."),
    };

    public static void MapUsers(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/users", ListAsync).RequireCapability(Capability.ReadUsers);
        admin.MapGet("/users/{id:long}", ShowAsync).RequireCapability(Capability.ReadUsers);
        admin.MapPost("/users/{id:long}/offboard", OffboardAsync).RequireCapability(Capability.AssignRoles).TakesForm()
            .Performs("people.remove");
        admin.MapPost("/users/{id:long}/{action}", ChangeAsync).RequireCapability(Capability.SignedIn).TakesForm();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Principal principal, PageLayout layout, People people, UserDirectory directory, string? q = null,
        string role = "", int page = 1, string? done = null)
    {
        var (table, users, search) = (RequestContext.Of(context).Configuration.Table, await directory.GetAsync(context.RequestAborted),
            q?.Trim() ?? "");
        var rows = RowsOf(people, users, principal, table);
        var shown = Paging.Cut([.. rows.Where(one => (role.Length == 0 || one.Role == role) && one.Matches(search))], page);
        var given = RolesGivenBy(principal, table);
        return PageResults.Page<PeoplePage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("People", shown.Rows),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("Search", search),
            ("Asking", rows.Where(one => (one.Claim is not null || one.AsksForAccess) && one.MayChange).Take(10).ToArray()),
            ("Roles", table.Roles.Select(one => one.Name).ToArray()),
            ("Role", role),
            ("MayAdd", principal.Role.Has(Capability.AssignRoles) && given.Length > 0),
            ("FirstRole", given.LastOrDefault(one => table.RoleNamed(one).Held.Count > 0)),
            ("State", Plural(
                rows.Length, "{0} person, {1} not connected", "{0} people, {1} not connected",
                rows.Count(one => one.HeadscaleUser is null))),
            ("Notice", _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null));
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, long id, Principal principal, PageLayout layout, People people, UserDirectory directory,
        PrincipalResolver principals, Sessions sessions, TokenList tokens, HeadscaleCalls calls, TimeProvider clock,
        string? done = null)
    {
        if (people.Snapshot.Find(id) is not { } person)
        {
            return NotFound(context);
        }

        var (table, users) = (RequestContext.Of(context).Configuration.Table, await directory.GetAsync(context.RequestAborted));
        var why = principals.WhyUnlinked(person, users, RequestContext.Of(context).Configuration.Settings);
        return PageResults.Page<PersonPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Person", RowOf(person, principal, users, table) with { WhyUnlinked = why is null ? null : T(why) }),
            ("Roles", RolesGivenBy(principal, table)),
            ("Unclaimed", UnclaimedOf(people, users)),
            ("Sessions", AccountEndpoints.SeenBy(context, principal, sessions, people, id)),
            ("Tokens", tokens.SeenBy(principal, table, id)),
            ("Around", await Offboarding.AroundAsync(context, calls, principal, person, PrincipalResolver.LinkOf(person, users))),
            ("Now", clock.GetUtcNow()),
            ("Notice", _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null));
    }

    /// <summary>Whether any of what is shown holds the text.</summary>
    public static bool Contains(string text, params ReadOnlySpan<string?> shown)
    {
        foreach (var one in shown)
        {
            if (one?.Contains(text, StringComparison.OrdinalIgnoreCase) is true)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A person as somebody may see and change them.</summary>
    public static PersonRow RowOf(Person one, Principal principal, UserSnapshot users, RouteTable table) => new(
        one.Id,
        one.DisplayName,
        one.Label,
        one.Role,
        LabelOf(one.Link, users),
        one.Link is { Source: var source } ? SnakeCase.From(source.ToString()) : null,
        LabelOf(one.Claim, users),
        RankRules.Complaint(principal, one, table) is null,
        principal is { Role.IsOwner: true, Person: { } me } && me.Id != one.Id)
    {
        Email = one.Email is { } address
            ? $"{address} ({(one.EmailIsTrusted
                ? T("may find a Headscale user")
                : T("not verified, or not trusted by the settings"))})"
            : null,
        RoleNote = one.RoleIsPinned ? T("given by hand; it stays until it is taken back") : one.RoleNote,
        RoleIsPinned = one.RoleIsPinned,
        HeadscaleUserId = one.Link?.HeadscaleUserId,
        ClaimedId = one.Claim?.HeadscaleUserId,
        Address = one.Email,
        AsksForAccess = one.AskedForAccess is not null,
    };

    /// <summary>Everybody, by name.</summary>
    public static PersonRow[] RowsOf(People people, UserSnapshot users, Principal principal, RouteTable table) =>
        [.. people.Snapshot.Everyone.Select(one => RowOf(one, principal, users, table))
            .OrderBy(one => one.Name, StringComparer.OrdinalIgnoreCase).ThenBy(one => one.Id)];

    /// <summary>The roles that somebody may give.</summary>
    public static string[] RolesGivenBy(Principal principal, RouteTable table) =>
        [.. table.Roles.Select(one => one.Name).Where(one => RankRules.MayGive(principal, one, table))];

    /// <summary>Headscale users that are nobody's yet.</summary>
    public static UserChoice[] UnclaimedOf(People people, UserSnapshot users)
    {
        var holders = HoldersOf(people, users);
        return UserChoice.Of(users.Users.Where(one => !holders.ContainsKey(one.Id)));
    }

    /// <summary>Which Headscale user is whose.</summary>
    public static Dictionary<string, string> HoldersOf(People people, UserSnapshot users) => people.Snapshot.Everyone
        .Where(one => PrincipalResolver.LinkOf(one, users) is not null)
        .ToDictionary(one => one.Link!.HeadscaleUserId, one => one.DisplayName, StringComparer.Ordinal);

    private static string? LabelOf(UserLink? link, UserSnapshot users) =>
        link is null ? null : users.Find(link.HeadscaleUserId) is { } user ? user.Label : T("{0} (no longer there)", link.HeadscaleUserId);

    private static async Task<IResult> ChangeAsync(
        HttpContext context, long id, string action, Principal principal, People people, PersonChanges changes)
    {
        if (people.Snapshot.Find(id) is not { } person || !PersonChanges.ByOthers.Contains(action))
        {
            return NotFound(context);
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var changed = await changes.ApplyAsync(
            PageResults.OriginOf(context), principal, person, action, form[FieldOf(action)].ToString(), context.RequestAborted);
        return changed.Complaint is null
            ? Results.Redirect($"{PageResults.BasePath(context)}/users{(action == "remove" ? "" : $"/{id}")}?done={action}")
            : PageResults.Failure(context, changed.Status, T("Nothing was changed"), T(changed.Complaint));
    }

    /// <summary>The field that says what somebody becomes.</summary>
    private static string FieldOf(string action) => action switch
    {
        "role" => "role",
        "approve" => "claimed",
        _ => "user",
    };

    private static async Task<IResult> OffboardAsync(
        HttpContext context, long id, Principal principal, People people, UserDirectory directory, PersonChanges changes,
        TokenChanges tokens, HeadscaleCalls calls, UpstreamMonitor upstream, TimeProvider clock)
    {
        if (people.Snapshot.Find(id) is not { } person)
        {
            return NotFound(context);
        }

        // A number that Headscale gave to somebody else meanwhile is not theirs.
        var may = RankRules.Complaint(principal, person, RequestContext.Of(context).Configuration.Table) is null;
        var owner = may ? PrincipalResolver.LinkOf(person, await directory.GetAsync(context.RequestAborted)) : null;

        // A program that goes on would make new things while the others end.
        if (may && await tokens.RevokeAllAsync(() => PageResults.OriginOf(context), principal, person, context.RequestAborted)
            is { } complaint)
        {
            return PageResults.Failure(context, StatusCodes.Status409Conflict, T("Not everything was done"), T(complaint));
        }

        if (await EndAsync() is { } trouble)
        {
            return PageResults.Failure(
                context, StatusCodes.Status502BadGateway, T("Not everything was done"),
                T("{0}. {1} was not removed, so that you can try again.", trouble, person.Name ?? person.Label));
        }

        var changed = await changes.ApplyAsync(
            PageResults.OriginOf(context), principal, person, "remove", "", context.RequestAborted);
        if (changed.Complaint is not null)
        {
            return PageResults.Failure(context, changed.Status, T("Nothing was changed"), T(changed.Complaint));
        }

        // What they made until their rights were gone.
        return await EndAsync() is { } late
            ? PageResults.Failure(
                context, StatusCodes.Status502BadGateway, T("Not everything was done"),
                T("{0}. {1} was removed; look at the devices and keys of their Headscale user.", late, person.Name ?? person.Label))
            : Results.Redirect($"{PageResults.BasePath(context)}/users?done=offboard");

        async Task<string?> EndAsync() =>
            owner is null ? null : await Offboarding.EndAsync(
                context, calls, principal, owner.Id, await upstream.VersionAsync(context.RequestAborted), clock);
    }

    private static RazorComponentResult NotFound(HttpContext context) =>
        PageResults.Failure(context, StatusCodes.Status404NotFound, T("Not found"), T("There is no such person, or no such action."));
}
