using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using static Gateway.Policy.Sentences;

namespace Gateway.Users;

/// <summary>
/// The one place where people are changed while the gateway runs, by pages, JSON and the command line alike: who may do it,
/// what is written down before and after, and what becomes of it.
/// </summary>
internal sealed class PersonChanges(People people, UserDirectory directory, RecordedChanges changes, TimeProvider clock)
{
    /// <summary>What somebody who outranks a person may do to them.</summary>
    public static IReadOnlyList<string> ByOthers { get; } = ["role", "unpin", "link", "unlink", "remove", "owner", "approve", "decline"];

    /// <summary>What people may do about themselves.</summary>
    public static IReadOnlyList<string> ByThemselves { get; } = ["claim", "withdraw", "ask"];

    /// <summary>Changes one person.</summary>
    /// <param name="action">One of <see cref="ByOthers"/> or <see cref="ByThemselves"/>.</param>
    /// <param name="value">The role, or the id of the Headscale user; empty where neither is meant.</param>
    public async Task<PersonChanged> ApplyAsync(
        ChangeOrigin origin, Principal who, Person person, string action, string value, CancellationToken cancel)
    {
        try
        {
            var plan = await PlanAsync(origin, who, person, action, value, cancel);
            return await changes.RunAsync(origin, who, $"people.{action}", person.Label, plan, cancel);
        }
        catch (HeadscaleException e)
        {
            return new(StatusCodes.Status503ServiceUnavailable, $"{e.Message}");
        }
    }

    /// <summary>Stores somebody who has not come yet, with a role that was given by hand.</summary>
    /// <param name="headscaleUser">The id of the Headscale user to link to; null for none.</param>
    public async Task<PersonChanged> AddAsync(
        ChangeOrigin origin, Principal who, NewPerson person, string? headscaleUser, CancellationToken cancel)
    {
        var label = new Person
        {
            Id = 0,
            Source = person.Source,
            Issuer = person.Issuer,
            Subject = person.Subject,
            Role = person.Role,
            CreatedAt = default,
        }.Label;
        return await changes.RunAsync(origin, who, "people.add", label, await PlanAsync(), cancel);

        async Task<PlannedChange> PlanAsync()
        {
            if (RoleComplaint(who, person.Role, origin.Configuration) is { } complaint)
            {
                return PlannedChange.Refuse(complaint);
            }

            var (link, refusal, note) = headscaleUser is null ? (null, null, null) : await LinkToAsync(who, headscaleUser, cancel);
            return refusal is not null
                ? PlannedChange.Refuse(refusal)
                : new(
                    () => people.AddAsync(person, link, isPinned: true), null,
                    $"{person.Role}, Headscale user {NameOf(link)}")
                { Note = note };
        }
    }

    /// <summary>What is to be done and how it is told; or why it may not be.</summary>
    private async Task<PlannedChange> PlanAsync(
        ChangeOrigin origin, Principal who, Person person, string action, string value, CancellationToken cancel)
    {
        var configuration = origin.Configuration;
        if (ByThemselves.Contains(action))
        {
            return who.Person?.Id != person.Id ? PlannedChange.Refuse($"that is for the person themselves")
                : action == "withdraw" ? new(() => people.DropClaimAsync(person.Id), NameOf(person.Claim), "none")
                : action == "ask" ? Ask(who, person)
                : await ClaimAsync(person, value, RuleFor(who, configuration.Settings), cancel);
        }

        if (action == "owner")
        {
            return who.IsConsole || (who is { Role.IsOwner: true, Person: { } me } && me.Id != person.Id)
                ? new(
                    () => people.TransferOwnershipAsync(person.Id, configuration.Table.Roles[1].Name, who.Person?.Id), person.Role,
                    Role.OwnerName)
                : PlannedChange.Refuse($"only the owner hands ownership over, and to somebody else");
        }

        return RankRules.Complaint(who, person, configuration.Table) is { } complaint
            ? PlannedChange.Refuse(complaint)
            : await PlanByRankAsync(configuration, who, person, action, value, cancel);
    }

