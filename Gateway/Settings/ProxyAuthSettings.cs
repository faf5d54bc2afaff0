namespace Gateway.Settings;

/// <summary>Which address of a forwarded list is the client.</summary>
internal enum IpHeaderMode
{
    None = 0,

    /// <summary>The right-most address that is not a trusted proxy.</summary>
    Rightmost,

    /// <summary>The first address, as Headplane reads it. Spoofable behind a proxy that appends.</summary>
    First,
}

/// <summary>What a bearer token means beside the headers of a signed-in person.</summary>
internal enum BearerRule
{
    /// <summary>Two credentials that may be of two people are refused.</summary>
    Refuse = 0,

    /// <summary>The person counts: for user interfaces that insist on a key.</summary>
    Ignore,
}

/// <summary>The section <c>server.proxy_auth</c>, present only when it is enabled.</summary>
internal sealed record ProxyAuthSettings
{
    public required NetworkList AllowedCidrs { get; init; }

    /// <summary>The peers that may name anybody. Null: not configured, which is loopback once an IP header is read.</summary>
    public NetworkList? TrustedProxyCidrs { get; init; }

    public string? IpHeader { get; init; }

    /// <summary>The peers that are believed what <see cref="IpHeader"/> says.</summary>
    public NetworkList IpHeaderProxies => TrustedProxyCidrs ?? NetworkList.Loopback;

    public required IpHeaderMode IpHeaderMode { get; init; }

    public required string UserHeader { get; init; }

    public string? EmailHeader { get; init; }

    public string? NameHeader { get; init; }

    public string? PictureHeader { get; init; }

    public string? GroupsHeader { get; init; }

    public required string GroupsSeparator { get; init; }

    public string? SubjectHeader { get; init; }

    /// <summary>The issuer that <see cref="SubjectHeader"/> belongs to; empty when not configured.</summary>
    public required string Issuer { get; init; }

    public required bool MatchEmail { get; init; }

    public required bool MatchUsername { get; init; }

    public string? LogoutUrl { get; init; }

    /// <summary><c>bearer</c>: what a bearer token means beside the headers of a signed-in person.</summary>
    public required BearerRule Bearer { get; init; }

    public string? SharedSecretHeader { get; init; }

    public Secret? SharedSecret { get; init; }

    /// <summary>Group → role. Empty: roles are assigned by people.</summary>
    public required IReadOnlyDictionary<string, string> RoleMap { get; init; }

    /// <summary>The role of someone new; null: that of <c>oidc.default_role</c>, else member.</summary>
    public string? DefaultRole { get; init; }

    /// <summary>Every header that can carry identity, as configured.</summary>
    public IEnumerable<string> IdentityHeaders =>
        new[] { UserHeader, EmailHeader, NameHeader, PictureHeader, GroupsHeader, SubjectHeader, SharedSecretHeader }.OfType<string>();
}
