using Gateway.Policy;
using static Gateway.Policy.Sentences;

namespace Gateway.Users;

/// <summary>Who may change whom: whoever may assign roles, and then only what stands below them.</summary>
internal static class RankRules
{
    /// <summary>Why somebody may not change this person; null when they may.</summary>
    public static FormattableString? Complaint(Principal me, Person other, RouteTable table) =>
        me.IsConsole ? null
        : !me.Role.Has(Capability.AssignRoles) ? Said($"your role {me.Role.Name} lacks {Capability.AssignRoles.Name}")
        : me.Person?.Id == other.Id ? Said($"nobody changes their own role or link")
        : !me.Role.Outranks(table.RoleNamed(other.Role))
            ? Said($"{other.Label} is {other.Role}, and you may only change whom your role outranks")
        : null;

    /// <summary>Who waits for an answer that somebody may give: about a Headscale user, or for a role.</summary>
    public static IEnumerable<Person> Waiting(Principal me, People people, RouteTable table) => people.Snapshot.Everyone.Where(one =>
        (one.Claim is not null || one.AskedForAccess is not null) && Complaint(me, one, table) is null);

    /// <summary>Whether somebody may give this role: one below their own, and never that of the owner.</summary>
    public static bool MayGive(Principal me, string role, RouteTable table) =>
        me.Role.Has(Capability.AssignRoles) && table.HasRole(role) && role != Role.OwnerName && me.Role.Outranks(table.RoleNamed(role));
}
