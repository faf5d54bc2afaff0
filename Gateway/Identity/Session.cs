namespace Gateway.Identity;

/// <summary>How a session was begun.</summary>
internal enum SessionKind
{
    None = 0,

    /// <summary>A person signed in with the provider.</summary>
    Oidc,

    /// <summary>Somebody showed a Headscale API key.</summary>
    ApiKey,
}

/// <summary>A sign-in that lasts. The cookie holds a random id, and here is only its hash.</summary>
internal sealed record Session
{
    /// <summary>The number by which people and administrators revoke it.</summary>
    public required long Id { get; init; }

    /// <summary>SHA-256 of the cookie's value, in lower-case hex.</summary>
    public required string Hash { get; init; }

    public required SessionKind Kind { get; init; }

    /// <summary>The person; null for an API key, which belongs to nobody.</summary>
    public long? PersonId { get; init; }

    /// <summary>The public prefix of the API key.</summary>
    public string? KeyPrefix { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>To the minute.</summary>
    public required DateTimeOffset LastUsedAt { get; init; }

    /// <summary>Where it was begun from.</summary>
    public string? Client { get; init; }

    /// <summary>The browser, cut at 256 characters.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The provider's own session, which it names when it ends it.</summary>
    public string? ProviderSession { get; init; }

    /// <summary>The ID token for signing out at the provider, protected; null when that is off.</summary>
    public string? ProtectedIdToken { get; init; }
}

/// <summary>Where sessions are kept. Two processes may share one store.</summary>
internal interface ISessionStore
{
    /// <summary>A number that grows when a session is added or removed.</summary>
    long Generation();

    (long Generation, IReadOnlyList<Session> Sessions) List();

    /// <summary>Stores a session and drops the person's oldest beyond <paramref name="mostPerPerson"/>.</summary>
    /// <returns>The id.</returns>
    long Add(Session session, int mostPerPerson);

    bool Remove(long id);

    /// <summary>Removes what a provider ended: one of its sessions, or all of a subject's.</summary>
    int RemoveOfProvider(string issuer, string? subject, string? providerSession);

    void Touch(IReadOnlyCollection<(long Id, DateTimeOffset At)> used);

    /// <summary>Removes what is over or was not used since.</summary>
    int RemoveOver(DateTimeOffset now, DateTimeOffset? unusedSince);
}
