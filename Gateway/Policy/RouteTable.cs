using System.Collections.Frozen;

namespace Gateway.Policy;

/// <summary>The whole policy: roles, highest first, and one row per operation. Nothing outside a row is reachable.</summary>
internal sealed class RouteTable
{
    private readonly FrozenDictionary<(string Method, int Length), Row[]> _byShape;
    private readonly FrozenDictionary<string, Role> _roles;

    public RouteTable(IReadOnlyList<Role> roles, IReadOnlyList<Row> rows, IReadOnlyDictionary<string, Uri> clusters)
    {
        (Roles, Rows, Clusters) = (roles, rows, clusters);
        _roles = roles.ToFrozenDictionary(role => role.Name, StringComparer.Ordinal);
        _byShape = rows.SelectMany(row => row.Methods, (row, method) => (row, method))
            .GroupBy(one => (one.method, one.row.Path.Length), one => one.row)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>The roles in order of rank; the first is the owner.</summary>
    public IReadOnlyList<Role> Roles { get; }

    public IReadOnlyList<Row> Rows { get; }

    /// <summary>Upstreams besides Headscale, by name.</summary>
    public IReadOnlyDictionary<string, Uri> Clusters { get; }

    /// <summary>The role of that name, or one without any rights when the policy no longer has it.</summary>
    public Role RoleNamed(string name) => _roles.GetValueOrDefault(name, Role.Unknown);

    public bool HasRole(string name) => _roles.ContainsKey(name);

    /// <summary>
    /// The row of a raw request path and the values in it. Methods and literals compare ordinally; rows never overlap,
    /// so that their order means nothing.
    /// </summary>
    public (Row? Row, FrozenDictionary<string, string> Values) Find(string method, string rawPath)
    {
        if (rawPath is ['/', ..] && _byShape.TryGetValue((method, rawPath.AsSpan(1).Count('/') + 1), out var rows))
        {
            foreach (var row in rows)
            {
                if (row.Path.Read(rawPath) is { } values)
                {
                    return (row, values);
                }
            }
        }

        return (null, FrozenDictionary<string, string>.Empty);
    }
}
