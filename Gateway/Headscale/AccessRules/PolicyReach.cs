using System.Net;

namespace Gateway.Headscale.AccessRules;

/// <summary>A device as a policy sees it.</summary>
/// <param name="Id">Headscale's id; empty for somebody without a device.</param>
/// <param name="Name">The name in the tailnet.</param>
/// <param name="UserId">Whose it is; null for a device with tags, which is nobody's.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Addresses">Its addresses in the tailnet.</param>
/// <param name="Routes">The networks behind it that are approved.</param>
internal sealed record PolicyNode(
    string Id, string Name, string? UserId, IReadOnlyList<string> Tags, IReadOnlyList<IPAddress> Addresses,
    IReadOnlyList<IPNetwork> Routes);

/// <summary>What can be reached: a device, or a network behind one.</summary>
/// <param name="Node">The device, or the router.</param>
/// <param name="Network">The network behind it; null for the device itself. Length 0 is the internet.</param>
internal readonly record struct ReachTarget(PolicyNode Node, IPNetwork? Network);

/// <summary>That something can be reached.</summary>
/// <param name="Target">What.</param>
/// <param name="Ports">On which protocols and ports; <c>*</c> for everything.</param>
/// <param name="Rules">The rules that say so.</param>
internal sealed record Reached(ReachTarget Target, IReadOnlyList<string> Ports, IReadOnlyList<string> Rules);

/// <summary>That somebody reaches something in another way than before.</summary>
/// <param name="Source">A person or a tag.</param>
/// <param name="Target">What.</param>
/// <param name="Before">On which ports before; empty: not at all.</param>
/// <param name="After">On which ports then; empty: not any more.</param>
internal sealed record ReachChange(string Source, ReachTarget Target, IReadOnlyList<string> Before, IReadOnlyList<string> After);

/// <summary>
/// Says who reaches what by a policy, as Headscale compiles it for clients (hscontrol/policy/v2/filter.go, compiled.go). What one
/// cannot see in the policy, such as a device that is offline or a firewall, is not in it.
/// </summary>
internal sealed class PolicyReach(TailnetPolicy policy, IReadOnlyList<HeadscaleUser> users, IReadOnlyList<PolicyNode> nodes)
{
    private static readonly AccessRule _everything = new("", ["*"], ["*"], "*", []);

