using Gateway.Audit;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;

namespace Gateway.Admin;

/// <summary>How a change to a person ended.</summary>
/// <param name="Status">200 when it was done, else the status of the answer.</param>
/// <param name="Complaint">Why it was not done; null when it was.</param>
internal readonly record struct PersonChanged(int Status, string? Complaint)
{
    public static PersonChanged Done { get; } = new(StatusCodes.Status200OK, null);
}

/// <summary>
/// The one place where people are changed while the gateway runs, on a page or as JSON: who may do it, what is written
/// down before and after, and what becomes of it.
/// </summary>
internal sealed class PersonChanges(People people, UserDirectory directory, AuditLog audit, TimeProvider clock)
{
    /// <summary>What somebody who outranks a person may do to them.</summary>
    public static IReadOnlyList<string> ByOthers { get; } = ["role", "link", "unlink", "remove", "owner", "approve", "decline"];

    /// <summary>What people may do about themselves.</summary>
    public static IReadOnlyList<string> ByThemselves { get; } = ["claim", "withdraw"];

    /// <param name="action">One of <see cref="ByOthers"/> or <see cref="ByThemselves"/>.</param>
    /// <param name="value">The role, or the id of the Headscale user; empty where neither is meant.</param>
    public async Task<PersonChanged> ApplyAsync(HttpContext context, Admitted who, Person person, string action, string value)
    {
        Plan plan;
        try
        {
            plan = await PlanAsync(context, who, person, action, value);
        }
        catch (HeadscaleException e)
        {
            return new(StatusCodes.Status503ServiceUnavailable, e.Message);
        }

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
            Method = context.Request.Method,
            Path = person.Label,
            Reason = plan.Complaint is null ? "allowed" : "refused",
            Status = plan.Complaint is null ? null : StatusCodes.Status403Forbidden,
            Client = visit.Peer.Client?.ToString(),
            Detail = plan.Complaint,
            Before = plan.Before,
            After = plan.After,
        };
        if (plan.Change is not { } change)
        {
            await audit.RecordAsync(entry, CancellationToken.None);
            return new(StatusCodes.Status403Forbidden, plan.Complaint);
        }

        if (!await audit.BeginAsync(entry, context.RequestAborted))
        {
            return new(StatusCodes.Status503ServiceUnavailable, "the audit cannot be written, so nothing is changed");
        }

        var outcome = Try(change);
        people.Reload();
        var changed = outcome is Change.Done ? PersonChanged.Done : new(StatusCodes.Status409Conflict, TextOf(outcome));
        await audit.CompleteAsync(new AuditOutcome(visit.RequestId, SnakeCase.From(outcome.ToString()), changed.Status, clock.GetElapsedTime(visit.Started).TotalMilliseconds));
        return changed;
    }

    /// <summary>What is to be done and how it is told; or why it may not be.</summary>
    private async Task<Plan> PlanAsync(HttpContext context, Admitted who, Person person, string action, string value)
    {
        var (store, configuration) = (people.Store, PageAnswers.Visit(context).Configuration);
        if (ByThemselves.Contains(action))
        {
            return who.Person?.Id != person.Id ? Plan.Refuse("that is for the person themselves")
                : action == "withdraw" ? new(() => store.DropClaim(person.Id), NameOf(person.Claim), "none")
                : await ClaimAsync(person, value, configuration.Settings.SelfClaim, context.RequestAborted);
        }

        if (action == "owner")
        {
            return who is { Role.IsOwner: true, Person: { } me } && me.Id != person.Id
                ? new(() => store.TransferOwnership(person.Id, configuration.Table.Roles[1].Name), person.Role, Role.OwnerName)
                : Plan.Refuse("only the owner hands ownership over, and to somebody else");
        }

        if (RankRules.Complaint(who, person, configuration.Table) is { } complaint)
        {
            return Plan.Refuse(complaint);
        }

        switch (action)
        {
            case "role":
                return RankRules.MayGive(who, value, configuration.Table) ? new(() => store.SetRole(person.Id, value), person.Role, value) : Plan.Refuse($"you may not give the role '{value}'");
            case "link":
                return await FindAsync(value, context.RequestAborted) is { } user
                    ? new(() => store.Link(person.Id, new UserLink(user.Id, user.Fingerprint, LinkSource.Admin)), NameOf(person.Link), user.Label)
                    : Plan.Refuse("Headscale has no such user");
            case "approve":
                // The user as claimed, not whoever has its number by now.
                return person.Claim is { } claim && await FindAsync(claim.HeadscaleUserId, context.RequestAborted) is { } claimed && claimed.Fingerprint == claim.Fingerprint
                    ? new(() => store.Link(person.Id, claim), NameOf(person.Link), claimed.Label)
                    : Plan.Refuse("they ask for no Headscale user, or it is not there any more");
            case "decline":
                return new(() => store.DropClaim(person.Id), NameOf(person.Claim), "none");
            case "unlink":
                return new(() => store.Unlink(person.Id), NameOf(person.Link), "none");
            case "remove":
                return new(() => store.Remove(person.Id), $"{person.Role}, Headscale user {NameOf(person.Link)}", "nobody");
            default:
                return Plan.Refuse("there is no such action");
        }
    }

    private async Task<Plan> ClaimAsync(Person person, string value, SelfClaim rule, CancellationToken cancel)
    {
        if (rule is SelfClaim.Off)
        {
            return Plan.Refuse("this gateway takes no such requests; an administrator can link you");
        }

        if (person.Link is not null)
        {
            return Plan.Refuse("you are linked to a Headscale user already");
        }

        if (await FindAsync(value, cancel) is not { IsLocal: true } user || people.Snapshot.IsClaimed(user.Id, person))
        {
            return Plan.Refuse("Headscale has no free user of that name");
        }

        var claim = new UserLink(user.Id, user.Fingerprint, LinkSource.Claim);
        return new(rule is SelfClaim.Open ? () => people.Store.Link(person.Id, claim) : () => people.Store.Claim(person.Id, claim), NameOf(person.Claim), user.Label);
    }

    private async Task<HeadscaleUser?> FindAsync(string id, CancellationToken cancel) => (await directory.GetAsync(cancel)).Find(id);

    private static string NameOf(UserLink? link) => link?.HeadscaleUserId ?? "none";

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
        Change.NoSuchPerson => "That person is not there any more, or was changed meanwhile.",
        Change.Claimed => "That Headscale user is linked to somebody else; remove that link first.",
        Change.IsOwner => "That person is the owner now; ownership must be handed over first.",
        Change.OwnerExists => "There is an owner already.",
        Change.Exists => "That identity is there already.",
    };

    private readonly record struct Plan(Func<Change>? Change, string? Before, string? After, string? Complaint = null)
    {
        public static Plan Refuse(string complaint) => new(null, null, null, complaint);
    }
}
