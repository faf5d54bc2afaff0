using System.Collections.Frozen;

namespace Gateway.Policy;

/// <summary>The rule that a path and method match, and the values in the path.</summary>
/// <param name="Rule">Null for none.</param>
internal readonly record struct RouteMatch(RouteRule? Rule, IReadOnlyDictionary<string, string> Values)
{
    public static RouteMatch None { get; } = new(null, Call.None);
}

/// <summary>The whole policy: roles, highest first, and one rule per operation. Nothing outside a rule is reachable.</summary>
internal sealed class RouteTable
{
    private readonly FrozenDictionary<(string Method, int Length), RouteRule[]> _byShape;
    private readonly RouteRule[] _ofAnyDepth;
    private readonly FrozenDictionary<string, Role> _roles;
    private readonly FrozenDictionary<string, RouteRule> _byId;

    public RouteTable(IReadOnlyList<Role> roles, IReadOnlyList<RouteRule> rules, IReadOnlyDictionary<string, Uri> clusters)
    {
        (Roles, Rules, Clusters) = (roles, rules, clusters);
        _roles = roles.ToFrozenDictionary(role => role.Name, StringComparer.Ordinal);
        _byId = rules.ToFrozenDictionary(rule => rule.Id, StringComparer.Ordinal);
        var demanded = rules.SelectMany(rule => rule.Also.Values.Append(rule.Capability)).ToHashSet();
        Reserved = new[] { Capability.WriteNetwork, Capability.ConfigureIam, Capability.WriteTailnet }
            .Where(one => !demanded.Contains(one)).ToFrozenSet();
        _ofAnyDepth = [.. rules.Where(rule => rule.Path.HasRest)];
        _byShape = rules.Where(rule => !rule.Path.HasRest).SelectMany(rule => rule.Methods, (rule, method) => (rule, method))
            .GroupBy(one => (one.method, one.rule.Path.Length), one => one.rule)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>The roles in order of rank; the first is the owner.</summary>
    public IReadOnlyList<Role> Roles { get; }

    public IReadOnlyList<RouteRule> Rules { get; }

    /// <summary>Upstreams besides Headscale, by name.</summary>
    public IReadOnlyDictionary<string, Uri> Clusters { get; }

    /// <summary>Rights that roles have as in Headplane, and that nothing asks for: Headscale's API cannot change these things.</summary>
    public FrozenSet<Capability> Reserved { get; }

    /// <summary>The role of that name, or one without any rights when the policy no longer has it.</summary>
    public Role RoleNamed(string name) => _roles.GetValueOrDefault(name, Role.Unknown);

    /// <summary>The rule of that id; null for none.</summary>
    public RouteRule? Rule(string id) => _byId.GetValueOrDefault(id);

    public bool HasRole(string name) => _roles.ContainsKey(name);

    /// <summary>
    /// The rule of a raw request path and the values in it. Methods and literals compare ordinally; rules never overlap,
    /// so that their order means nothing.
    /// </summary>
    public RouteMatch Find(string method, string rawPath)
    {
        if (rawPath is ['/', ..] && _byShape.TryGetValue((method, rawPath.AsSpan(1).Count('/') + 1), out var rules))
        {
            foreach (var rule in rules)
            {
                if (rule.Path.Read(rawPath) is { } values)
                {
                    return new(rule, values);
                }
            }
        }

        foreach (var rule in _ofAnyDepth)
        {
            if (rawPath is ['/', ..] && rule.Methods.Contains(method) && rule.Path.Read(rawPath) is { } values)
            {
                return new(rule, values);
            }
        }

        return RouteMatch.None;
    }

    /// <summary>Whether some rule of the client plane has this path with another method.</summary>
    public bool HasClientPath(string rawPath) =>
        rawPath is ['/', ..] && Rules.Any(rule => rule.Plane is Plane.Client && rule.Path.Read(rawPath) is not null);
}
