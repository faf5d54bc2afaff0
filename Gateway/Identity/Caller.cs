namespace Gateway.Identity;

/// <summary>What established an identity. The zero value is nobody.</summary>
internal enum Source
{
    None = 0,

    /// <summary>Headers of a trusted proxy.</summary>
    Proxy,

    /// <summary>An OpenID Connect provider.</summary>
    Oidc,
}

/// <summary>The written names of sources, in the store and on the command line.</summary>
internal static class Sources
{
    public static Source? Parse(string text) => text switch
    {
        "proxy" => Source.Proxy,
        "oidc" => Source.Oidc,
        _ => null,
    };

    extension(Source source)
    {
        public string Name => source switch
        {
            Source.None => "none",
            Source.Proxy => "proxy",
            Source.Oidc => "oidc",
        };
    }
}

/// <summary>Who is calling, in the gateway's own words. Nothing past this folder reads a header.</summary>
internal sealed record Caller
{
    public required Source Source { get; init; }

    /// <summary>Whose word the subject is; empty for a proxy without a configured issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>The stable name of the person there. Compared ordinally, never folded.</summary>
    public required string Subject { get; init; }

    /// <summary>The login name, when the source has one besides the subject.</summary>
    public string? UserName { get; init; }

    public string? Email { get; init; }

    /// <summary>Whether the address may find a Headscale user, by what the settings say about this source.</summary>
    public bool EmailIsTrusted { get; init; }

    /// <summary>Whether the source itself says that it verified the address.</summary>
    public bool EmailIsVerified { get; init; }

    public string? Name { get; init; }

    public string? Picture { get; init; }

    /// <summary>What the source said of their groups.</summary>
    public GroupStatement Groups { get; init; } = GroupStatement.None;

    /// <summary>What <c>oidc.role_claim</c> said.</summary>
    public GroupStatement Roles { get; init; } = GroupStatement.None;
}
