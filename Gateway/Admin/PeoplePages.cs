using Gateway.Audit;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;

namespace Gateway.Admin;

/// <summary>A person of the gateway as the page shows them.</summary>
/// <param name="Id">The gateway's number.</param>
/// <param name="Name">What they are called.</param>
/// <param name="Identity">How the audit names them.</param>
/// <param name="Role">The name of their role.</param>
/// <param name="HeadscaleUser">The name of their Headscale user; null for none.</param>
/// <param name="LinkedBy">Who or what linked them.</param>
/// <param name="MayChange">Whether the reader may change them.</param>
/// <param name="MayHandOver">Whether the reader may make them the owner.</param>
public sealed record PersonRow(long Id, string Name, string Identity, string Role, string? HeadscaleUser, string? LinkedBy, bool MayChange, bool MayHandOver);

/// <summary>The gateway's people beside Headscale's users, and who may change what about them.</summary>
internal static class PeoplePages
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["role"] = "The role was changed. It counts with the next request.",
        ["link"] = "The person was linked.",
        ["unlink"] = "The link was removed.",
        ["remove"] = "The person was removed.",
        ["owner"] = "Ownership was handed over.",
    };

    public static void MapPeople(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/users", ListAsync);
        admin.MapPost("/users/{id:long}/{action}", ChangeAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageDoor door, People people, UserDirectory directory, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context, needs: Capability.ReadUsers);
        if (who is null)
        {
            return refusal!;
        }

        UserSnapshot users;
        try
        {
            users = await directory.GetAsync(context.RequestAborted);
        }
        catch (HeadscaleException e)
        {
            return PageDoor.Refuse(context, new(e.Reason, who.Role.Name, Detail: e.Message));
        }

        var (table, everyone) = (PageAnswers.Visit(context).Configuration.Table, people.Snapshot.Everyone);
        var claimed = everyone.Where(one => one.Link is not null).Select(one => one.Link!.HeadscaleUserId).ToHashSet(StringComparer.Ordinal);
        PersonRow[] rows =
        [
            .. everyone.Select(one => new PersonRow(
                one.Id,
                one.Name ?? one.Email ?? one.Subject,
                one.Label,
                one.Role,
                one.Link is { } link ? users.Find(link.HeadscaleUserId) is { } user ? NameOf(user) : $"{link.HeadscaleUserId} (no longer there)" : null,
                one.Link is { Source: var source } ? SnakeCase.From(source.ToString()) : null,
                RankRules.Complaint(who, one, table) is null,
                who is { Role.IsOwner: true, Person: { } me } && me.Id != one.Id)),
        ];
        return PageAnswers.Page<Pages.PeoplePage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("People", rows),
            ("Roles", table.Roles.Select(one => one.Name).Where(one => RankRules.MayGive(who, one, table)).ToArray()),
            ("Unclaimed", users.Users.Where(one => !claimed.Contains(one.Id)).Select(one => new UserChoice(one.Id, NameOf(one))).ToArray()),
            ("Notice", _done.GetValueOrDefault(done ?? "")));
    }

    private static string NameOf(HeadscaleUser user) => $"{(user.Name.Length > 0 ? user.Name : user.Email ?? "unnamed")} ({user.Id})";

    private static async Task<IResult> ChangeAsync(HttpContext context, long id, string action, PageDoor door, People people, UserDirectory directory, AuditLog audit, TimeProvider clock)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        if (people.Snapshot.Find(id) is not { } person || !_done.ContainsKey(action))
        {
            return PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "There is no such person, or no such action.", isSignedIn: true);
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (change, complaint) = await PlanAsync(context, who, person, action, form, people.Store, directory);
        var visit = PageAnswers.Visit(context);
        var entry = new AuditEntry
        {
            At = clock.GetUtcNow(),
            RequestId = visit.RequestId,
            Kind = AuditKind.Person,
            Actor = who.Label,
            Role = who.Role.Name,
            HeadscaleUser = who.User?.Id,
            Row = $"people.{action}",
            Method = "POST",
            Path = person.Label,
            Reason = complaint is null ? "allowed" : "refused",
            Status = complaint is null ? null : StatusCodes.Status403Forbidden,
            Client = visit.Peer.Client?.ToString(),
            Detail = complaint ?? $"{person.Role} -> {form["role"].ToString()}{form["user"].ToString()}",
        };
        if (change is null)
        {
            await audit.RecordAsync(entry, CancellationToken.None);
            return PageAnswers.Failure(context, StatusCodes.Status403Forbidden, "Not possible", complaint!, isSignedIn: true);
        }

        if (!await audit.BeginAsync(entry, context.RequestAborted))
        {
            return PageDoor.Refuse(context, new(Reason.AuditUnavailable, who.Role.Name));
        }

        var outcome = Try(change);
        people.Reload();
        await audit.CompleteAsync(new AuditOutcome(visit.RequestId, outcome is Change.Done ? "done" : SnakeCase.From(outcome.ToString()), outcome is Change.Done ? StatusCodes.Status302Found : StatusCodes.Status409Conflict, 0));
        return outcome is Change.Done
            ? Results.Redirect($"{PageAnswers.BasePath(context)}/users?done={action}")
            : PageAnswers.Failure(context, StatusCodes.Status409Conflict, "Nothing was changed", TextOf(outcome), isSignedIn: true);
    }

    /// <summary>What is to be done, or why it may not be.</summary>
    private static async Task<(Func<Change>? Change, string? Complaint)> PlanAsync(
        HttpContext context, Admitted who, Person person, string action, IFormCollection form, IPersonStore store, UserDirectory directory)
    {
        var table = PageAnswers.Visit(context).Configuration.Table;
        if (action == "owner")
        {
            return who is { Role.IsOwner: true, Person: { } me } && me.Id != person.Id
                ? (() => store.TransferOwnership(person.Id, "admin"), null)
                : (null, "only the owner hands ownership over, and to somebody else");
        }

        if (RankRules.Complaint(who, person, table) is { } complaint)
        {
            return (null, complaint);
        }

        switch (action)
        {
            case "role":
                var role = form["role"].ToString();
                return RankRules.MayGive(who, role, table) ? (() => store.SetRole(person.Id, role), null) : (null, $"you may not give the role '{role}'");
            case "link":
                var user = (await directory.GetAsync(context.RequestAborted)).Find(form["user"].ToString());
                return user is null ? (null, "Headscale has no such user") : (() => store.Link(person.Id, new UserLink(user.Id, user.Fingerprint, LinkSource.Admin)), null);
            case "unlink":
                return (() => store.Unlink(person.Id), null);
            default:
                return (() => store.Remove(person.Id), null);
        }
    }

    private static Change Try(Func<Change> change)
    {
        try
        {
            return change();
        }
        catch (StoreException)
        {
            return Change.None;
        }
    }

    private static string TextOf(Change outcome) => outcome switch
    {
        Change.Done => "It was done.",
        Change.None => "The store could not be changed; the gateway's log says why.",
        Change.NoSuchPerson => "That person is not there any more.",
        Change.Claimed => "That Headscale user is linked to somebody else; remove that link first.",
        Change.IsOwner => "That person is the owner now; ownership must be handed over first.",
        Change.OwnerExists => "There is an owner already.",
        Change.Exists => "That identity is there already.",
    };
}
