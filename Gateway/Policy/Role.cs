namespace Gateway.Policy;

/// <summary>A named set of capabilities. A lower rank number stands higher; 0 is the owner.</summary>
internal sealed class Role(string name, int rank, IReadOnlySet<Capability> capabilities)
{
    /// <summary>The rights of someone whose stored role is not in the policy any more: none at all.</summary>
    public static Role Unknown { get; } = new("unknown", int.MaxValue, new HashSet<Capability>());

    /// <summary>Whoever shows a Headscale API key may do what it may do; being the owner, and handing that over, is for people.</summary>
    public static Role OfApiKey(Role owner) => new("api_key", owner.Rank, owner.Held);

    private const string Part = ", in part";

    public const string OwnerName = "owner";

    public const string MemberName = "member";

    public string Name => name;

    public int Rank => rank;

    public IReadOnlySet<Capability> Held => capabilities;

    public bool IsOwner => name == OwnerName;

    public bool Has(Capability capability) => capability is Capability.SignedIn ? this != Unknown : capabilities.Contains(capability);

    /// <summary>The other role, without what this one may not do itself.</summary>
    public Role Cap(Role other) => this == Unknown ? Unknown
        : other.Held.All(capabilities.Contains) && rank <= other.Rank
        ? other
        : new(ByToken(other.Name), Math.Max(rank, other.Rank), other.Held.Where(capabilities.Contains).ToHashSet());

    /// <summary>The role without Headscale's own API keys: one that a token made would outlive it, and can do everything.</summary>
    public Role ForTokens() => !capabilities.Contains(Capability.ManageApiKeys) ? this
        : new(ByToken(name), rank, capabilities.Where(one => one is not Capability.ManageApiKeys).ToHashSet());

    /// <summary>What a role is called that a token has in part.</summary>
    private static string ByToken(string role) => role.EndsWith(Part, StringComparison.Ordinal) ? role : role + Part;

    /// <summary>Whether this role may give, take or edit <paramref name="other"/>: only what stands strictly below it.</summary>
    public bool Outranks(Role other) => rank < other.Rank;

    public override string ToString() => name;
}
