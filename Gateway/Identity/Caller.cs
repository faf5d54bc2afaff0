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

/// <summary>What a request says about its sender: nothing, something unacceptable, a Headscale key, or a person.</summary>
internal abstract record Identification
{
    private Identification()
    {
    }

    internal sealed record Nobody : Identification
    {
        public static Nobody Instance { get; } = new();
    }

    /// <param name="Reason">Why the claim was not accepted.</param>
    /// <param name="Detail">What was wrong with it; holds nothing of the credential.</param>
    internal sealed record Rejected(Policy.Reason Reason, string Detail) : Identification;

    /// <param name="Prefix">The public part of the caller's own Headscale key.</param>
    internal sealed record OwnKey(string Prefix) : Identification;

    /// <param name="Session">The session that came along, if any: it must be of the same person.</param>
    internal sealed record Known(Caller Caller, Session? Session) : Identification;

    internal sealed record InSession(Session Session) : Identification;
}
