namespace Gateway.Policy;

/// <summary>The Headscale user that a caller is linked to.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">Headscale's user name; may be empty, and is not unique.</param>
/// <param name="NameIsUnique">Whether no other Headscale user has that name.</param>
internal sealed record LinkedUser(string Id, string Name, bool NameIsUnique);

/// <summary>Whether the thing a call touches is the caller's own. A tagged node is nobody's.</summary>
internal enum Ownership
{
    Unknown = 0,
    Foreign,
    Own,
}

/// <summary>Whether an operation on API keys means the one that the gateway itself uses.</summary>
internal enum TargetKey
{
    Unknown = 0,
    Gateway,
    Other,
}

/// <summary>Everything a decision rests on besides the rule and the call. A fact that is not known yet refuses.</summary>
/// <param name="SignedIn">Whether an identity was established.</param>
/// <param name="Role">The caller's role; <see cref="Role.Unknown"/> for nobody.</param>
/// <param name="User">The linked Headscale user, if any.</param>
/// <param name="CrossSite">Whether a browser may have been made to send this by another site.</param>
/// <param name="Owner">Who owns what the call names, once it has been looked up.</param>
/// <param name="Key">Which API key the call names, once that has been looked up.</param>
internal readonly record struct Facts(
    bool SignedIn, Role Role, LinkedUser? User, bool CrossSite, Ownership Owner, TargetKey Key = TargetKey.Unknown)
{
    /// <summary>What is known of an anonymous caller.</summary>
    public static Facts Anonymous { get; } = new(false, Role.Unknown, null, false, Ownership.Unknown);

    /// <summary>The minor version of Headscale; null until it has been asked.</summary>
    public int? Version { get; init; }

    /// <summary>Whether the ids of the caller's own nodes have been looked up.</summary>
    public bool KnowsOwnNodes { get; init; }

    /// <summary>The ids of the rules that a token may use; null: all.</summary>
    public IReadOnlyList<string>? Operations { get; init; }

    /// <summary>Whether the caller brings a Headscale API key of their own, which Headscale judges.</summary>
    public bool HasOwnKey { get; init; }

    /// <summary>Whether the path, read as loosely as any Headscale does, leads to the API keys.</summary>
    public bool MayMeanApiKeys { get; init; }
}
