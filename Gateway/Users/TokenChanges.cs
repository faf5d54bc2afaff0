using System.Globalization;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using static Gateway.Policy.Sentences;

namespace Gateway.Users;

/// <summary>What somebody wants a token to be.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Role">The role that it has at most.</param>
/// <param name="Days">How long it counts.</param>
/// <param name="Networks">From where it counts; empty: from everywhere.</param>
/// <param name="Operations">The ids of the rules that it may use; empty: all of its role's.</param>
internal sealed record TokenWish(string Name, string Role, int Days, IReadOnlyList<string> Networks, IReadOnlyList<string> Operations);

/// <summary>How a change to a token ended.</summary>
/// <param name="Changed">Whether it was done.</param>
/// <param name="Token">The token as it is now; null where there is none.</param>
/// <param name="Text">The new token itself, which is shown once; null where none was made.</param>
internal readonly record struct TokenChanged(PersonChanged Changed, Token? Token = null, string? Text = null);

/// <summary>The one place where tokens are made, rotated and revoked, by pages and the command line alike.</summary>
internal sealed class TokenChanges(AccessTokens tokens, People people, RecordedChanges changes, TimeProvider clock)
{
    public const int LongestName = 60;

    public const int MostDays = 366;

    public const int LongestOverlapHours = 7 * 24;

    private const int MostListed = 100;

    /// <summary>Makes a token with which a program acts for a person.</summary>
    public async Task<TokenChanged> CreateAsync(
        ChangeOrigin origin, Principal who, Person person, TokenWish wish, CancellationToken cancel)
    {
        (Token Token, string Text)? made = null;
        var complaint = OwnComplaint(who, person.Id) ?? WishComplaint(person, wish, origin.Configuration.Table);
        var now = clock.GetUtcNow();
        var draft = new Token
        {
            Id = 0,
            Hash = "",
            Name = wish.Name,
            PersonId = person.Id,
            Role = wish.Role,
            Networks = [.. wish.Networks.Select(one => AddressText.ParseNetwork(one, out _)?.ToString() ?? one)],
            Operations = [.. wish.Operations.Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal)],
            CreatedAt = now,
            ExpiresAt = now + TimeSpan.FromDays(Math.Clamp(wish.Days, 1, MostDays)),
        };
        var plan = complaint is not null ? PlannedChange.Refuse(complaint)
            : new(MakeAsync, null, TextOf(draft)) { Made = () => made is var (token, _) ? $"token {token.Label}" : null };
        var changed = await changes.RunAsync(origin, who, "tokens.create", person.Label, plan, cancel);
        return new(changed, made?.Token, made?.Text);