    /// <summary>What those may do whose rank is above the person's.</summary>
    private async Task<PlannedChange> PlanByRankAsync(
        Configuration configuration, Principal who, Person person, string action, string value, CancellationToken cancel)
    {
        switch (action)
        {
            case "role":
                return RoleComplaint(who, value, configuration) is { } wrong ? PlannedChange.Refuse(wrong)
                    : MappedComplaint(person, configuration.Settings) is { } mapped ? PlannedChange.Refuse(mapped)
                    : new(() => people.SetRoleAsync(person.Id, value), TextOf(person), $"{value}, by hand");
            case "unpin":
                return new(
                    () => people.UnpinAsync(person.Id), TextOf(person),
                    $"{person.Role}, until the source of the identity says something else");
            case "link":
                var (link, refusal, note) = await LinkToAsync(who, value, cancel);
                return refusal is not null
                    ? PlannedChange.Refuse(refusal)
                    : new(() => people.LinkAsync(person.Id, link!), NameOf(person.Link), NameOf(link)) { Note = note };
            case "approve":
                // The user as claimed, not whoever has its number by now.
                return person.Claim is not { } claim || await FindAsync(claim.HeadscaleUserId, cancel) is not { } claimed
                    || claimed.Fingerprint != claim.Fingerprint
                        ? PlannedChange.Refuse($"they ask for no Headscale user, or it is not there any more")
                    : value.Length > 0 && value != claim.HeadscaleUserId
                        ? PlannedChange.Refuse($"they ask for another Headscale user than the one that you were shown; look again")
                    : new(() => people.ApproveClaimAsync(person.Id, claim), NameOf(person.Link), claimed.Label);
            case "decline":
                return new(() => people.DropClaimAsync(person.Id), NameOf(person.Claim), "none");
            case "unlink":
                return new(() => people.UnlinkAsync(person.Id), NameOf(person.Link), "none");
            case "remove":
                return new(() => people.RemoveAsync(person.Id), $"{person.Role}, Headscale user {NameOf(person.Link)}", "nobody");
            default:
                return PlannedChange.Refuse($"there is no such action");
        }
    }

    private static FormattableString? RoleComplaint(Principal who, string role, Configuration configuration) =>
        !configuration.Table.HasRole(role)
            ? Said($"there is no role '{OutsideText.Clean(role, 60)}'{SuggestedFor(role, configuration)}")
        : who.IsConsole || RankRules.MayGive(who, role, configuration.Table) ? null
        : Said($"you may not give the role '{role}'");

    private static string SuggestedFor(string role, Configuration configuration) =>
        Problems.Suggest(role, configuration.Table.Roles.Select(one => one.Name));

    /// <summary>Why a role that is given by hand would not last; null when it would.</summary>
    private static FormattableString? MappedComplaint(Person person, GatewaySettings settings) =>
        settings.ManualRoles is ManualRoles.Mapped && person.Role != Role.OwnerName
            && RoleSource.SettingOf(person.Source, settings) is { } setting
            ? Said(
                $"roles.manual is 'mapped', so {setting} decides the role of {person.Label} each time; change it there, or set 'pinned'")
            : null;

    /// <summary>What becomes of somebody's word that a Headscale user is theirs. Nobody is above the owner, who is believed.</summary>
    public static SelfClaim RuleFor(Principal who, GatewaySettings settings) => who.Role.IsOwner ? SelfClaim.Open : settings.SelfClaim;

    private PlannedChange Ask(Principal who, Person person) => who.Role.Held.Count > 0 ? PlannedChange.Refuse($"you have a role already")
        : new(() => people.AskForAccessAsync(person.Id, clock.GetUtcNow()), null, "a role");

    private async Task<PlannedChange> ClaimAsync(Person person, string value, SelfClaim rule, CancellationToken cancel)
    {
        if (rule is SelfClaim.Off)
        {
            return PlannedChange.Refuse($"this gateway takes no such requests; an administrator can link you");
        }

        if (person.Link is not null)
        {
            return PlannedChange.Refuse($"you are linked to a Headscale user already");
        }

        if (await FindAsync(value, cancel) is not { IsLocal: true } user || people.Snapshot.IsClaimed(user.Id, person))
        {
            return PlannedChange.Refuse($"Headscale has no free user of that name");
        }

        // Whom an administrator unlinked, an administrator links again, also where everybody else is believed.
        var claim = new UserLink(user.Id, user.Fingerprint, LinkSource.Claim);
        return new(
            rule is SelfClaim.Open && !person.IsKeptUnlinked ? () => people.LinkAsync(person.Id, claim) : () =>
                people.ClaimAsync(person.Id, claim), NameOf(person.Claim), user.Label);
    }

    /// <summary>
    /// A link to a user that Headscale has. From the console also while Headscale cannot be asked: then it is pinned at first sight.
    /// </summary>
    private async Task<(UserLink? Link, FormattableString? Refusal, FormattableString? Note)> LinkToAsync(
        Principal who, string id, CancellationToken cancel)
    {
        if (!ParameterTypes.IsId(id))
        {
            return (null, Said($"'{OutsideText.Clean(id, 60)}' is not the id of a Headscale user; ids are numbers"), null);
        }

        try
        {
            directory.Invalidate();
            return await FindAsync(id, cancel) is { } user
                ? (new UserLink(user.Id, user.Fingerprint, LinkSource.Admin), null, null)
                : (null, Said($"Headscale has no user with the id {id}"), null);
        }
        catch (HeadscaleException e) when (who.IsConsole)
        {
            return (new UserLink(id, UserLink.Unpinned, LinkSource.Admin), null,
                Said($"Headscale could not be asked ({e.Message}); the link is pinned when the gateway first sees that user"));
        }
    }

    private async Task<HeadscaleUser?> FindAsync(string id, CancellationToken cancel) => (await directory.GetAsync(cancel)).Find(id);

    private static string NameOf(UserLink? link) => link?.HeadscaleUserId ?? "none";

    private static string TextOf(Person person) => person.RoleIsPinned ? $"{person.Role}, by hand" : person.Role;
}
