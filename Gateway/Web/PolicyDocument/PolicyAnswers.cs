using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Headscale.AccessRules;
using Gateway.Users;

namespace Gateway.Web.PolicyDocument;

/// <summary>One line of an answer.</summary>
/// <param name="Name">Who or what.</param>
/// <param name="Detail">More about it, such as the network behind a router; empty for nothing.</param>
/// <param name="Device">The id of the device; null where several are meant.</param>
/// <param name="Ports">On which protocols and ports; <c>*</c> for everything.</param>
/// <param name="Rules">The rules that say so.</param>
public sealed record ReachRow(string Name, string Detail, string? Device, string Ports, string Rules);

/// <summary>A test of the policy, and what came of it.</summary>
/// <param name="Source">Who.</param>
/// <param name="Destination">What, with the port.</param>
/// <param name="IsAllowed">Whether it must be reached.</param>
/// <param name="Holds">Whether that is so; null where it means nobody or nothing.</param>
public sealed record TestRow(string Source, string Destination, bool IsAllowed, bool? Holds);

/// <summary>A change of who reaches what.</summary>
/// <param name="Who">A person or a tag.</param>
/// <param name="What">What they reach, all in the same way.</param>
/// <param name="Before">On which ports before; empty: not at all.</param>
/// <param name="After">On which ports then; empty: not any more.</param>
public sealed record ReachChangeRow(string Who, IReadOnlyList<string> What, string Before, string After);

/// <summary>What can be said of a policy with the tailnet's people and devices.</summary>
/// <param name="Names">What rules and questions may name: people, groups, tags, hosts, devices.</param>
/// <param name="Who">Who was asked about; empty for nobody.</param>
/// <param name="IsKnown">Whether there is anybody or anything of that name.</param>
/// <param name="Reaches">What they reach.</param>
/// <param name="ReachedBy">Who reaches their devices.</param>
/// <param name="Tests">The policy's own tests.</param>
public sealed record PolicyAnswers(
    IReadOnlyList<string> Names, string Who, bool IsKnown, IReadOnlyList<ReachRow> Reaches, IReadOnlyList<ReachRow> ReachedBy,
    IReadOnlyList<TestRow> Tests)
{
    /// <summary>How many devices of one person are named.</summary>
    private const int MostDevices = 8;

    /// <summary>Names that Headscale has for groups of its own.</summary>
    private static readonly string[] _ofHeadscale =
        ["*", "autogroup:member", "autogroup:tagged", "autogroup:self", "autogroup:internet", "autogroup:danger-all"];

    /// <summary>Answers; null where the text is no policy, and for whoever may not see all devices and people.</summary>
    /// <param name="who">Whom it is asked about; empty for nobody.</param>
    internal static async Task<PolicyAnswers?> ReadAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, UserDirectory directory, string text, string who)
    {
        var policy = TailnetPolicy.Parse(text);

        // Devices are asked for when something is said of them.
        return policy is not null
            && await Tailnet.ReadAsync(context, principal, calls, directory, who.Length > 0 || policy.Tests.Count > 0) is { } tailnet
                ? Of(policy, who, tailnet) : null;
    }

    private static PolicyAnswers Of(TailnetPolicy policy, string who, Tailnet tailnet)
    {
        var (users, nodes) = (tailnet.Users, tailnet.Nodes);
        var reach = new PolicyReach(policy, users, nodes);
        var sources = who.Length > 0 ? reach.Who(who) : [];
        string[] names =
        [
            .. users.Select(NameOf).Where(one => one.Length > 1), .. policy.Groups.Keys,
            .. policy.Tags.Concat(nodes.SelectMany(one => one.Tags)).Distinct(StringComparer.Ordinal), .. policy.Hosts.Keys,
            .. _ofHeadscale, .. nodes.Select(one => one.Name),
        ];
        return new(
            names, who, sources.Count > 0,
            [.. reach.From(sources).Select(RowOf)],
            [.. ReachedByOf(reach, [.. sources.Where(one => one.Id.Length > 0)], users)],
            [.. policy.Tests.Select(one => new TestRow(one.Source, one.Destination, one.IsAllowed, reach.Holds(one)))]);
    }

    /// <summary>What becomes different when one policy takes the place of another.</summary>
    internal static IReadOnlyList<ReachChangeRow> Changes(string before, string after, Tailnet tailnet) =>
        TailnetPolicy.Parse(before) is { } was && TailnetPolicy.Parse(after) is { } will
            ? [.. new PolicyReach(was, tailnet.Users, tailnet.Nodes).ChangesTo(new(will, tailnet.Users, tailnet.Nodes))
                .GroupBy(one => (one.Source, Before: Joined(one.Before), After: Joined(one.After)), one => Named(one.Target))
                .Select(one => new ReachChangeRow(one.Key.Source, [.. one], one.Key.Before, one.Key.After))]
            : [];

    /// <summary>As rules write a person: the name with an at sign, or the address.</summary>
    private static string NameOf(HeadscaleUser user) => user.Name is { Length: > 0 } name ? $"{name}@" : user.Email ?? "";

    private static ReachRow RowOf(Reached one) => new(
        one.Target.Node.Name, NetworkOf(one.Target), one.Target.Node.Id, Joined(one.Ports), string.Join(", ", one.Rules));

    /// <summary>Devices of one person are one line.</summary>
    private static IEnumerable<ReachRow> ReachedByOf(PolicyReach reach, PolicyNode[] destinations, IReadOnlyList<HeadscaleUser> users) =>
        from one in destinations.SelectMany(reach.To)
        where !destinations.Contains(one.Source)
        group one by one.Source.UserId is { } id && users.FirstOrDefault(user => user.Id == id) is { } owner
            ? NameOf(owner) : one.Source.Name into same
        let devices = same.Select(one => one.Source).Distinct().ToArray()
        select new ReachRow(
            same.Key,
            devices is [{ UserId: null } tagged] ? string.Join(", ", tagged.Tags)
                : string.Join(", ", devices.Take(MostDevices).Select(one => one.Name)) + (devices.Length > MostDevices ? ", …" : ""),
            devices is [var only] ? only.Id : null,
            Joined([.. same.SelectMany(one => one.How.Ports).Distinct()]),
            string.Join(", ", same.SelectMany(one => one.How.Rules).Distinct()));

    private static string Named(ReachTarget target) =>
        NetworkOf(target) is { Length: > 0 } network ? $"{target.Node.Name} → {network}" : target.Node.Name;

    private static string NetworkOf(ReachTarget target) => target.Network is { } network ? $"{network}" : "";

    private static string Joined(IReadOnlyList<string> ports) => ports.Contains("*") ? "*" : string.Join(", ", ports);
}
