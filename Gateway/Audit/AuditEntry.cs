namespace Gateway.Audit;

/// <summary>What an audit entry is about.</summary>
internal enum AuditKind
{
    None = 0,

    /// <summary>A call on the API plane.</summary>
    Api,

    /// <summary>A change made by a verb on the command line.</summary>
    Cli,

    /// <summary>Somebody signed in or out, or was refused.</summary>
    SignIn,

    /// <summary>A person was changed on a page.</summary>
    Person,
}

/// <summary>One decision or change. What a change is to set is part of it, secrets never are.</summary>
internal sealed record AuditEntry
{
    /// <summary>The position in the log; 0 before it is stored.</summary>
    public long Id { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Unique; the answer carried it as X-Request-Id.</summary>
    public required string RequestId { get; init; }

    public required AuditKind Kind { get; init; }

    /// <summary>The identity, such as <c>proxy:alice</c> or <c>key:abc1234</c>; null for nobody.</summary>
    public string? Actor { get; init; }

    public string? Role { get; init; }

    /// <summary>The linked Headscale user's id.</summary>
    public string? HeadscaleUser { get; init; }

    /// <summary>The row of the policy, or the verb.</summary>
    public string? Row { get; init; }

    public required string Method { get; init; }

    /// <summary>The path without its query, cut at 256 characters.</summary>
    public required string Path { get; init; }

    public required string Reason { get; init; }

    /// <summary>The status of the answer; null while the outcome is not known.</summary>
    public int? Status { get; init; }

    public string? Client { get; init; }

    /// <summary>Milliseconds from request to answer; null while the outcome is not known.</summary>
    public double? Duration { get; init; }

    public string? Detail { get; init; }

    /// <summary>What a change to a person replaces; null where it is not known, as with everything that Headscale keeps.</summary>
    public string? Before { get; init; }

    /// <summary>What a change sets, cut at 1024 characters; null where nothing is set.</summary>
    public string? After { get; init; }

    /// <summary>A change that a verb made.</summary>
    /// <param name="what">The verb, such as <c>users.link</c>.</param>
    /// <param name="whom">Whom it was about.</param>
    public static AuditEntry OfVerb(string what, string whom, TimeProvider clock) => new()
    {
        At = clock.GetUtcNow(),
        RequestId = Guid.NewGuid().ToString("n"),
        Kind = AuditKind.Cli,
        Actor = $"cli:{Environment.UserName}",
        Row = what,
        Method = "CLI",
        Path = whom,
        Reason = "done",
        Status = 0,
    };
}

/// <summary>How the call of an earlier entry ended.</summary>
internal sealed record AuditOutcome(string RequestId, string Reason, int Status, double Duration);

/// <summary>Which entries somebody looks for, newest first.</summary>
/// <param name="Before">Only entries before this position; null: from the newest on.</param>
/// <param name="Text">Part of actor, row, path or reason, or a whole request id; empty: all.</param>
/// <param name="RefusedOnly">Only what was not let through.</param>
/// <param name="Most">How many at most.</param>
internal sealed record AuditSearch(long? Before, string Text, bool RefusedOnly, int Most);

/// <summary>Where the audit is kept.</summary>
internal interface IAuditStore
{
    /// <summary>Stores entries, then outcomes, in one transaction. When it returns, they survive the end of the process.</summary>
    void Write(IReadOnlyList<AuditEntry> entries, IReadOnlyList<AuditOutcome> outcomes);

    /// <summary>Entries after a position and not before a time, oldest first.</summary>
    IReadOnlyList<AuditEntry> Read(long after, DateTimeOffset since, int most);

    IReadOnlyList<AuditEntry> Find(AuditSearch search);

    /// <summary>One entry; null when there is none at that position, or none any more.</summary>
    AuditEntry? Find(long id);

    /// <summary>Deletes what is older; returns how many entries.</summary>
    int DeleteBefore(DateTimeOffset time);
}
