namespace Gateway.Settings;

/// <summary>All of <c>headtower.yaml</c>, understood and checked. Immutable; a reload makes a new one.</summary>
internal sealed record GatewaySettings
{
    public required ServerSettings Server { get; init; }

    public required HeadscaleSettings Headscale { get; init; }

    public OidcSettings? Oidc { get; init; }

    public required BootstrapSettings Bootstrap { get; init; }

    public required StoreSettings Store { get; init; }

    public required SessionSettings Sessions { get; init; }

    public required LimitSettings Limits { get; init; }

    /// <summary><c>onboarding.self_claim</c>: what people may say about which Headscale user is theirs.</summary>
    public required SelfClaim SelfClaim { get; init; }

    public required AuditSettings Audit { get; init; }

    public required LogSettings Log { get; init; }

    public required BrandingSettings Branding { get; init; }

    /// <summary><c>roles.manual</c>: what becomes of a role that was given by hand where a source decides roles.</summary>
    public required ManualRoles ManualRoles { get; init; }

    /// <summary>Whether a Headscale API key signs somebody in to the pages.</summary>
    public required bool TakesApiKeys { get; init; }
}

/// <summary>The section <c>audit</c>.</summary>
/// <param name="Folder">Where its files are.</param>
/// <param name="RetentionDays">Days that entries are kept, 1 to 36500.</param>
/// <param name="CountsReads">Whether what one caller reads again and again is one entry a minute with a count.</param>
internal sealed record AuditSettings(string Folder, int RetentionDays, bool CountsReads);

/// <summary>What becomes of a role that was given by hand.</summary>
internal enum ManualRoles
{
    /// <summary>Nothing is given by hand where a source decides.</summary>
    Mapped = 0,

    /// <summary>It stays until it is taken back.</summary>
    Pinned,
}

/// <summary>What becomes of somebody's word that a Headscale user is theirs.</summary>
internal enum SelfClaim
{
    /// <summary>Nobody is asked.</summary>
    Off = 0,

    /// <summary>Somebody who may assign roles confirms it.</summary>
    Approval,

    /// <summary>It is believed, as Headplane does.</summary>
    Open,
}

/// <summary>The section <c>server</c>.</summary>
internal sealed record ServerSettings
{
    /// <summary>The addresses to listen on, with scheme and port.</summary>
    public required IReadOnlyList<Uri> Listen { get; init; }

    /// <summary>The public origin, without a path. Null: not configured.</summary>
    public Uri? BaseUrl { get; init; }

    /// <summary>Where the gateway's own pages live, such as <c>/admin</c>; never empty, no trailing slash.</summary>
    public required string BasePath { get; init; }

    public required string DataPath { get; init; }

    public string? TlsCertPath { get; init; }

    public string? TlsKeyPath { get; init; }

    /// <summary>Peers whose <c>X-Forwarded-For</c> and <c>-Proto</c> are believed.</summary>
    public required NetworkList TrustedProxies { get; init; }

    /// <summary>Seconds that open tunnels may hold up a shutdown, 0 to 300.</summary>
    public required int DrainSeconds { get; init; }

    public required CookieSettings Cookie { get; init; }

    public ProxyAuthSettings? ProxyAuth { get; init; }

    /// <summary>Where people find the pages, with a slash at the end; a path alone where no public origin is configured.</summary>
    public string PagesAddress => $"{BaseUrl?.GetLeftPart(UriPartial.Authority)}{BasePath}/";

    /// <summary>The header in which the front names the client.</summary>
    public string ClientHeader => ProxyAuth?.IpHeader ?? "X-Forwarded-For";

    /// <summary>The peers that are believed what <see cref="ClientHeader"/> says.</summary>
    public NetworkList ClientHeaderProxies => ProxyAuth is { IpHeader: not null } proxy ? proxy.IpHeaderProxies : TrustedProxies;
}

/// <summary>The session cookie.</summary>
/// <param name="Secure">Whether it is sent over https alone.</param>
/// <param name="Domain">The domain it is sent to; null: this host only.</param>
/// <param name="MaxAge">How long a sign-in lasts at most, 1 minute to 1 year.</param>
internal sealed record CookieSettings(bool Secure, string? Domain, TimeSpan MaxAge)
{
    /// <summary>The prefixes make browsers refuse a cookie that a neighbour or an insecure page planted (RFC 6265bis 4.1.3).</summary>
    public string Prefix => !Secure ? "" : Domain is null ? "__Host-" : "__Secure-";
}

/// <summary>The section <c>sessions</c>.</summary>
/// <param name="Idle">How long a session may be unused; zero: as long as it lasts.</param>
/// <param name="MaxPerUser">How many one person may have; the oldest go first.</param>
internal sealed record SessionSettings(TimeSpan Idle, int MaxPerUser);

