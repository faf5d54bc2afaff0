using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Machines;

/// <summary>A kind of machines that a list can be cut down to.</summary>
/// <param name="Value">As the address has it; empty: all.</param>
/// <param name="Label">As the page says it.</param>
/// <param name="Count">How many there are.</param>
public sealed record MachineKind(string Value, string Label, int Count);

/// <summary>What somebody looks for in the list of machines, as it stands in the address.</summary>
/// <param name="Search">Part of anything that is shown.</param>
/// <param name="Kind">One of the kinds; empty: all.</param>
/// <param name="Owner">The id of a Headscale user; empty: everybody.</param>
/// <param name="Tag">A tag; empty: any.</param>
/// <param name="Sort">name, seen, created, expiry or owner.</param>
public sealed record MachineFilter(string Search, string Kind, string Owner, string Tag, string Sort)
{
    private static readonly (string Value, string Label, Func<Machine, DateTimeOffset, bool> Holds)[] _kinds =
    [
        ("", Noop("All"), (_, _) => true),
        ("online", Noop("Online"), (one, now) => one.StatusAt(now) is "online"),
        ("offline", Noop("Offline"), (one, now) => one.StatusAt(now) is "offline"),
        ("waiting", Noop("Routes waiting"), (one, _) => one.WaitingRoutes.Count > 0),
        ("expiring", Noop("Expiring"), (one, now) => one.ExpiresSoon(now)),
        ("expired", Noop("Expired"), (one, now) => one.StatusAt(now) is "expired"),
        ("tagged", Noop("Tagged"), (one, _) => one.Tags.Count > 0),
        ("exit", Noop("Exit nodes"), (one, _) => one.IsExitNode),
        ("router", Noop("Subnet routers"), (one, _) => one.IsSubnetRouter),
    ];

    /// <summary>The orders that there are, with their names.</summary>
    public static IReadOnlyList<(string Value, string Label)> Sorts { get; } =
        [("", Noop("Name")), ("seen", Noop("Last seen")), ("created", Noop("Newest")), ("expiry", Noop("Key expires")),
            ("owner", Noop("Owner"))];

    /// <summary>Reads the address; what it does not know is nothing.</summary>
    internal static MachineFilter Of(IQueryCollection query) => new(
        query["q"].ToString().Trim(),
        _kinds.Any(one => one.Value == query["kind"].ToString()) ? query["kind"].ToString() : "",
        query["owner"].ToString(), query["tag"].ToString(),
        Sorts.Any(one => one.Value == query["sort"].ToString()) ? query["sort"].ToString() : "");

    /// <summary>Whether anything is left out.</summary>
    public bool Narrows => Search.Length + Kind.Length + Owner.Length + Tag.Length > 0;

    /// <summary>The machines that are looked for, in order; one's own come first where nothing else was asked.</summary>
    public Machine[] Apply(IReadOnlyCollection<Machine> all, string? ownId, DateTimeOffset now)
    {
        var holds = Array.Find(_kinds, one => one.Value == Kind).Holds;
        return Ordered(Within(all).Where(one => holds(one, now)), ownId);
    }

    /// <summary>The kinds with how many each has of what else is looked for; kinds that nobody has are left out.</summary>
    public MachineKind[] KindsOf(IReadOnlyCollection<Machine> all, DateTimeOffset now)
    {
        var within = Within(all).ToArray();
        return [.. _kinds.Select(one => new MachineKind(one.Value, T(one.Label), within.Count(machine => one.Holds(machine, now))))
            .Where(one => one.Count > 0 || one.Value == Kind || one.Value.Length == 0)];
    }

    /// <summary>The address of the same list with another kind or as CSV, from its question mark on.</summary>
    public string Address(string? kind = null) => "?" + string.Join('&', new[]
    {
        ("q", Search), ("kind", kind ?? Kind), ("owner", Owner), ("tag", Tag), ("sort", Sort),
    }.Where(one => one.Item2.Length > 0).Select(one => $"{one.Item1}={Uri.EscapeDataString(one.Item2)}"));

    private IEnumerable<Machine> Within(IEnumerable<Machine> all) => all.Where(one =>
        (Search.Length == 0 || one.Matches(Search)) && (Owner.Length == 0 || one.OwnerId == Owner)
        && (Tag.Length == 0 || one.Tags.Contains(Tag)));

    private Machine[] Ordered(IEnumerable<Machine> some, string? ownId)
    {
        var ordered = Sort switch
        {
            "seen" => some.OrderByDescending(one => one.IsOnline).ThenByDescending(one => one.LastSeen),
            "created" => some.OrderByDescending(one => one.Created),
            "expiry" => some.OrderBy(one => one.Expiry is null).ThenBy(one => one.Expiry),
            "owner" => some.OrderBy(one => one.Owner, StringComparer.OrdinalIgnoreCase),
            _ => some.OrderByDescending(one => one.OwnerId is not null && one.OwnerId == ownId),
        };
        return [.. ordered.ThenBy(one => one.Name, StringComparer.OrdinalIgnoreCase).ThenBy(one => one.Id, StringComparer.Ordinal)];
    }
}