    /// <summary>What is not the internet (util.TheInternet): an exit node lets only what is outside of these through.</summary>
    private static readonly IPNetwork[] _inside =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fe80::/10"),
    ];

    /// <summary>Which devices each selector means: the same few are asked for again and again.</summary>
    private readonly Dictionary<string, HashSet<PolicyNode>> _selected = new(StringComparer.Ordinal);

    private IReadOnlyList<AccessRule> Rules => policy.AllowsEverything ? [_everything] : policy.Rules;

    /// <summary>Those whom a name means as a source: devices, or the person or tag alone while they have none.</summary>
    /// <param name="selector">A user, group, tag, host, address or group of Headscale's; or the name of a device.</param>
    public IReadOnlyList<PolicyNode> Who(string selector)
    {
        PolicyNode[] found = [.. nodes.Where(one => one.Name == selector || Selects(selector, one))];
        return found.Length > 0 ? found
            : selector.StartsWith("tag:", StringComparison.Ordinal) ? [Imagined(selector, null, [selector])]
            : policy.Groups.TryGetValue(selector, out var members)
                ? [.. members.Select(UserNamed).OfType<HeadscaleUser>().Select(one => Imagined(one.Name, one.Id, []))]
            : UserNamed(selector) is { } user ? [Imagined(selector, user.Id, [])] : [];
    }

    /// <summary>What any of these reaches, except itself.</summary>
    public IReadOnlyList<Reached> From(IReadOnlyList<PolicyNode> sources) =>
        RulesOf(sources) is { Length: > 0 } rules
            ? [.. Targets().Select(target =>
                    Reach(rules, sources.Where(one => one.Id != target.Node.Id || target.Network is not null), target)).OfType<Reached>()]
            : [];

    /// <summary>The devices that reach this one, and how.</summary>
    public IReadOnlyList<(PolicyNode Source, Reached How)> To(PolicyNode destination) =>
        [.. nodes.Where(one => one.Id != destination.Id)
            .Select(one => (Source: one, How: Reach(RulesOf([one]), [one], new(destination, null))))
            .Where(one => one.How is not null).Select(one => (one.Source, one.How!))];

    /// <summary>Whether a test of the policy holds; null where it means nobody or nothing, which Headscale counts as failed.</summary>
    public bool? Holds(PolicyTest test)
    {
        var (destination, ports) = TailnetPolicy.Split(test.Destination);
        PolicyNode[] sources = [.. nodes.Where(one => Selects(test.Source, one))];
        ReachTarget[] targets = [.. Targets().Where(one => SelectsTarget(destination, one, null))];
        if (sources.Length == 0 || targets.Length == 0)
        {
            return null;
        }

        return sources.All(source => targets.Any(target => Rules.Any(
            rule => Allows(rule, source, target) && PortRange.Covers(rule.Ports, test.Protocol, ports)))) == test.IsAllowed;
    }

    /// <summary>What becomes different for people and tags when this policy is replaced by another.</summary>
    /// <param name="other">The other policy, for the same users and devices.</param>
    public IEnumerable<ReachChange> ChangesTo(PolicyReach other) =>
        from name in users.Select(one => one.ProviderId is { Length: > 0 } id ? id : $"{one.Name}@")
            .Concat(nodes.SelectMany(one => one.Tags).Distinct(StringComparer.Ordinal))
        let before = From(Who(name)).ToDictionary(one => one.Target, one => one.Ports)
        let after = other.From(other.Who(name)).ToDictionary(one => one.Target, one => one.Ports)
        from target in before.Keys.Union(after.Keys)
        let was = before.GetValueOrDefault(target, [])
        let will = after.GetValueOrDefault(target, [])
        where !was.Order(StringComparer.Ordinal).SequenceEqual(will.Order(StringComparer.Ordinal))
        select new ReachChange(UserNamed(name)?.Name is { Length: > 0 } user ? user : name, target, was, will);

    private IEnumerable<ReachTarget> Targets() =>
        nodes.SelectMany(one => one.Routes.Select(route => new ReachTarget(one, route)).Prepend(new(one, null)));

    private AccessRule[] RulesOf(IReadOnlyList<PolicyNode> sources) =>
        [.. Rules.Where(rule => sources.Any(source => rule.Sources.Any(one => Selects(one, source))))];

    private Reached? Reach(AccessRule[] rules, IEnumerable<PolicyNode> sources, ReachTarget target)
    {
        AccessRule[] allowing = [.. rules.Where(rule => sources.Any(source => Allows(rule, source, target)))];
        string[] ports = [.. allowing.Select(one => one.Ports).Distinct()];
        return allowing.Length == 0 ? null : new(
            target, ports.Contains("*") ? ["*"] : ports,
            [.. allowing.Select(one => one.Name).Where(one => one.Length > 0).Distinct()]);
    }

    private bool Allows(AccessRule rule, PolicyNode source, ReachTarget target) =>
        rule.Sources.Any(one => Selects(one, source))
        && (rule.Via.Count == 0 || (target.Network is not null && rule.Via.Any(target.Node.Tags.Contains)))
        && rule.Destinations.Any(one => SelectsTarget(one, target, source));

    /// <summary>Whether a device is one of those that a selector means.</summary>
    private bool Selects(string selector, PolicyNode node)
    {
        if (node.Id.Length == 0)
        {
            return Means(selector, node);
        }

        if (!_selected.TryGetValue(selector, out var selected))
        {
            selected = nodes.Where(one => Means(selector, one)).ToHashSet<PolicyNode>(ReferenceEqualityComparer.Instance);
            _selected[selector] = selected;
        }

        return selected.Contains(node);
    }

    private bool Means(string selector, PolicyNode node) => selector switch
    {
        "*" or "autogroup:danger-all" => true,
        "autogroup:member" => node.Tags.Count == 0,
        "autogroup:tagged" => node.Tags.Count > 0,
        _ when selector.StartsWith("autogroup:", StringComparison.Ordinal) => false,
        _ when selector.StartsWith("tag:", StringComparison.Ordinal) => node.Tags.Contains(selector),
        _ when selector.StartsWith("group:", StringComparison.Ordinal) =>
            policy.Groups.TryGetValue(selector, out var members) && members.Any(one => IsOf(one, node)),
        _ when NetworkOf(selector) is { } network => node.Addresses.Any(network.Contains),
        _ => selector.Contains('@', StringComparison.Ordinal) && IsOf(selector, node),
    };

    /// <summary>Names of people and tags mean devices; only addresses reach the networks behind them.</summary>
    private bool SelectsTarget(string selector, ReachTarget target, PolicyNode? source) => (selector, target.Network) switch
    {
        ("*", _) => true,
        ("autogroup:self", null) =>
            source is { UserId: { } user, Tags.Count: 0 } && target.Node is { Tags.Count: 0 } own && own.UserId == user,
        ("autogroup:danger-all", _) => false,
        ("autogroup:internet", { PrefixLength: 0 }) => true,
        (_, null) => Selects(selector, target.Node),
        (_, { PrefixLength: 0 }) => NetworkOf(selector) is { } wanted
            && (wanted.PrefixLength == 0 || !_inside.Any(one => Overlap(one, wanted))),
        (_, { } network) => NetworkOf(selector) is { } wanted && Overlap(wanted, network),
    };

    private IPNetwork? NetworkOf(string selector) =>
        policy.Hosts.TryGetValue(selector, out var host) ? host : TailnetPolicy.NetworkOf(selector);

    /// <summary>A device with tags is nobody's.</summary>
    private bool IsOf(string user, PolicyNode node) => node.Tags.Count == 0 && node.UserId is { } id && UserNamed(user)?.Id == id;

    /// <summary>The id at the provider comes first; e-mail and name count where one user alone has them.</summary>
    private HeadscaleUser? UserNamed(string selector)
    {
        var name = selector.EndsWith('@') ? selector[..^1] : selector;
        return name.Length == 0 ? null
            : users.FirstOrDefault(one => one.ProviderId == name)
                ?? (users.Where(one => one.Email == name || one.Name == name).ToArray() is [var only] ? only : null);
    }

    private static PolicyNode Imagined(string name, string? userId, IReadOnlyList<string> tags) => new("", name, userId, tags, [], []);

    private static bool Overlap(IPNetwork one, IPNetwork other) =>
        one.BaseAddress.AddressFamily == other.BaseAddress.AddressFamily
        && (one.PrefixLength <= other.PrefixLength ? one.Contains(other.BaseAddress) : other.Contains(one.BaseAddress));
}
