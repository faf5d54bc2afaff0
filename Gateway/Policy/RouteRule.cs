using System.Collections.Frozen;

namespace Gateway.Policy;

/// <summary>Which of the two planes a rule belongs to.</summary>
internal enum Plane
{
    None = 0,

    /// <summary>What Tailscale clients need: forwarded untouched, nobody is asked who they are.</summary>
    Client,

    /// <summary>The admin API: identity, role, ownership, strict parsing, injected key, audit.</summary>
    Api,
}

/// <summary>How ownership of what a call touches is established.</summary>
internal enum OwnScope
{
    None = 0,

    /// <summary>The answer is a list; its filter leaves only own items.</summary>
    List,

    /// <summary>The node that the path names, looked up at Headscale.</summary>
    Node,

    /// <summary>The pre-auth key that the body or query names, looked up at Headscale.</summary>
    Key,

    /// <summary>The Headscale user id in the body is the caller's own.</summary>
    UserId,

    /// <summary>The Headscale user name in the body or query is the caller's own, and nobody else has that name.</summary>
    UserName,
}

/// <summary>What may be done with one's own things by someone who lacks the rule's capability.</summary>
/// <param name="Capability">The capability that grants the exception.</param>
/// <param name="Scope">How "own" is established.</param>
/// <param name="Without">Arguments that the exception does not cover.</param>
internal sealed record OwnRule(Capability Capability, OwnScope Scope, IReadOnlyList<string> Without);

/// <summary>How an answer is cut down to what the caller may see.</summary>
internal enum Filter
{
    None = 0,
    Nodes,
    Node,
    Users,
    Keys,

    /// <summary>Nodes as /api/v2 writes them: without an owner's id.</summary>
    Devices,

    /// <summary>Keys as /api/v2 writes them: auth keys and OAuth clients.</summary>
    TailnetKeys,
}

/// <summary>Types of path and query parameters.</summary>
internal enum ParameterType
{
    None = 0,

    /// <summary>An unsigned 64-bit number in its one canonical decimal spelling.</summary>
    Id,

    /// <summary>A name that may be percent-encoded once; no separators, no control characters.</summary>
    Name,

    /// <summary>The prefix of a Headscale API key, also in its masked form.</summary>
    KeyPrefix,

    /// <summary>A registration or platform word: letters, digits, hyphen, underscore, dot.</summary>
    Word,
    Flag,
    Time,
    Text,

    /// <summary>The value of If-Match: entity tags, or '*' (RFC 9110 13.1.1).</summary>
    Etag,

    /// <summary>A media type in which policies are written.</summary>
    PolicyFormat,

    /// <summary>The rest of a path, of any depth, for another cluster's rows: '' or '/…', as every server reads it.</summary>
    Rest,
}

/// <summary>One line of the policy: an operation, who may call it, and what is done with body and answer.</summary>
internal sealed record RouteRule
{
    public const string Headscale = "headscale";

    public required string Id { get; init; }

    public required FrozenSet<string> Methods { get; init; }

    /// <summary>The method tokens that a row may have. They are case-sensitive (RFC 9110 9.1).</summary>
    public static FrozenSet<string> AllMethods { get; } = FrozenSet.ToFrozenSet(
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], StringComparer.Ordinal);

    public required PathTemplate Path { get; init; }

    public required Plane Plane { get; init; }

    public Capability Capability { get; init; }

    /// <summary>Arguments that demand a further capability when they are set, such as <c>aclTags</c> → <c>use_tags</c>.</summary>
    public IReadOnlyDictionary<string, Capability> Also { get; init; } = FrozenDictionary<string, Capability>.Empty;

    public OwnRule? Own { get; init; }

    /// <summary>The name of the body model; null: the operation takes no body.</summary>
    public string? Body { get; init; }

    /// <summary>The query parameters of API rules. Client rules pass their query on as it is.</summary>
    public IReadOnlyDictionary<string, QueryParameter> Query { get; init; } = FrozenDictionary<string, QueryParameter>.Empty;

    /// <summary>Request headers that the operation takes besides those that every call has.</summary>
    public IReadOnlyDictionary<string, ParameterType> Headers { get; init; } = FrozenDictionary<string, ParameterType>.Empty;

    /// <summary>First minor version of Headscale that has the operation; 0: all that are known.</summary>
    public int Since { get; init; }

    public Filter Filter { get; init; }

    /// <summary>Whether the operation could take the gateway's own API key away, which nobody may do through the gateway.</summary>
    public bool SparesGatewayKey { get; init; }

    /// <summary>Whether the rule carries long-lived upgraded connections.</summary>
    public bool Tunnel { get; init; }

    /// <summary>Whether the rule is there for upgrades alone, so that other requests are refused here.</summary>
    public bool UpgradeOnly { get; init; }

    /// <summary>The cluster that answers; <see cref="Headscale"/> unless an operator added one.</summary>
    public string Cluster { get; init; } = Headscale;
}