/// <summary>The section <c>limits</c>: requests to the API and to own pages in a minute, which may come at once. 0 is no limit.</summary>
/// <param name="AnonymousPerMinute">Of one address, or one IPv6 /64, while nobody is signed in.</param>
/// <param name="CallerPerMinute">Of one person, session or API key.</param>
internal sealed record LimitSettings(int AnonymousPerMinute, int CallerPerMinute);

/// <summary>The section <c>headscale</c>.</summary>
internal sealed record HeadscaleSettings
{
    public required Uri Url { get; init; }

    /// <summary>The all-powerful key, which takes the socket's place where that cannot be used.</summary>
    public Secret? ApiKey { get; init; }

    /// <summary>The path of Headscale's own socket, for calls that were judged here.</summary>
    public string? Socket { get; init; }

    /// <summary>Whether people can be served. Without socket and key, only the client plane and callers with an own key are.</summary>
    public bool ServesPeople => Socket is not null || ApiKey is not null;

    /// <summary>The minor version, where it is not found out; 29 for 0.29.</summary>
    public int? Version { get; init; }

    /// <summary>How long a caller's own key counts as proven after Headscale took it; zero: it is asked each time.</summary>
    public TimeSpan KeyProof { get; init; }

    /// <summary>PEM file of the only CA that is believed for <see cref="Url"/>.</summary>
    public string? TlsCaPath { get; init; }

    public required bool ApiKeyPassthrough { get; init; }

    /// <summary>The issuer in Headscale's <c>providerId</c>s.</summary>
    public string? OidcIssuer { get; init; }

    /// <summary>Headscale's <c>dns.base_domain</c>, without a dot at the end: no call of Headscale tells it.</summary>
    public string? BaseDomain { get; init; }

    /// <summary>Where Tailscale clients find Headscale, when that is not the gateway's own public address.</summary>
    public Uri? PublicUrl { get; init; }
}

/// <summary>The section <c>bootstrap</c>.</summary>
internal sealed record BootstrapSettings
{
    public required bool FirstUserIsOwner { get; init; }

    /// <summary>The only identity that may become the first owner; null: whoever comes first.</summary>
    public BootstrapOwner? Owner { get; init; }
}

/// <summary>An identity as written in <c>bootstrap.owner</c>.</summary>
/// <param name="Source"><c>proxy</c>, <c>oidc</c> or <c>email</c>.</param>
/// <param name="Issuer">The issuer of an OIDC identity, else empty.</param>
/// <param name="Value">The subject or the address.</param>
internal sealed record BootstrapOwner(string Source, string Issuer, string Value);

/// <summary>What the state is kept in.</summary>
internal enum StoreKind
{
    None = 0,

    /// <summary>One file, with a native library that comes along.</summary>
    Sqlite,

    /// <summary>One file, without native code.</summary>
    LiteDb,

    /// <summary>A database server, for several gateways.</summary>
    Postgres,
}

/// <summary>The section <c>store</c>.</summary>
/// <param name="File">The file of an embedded store; for a server, a name in the data folder for what is put beside it.</param>
/// <param name="EncryptionKey">Encrypts the key ring that the store holds; null: it is kept in clear.</param>
internal sealed record StoreSettings(StoreKind Kind, string File, Secret? EncryptionKey)
{
    /// <summary>
    /// How a database server is reached: <c>Host=…;Username=…</c> or <c>postgres://…</c>. Only with <see cref="StoreKind.Postgres"/>.
    /// </summary>
    public Secret? Connection { get; init; }
}

/// <summary>The written names of the kinds of store.</summary>
internal static class StoreKinds
{
    /// <summary>All names, as in <c>store.kind</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["sqlite", "litedb", "postgres"];

    public static StoreKind Parse(string name) => name switch
    {
        "sqlite" => StoreKind.Sqlite,
        "litedb" => StoreKind.LiteDb,
        "postgres" => StoreKind.Postgres,
        _ => StoreKind.None,
    };

    extension(StoreKind kind)
    {
        public string Name => kind switch
        {
            StoreKind.None => "none",
            StoreKind.Sqlite => "sqlite",
            StoreKind.LiteDb => "litedb",
            StoreKind.Postgres => "postgres",
        };

        /// <summary>What the file of this kind is called in the data folder.</summary>
        public string FileName => kind switch
        {
            StoreKind.None or StoreKind.Sqlite => "headtower.db",
            StoreKind.LiteDb => "headtower.litedb",
            StoreKind.Postgres => "headtower.postgres",
        };
    }
}