        async Task<Change> MakeAsync() => (made = await tokens.CreateAsync(draft)) is null ? Change.TooManyTokens : Change.Done;
    }

    /// <summary>Gives a token a new text; the old one counts a while longer.</summary>
    /// <param name="overlapHours">How long.</param>
    public async Task<TokenChanged> RotateAsync(
        ChangeOrigin origin, Principal who, Token token, int overlapHours, CancellationToken cancel)
    {
        (Token Token, string Text)? made = null;
        var overlap = TimeSpan.FromHours(Math.Clamp(overlapHours, 0, LongestOverlapHours));
        var plan = (OwnComplaint(who, token.PersonId) ?? OverlapComplaint(token, overlapHours)) is { } complaint
            ? PlannedChange.Refuse(complaint)
            : new(MakeAsync, TextOf(token), $"the one before counts {(int)overlap.TotalHours} h more");
        var changed = await changes.RunAsync(origin, who, "tokens.rotate", HolderOf(token), plan, cancel);
        return new(changed, made?.Token, made?.Text);

        async Task<Change> MakeAsync() => (made = await tokens.RotateAsync(token.Id, overlap)) is null ? Change.NoSuchToken : Change.Done;
    }

    /// <summary>Ends a token at once.</summary>
    public Task<PersonChanged> RevokeAsync(ChangeOrigin origin, Principal who, Token token, CancellationToken cancel)
    {
        var plan = MayRevoke(who, token, origin.Configuration.Table)
            ? new PlannedChange(
                async () => await tokens.RevokeAsync(token.Id) ? Change.Done : Change.NoSuchToken, TextOf(token), "none")
            : PlannedChange.Refuse($"that token is of somebody whom you do not outrank");
        return changes.RunAsync(origin, who, "tokens.revoke", HolderOf(token), plan, cancel);
    }

    /// <summary>Ends all tokens of a person at once, each recorded.</summary>
    /// <param name="origin">Where each change comes from.</param>
    /// <returns>Why not; null when all are ended.</returns>
    public async Task<FormattableString?> RevokeAllAsync(Func<ChangeOrigin> origin, Principal who, Person person, CancellationToken cancel)
    {
        foreach (var token in tokens.All.Where(one => one.PersonId == person.Id))
        {
            if ((await RevokeAsync(origin(), who, token, cancel)).Complaint is { } complaint)
            {
                return complaint;
            }
        }

        return null;
    }

    /// <summary>Whether somebody may see that a token is there, and revoke it: one's own, and those of whom one may change.</summary>
    public bool MayRevoke(Principal who, Token token, RouteTable table) =>
        who.Token is null
        && (who.IsConsole || who.Person?.Id == token.PersonId
            || (who.Role.Has(Capability.AssignRoles)
                && (people.Snapshot.Find(token.PersonId) is not { } other || RankRules.Complaint(who, other, table) is null)));

    /// <summary>The roles that a person's token may have: what they have themselves, and what is below; the highest first.</summary>
    public static string[] RolesFor(Person person, RouteTable table) =>
        [.. table.Roles.Where(one => RoleComplaint(person, one.Name, table) is null).Select(one => one.Name)];

    /// <summary>How people and the audit name whose token it is.</summary>
    public string HolderOf(Token token) => people.Snapshot.Find(token.PersonId)?.Label ?? $"person {token.PersonId}";

    /// <summary>Whoever could make tokens with a token would never lose access.</summary>
    private static FormattableString? OwnComplaint(Principal who, long person) =>
        who.Token is not null ? Said($"a token makes no tokens; sign in")
        : who.IsConsole || who.Person?.Id == person ? null
        : Said($"people make and rotate their own tokens alone");

    /// <summary>Nobody takes the time away that was promised to the one before, unless they say so.</summary>
    private FormattableString? OverlapComplaint(Token token, int hours) =>
        hours is < 0 or > LongestOverlapHours ? Said($"the one before counts for 0 to {LongestOverlapHours} hours")
        : hours > 0 && token.PreviousUntil > clock.GetUtcNow()
            ? Said($"it was made anew already, and the one before that counts still; to end that, let it count no more")
        : null;

    private static FormattableString? WishComplaint(Person person, TokenWish wish, RouteTable table)
    {
        if (OutsideText.Complaint(wish.Name, LongestName) is { } wrong)
        {
            return Said($"the name {wrong}");
        }

        if (wish.Days is < 1 or > MostDays)
        {
            return Said($"a token counts for 1 to {MostDays} days");
        }

        if (wish.Networks.Count > MostListed || wish.Operations.Count > MostListed)
        {
            return Said($"a token takes at most {MostListed} networks and operations");
        }

        foreach (var one in wish.Networks)
        {
            if (AddressText.ParseNetwork(OutsideText.Clean(one, 60), out var complaint) is null)
            {
                return Said($"{complaint}");
            }
        }

        foreach (var one in wish.Operations)
        {
            if (table.Rule(one) is not { Plane: Plane.Api })
            {
                return Said($"there is no operation '{OutsideText.Clean(one, 60)}'{Suggested(one, table)}");
            }
        }

        return RoleComplaint(person, wish.Role, table);
    }

    private static string Suggested(string operation, RouteTable table) =>
        Problems.Suggest(operation, table.Rules.Where(one => one.Plane is Plane.Api).Select(one => one.Id));

    private static FormattableString? RoleComplaint(Person person, string role, RouteTable table)
    {
        var (own, wished) = (table.RoleNamed(person.Role), table.RoleNamed(role));
        return wished == Role.Unknown ? Said($"there is no role '{OutsideText.Clean(role, 60)}'")
            : wished.IsOwner ? Said($"no token is the owner; take a role below")
            : wished.Held.Count == 0 ? Said($"the role {role} may do nothing")
            : wished.Outranks(own) ? Said($"the role {role} is above that of {person.Label}, who is {person.Role}")
            : null;
    }

    private static string TextOf(Token token)
    {
        string?[] parts =
        [
            token.Id == 0 ? token.Name : token.Label, $"role {token.Role}",
            string.Create(CultureInfo.InvariantCulture, $"until {token.ExpiresAt:yyyy-MM-dd HH:mm}Z"),
            token.Networks.Count > 0 ? $"from {string.Join(' ', token.Networks)}" : null,
            token.Operations.Count > 0 ? $"for {string.Join(' ', token.Operations)}" : null,
        ];
        return string.Join(", ", parts.OfType<string>());
    }
}
