namespace Gateway.Settings;

/// <summary>When an address from the provider may find a Headscale user.</summary>
internal enum EmailTrust
{
    /// <summary>Never.</summary>
    Off = 0,

    /// <summary>When the provider says that it verified it.</summary>
    Verified,

    /// <summary>Always: for providers that verify and do not say so.</summary>
    Always,
}

/// <summary>How the client shows itself at the token endpoint (OpenID Connect Core 9).</summary>
internal enum ClientAuthentication
{
    /// <summary>With the secret, whatever the provider says it takes, and the other way tried once on <c>invalid_client</c>.</summary>
    Automatic = 0,
    ClientSecretBasic,
    ClientSecretPost,

    /// <summary>With a token that the client's own key signed.</summary>
    PrivateKeyJwt,

    /// <summary>Not at all: a public client, which PKCE alone protects.</summary>
    None,
}

/// <summary>Whether the authorization request goes to the provider behind the browser's back (PAR, RFC 9126).</summary>
internal enum PushedAuthorization
{
    /// <summary>When the provider demands it.</summary>
    Automatic = 0,

    /// <summary>Always; a provider that has no place for it cannot be used.</summary>
    Required,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>The section <c>oidc</c>, present only when it is enabled.</summary>
internal sealed record OidcSettings
{
    /// <summary>Compared as written, its trailing slash included.</summary>
    public required string Issuer { get; init; }

    public required string ClientId { get; init; }

    /// <summary>Null: the client shows itself by its key, or not at all.</summary>
    public Secret? ClientSecret { get; init; }

    /// <summary>The client's private key in PEM.</summary>
    public Secret? ClientKey { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required bool UsePkce { get; init; }

    public required ClientAuthentication ClientAuthentication { get; init; }

    public required PushedAuthorization PushedAuthorization { get; init; }

    /// <summary>How long ago people may have signed in at the provider; null: any time.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>The <c>acr_values</c> of the request, separated by blanks.</summary>
    public string? AcrValues { get; init; }

    /// <summary>Claims that name the person when there is no <c>sub</c>.</summary>
    public required IReadOnlyList<string> SubjectClaims { get; init; }

    /// <summary>Added to the authorization request; none of them is a parameter of the protocol.</summary>
    public required IReadOnlyDictionary<string, string> ExtraParameters { get; init; }

    public required OidcEndpoints Endpoints { get; init; }

    public required OidcAccess Access { get; init; }

    public required EmailTrust MatchEmail { get; init; }

    public required bool UseEndSession { get; init; }

    public Uri? PostLogoutRedirect { get; init; }

    /// <summary>Whether RSA keys below 2048 bits are accepted.</summary>
    public required bool AllowWeakRsaKeys { get; init; }

    public required bool UseGravatar { get; init; }

    public required bool DisableApiKeyLogin { get; init; }

    /// <summary>PEM file of the only CA that is believed for the provider.</summary>
    public string? TlsCaPath { get; init; }

    public required string DefaultRole { get; init; }

    /// <summary>The path of the claim with roles or groups, such as <c>realm_access.roles</c>.</summary>
    public string? RoleClaim { get; init; }

    /// <summary>Value of the role claim → role. Empty: the values are names of roles.</summary>
    public required IReadOnlyDictionary<string, string> RoleMap { get; init; }
}

/// <summary>Endpoints that were given by hand; each comes before what the provider publishes.</summary>
internal sealed record OidcEndpoints(Uri? Authorization, Uri? Token, Uri? UserInfo, Uri? EndSession, Uri? Keys)
{
    /// <summary>Whether nothing needs to be discovered.</summary>
    public bool AreComplete => Missing.Count == 0;

    /// <summary>The settings that a provider without discovery needs and that are not there.</summary>
    public IReadOnlyList<string> Missing { get; } =
    [
        .. new[]
        {
            ("oidc.authorization_endpoint", Authorization), ("oidc.token_endpoint", Token), ("oidc.jwks_uri", Keys),
        }.Where(one => one.Item2 is null)
            .Select(one => one.Item1),
    ];
}

/// <summary>Who may sign in at all; an empty list allows everybody.</summary>
internal sealed record OidcAccess(IReadOnlyList<string> Domains, IReadOnlyList<string> Groups, IReadOnlyList<string> Users);
