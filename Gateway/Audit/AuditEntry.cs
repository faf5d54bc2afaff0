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

    /// <summary>The number and the name of the token that the identity's program used; null for none.</summary>
    public string? Token { get; init; }

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

    /// <summary>What a change to a person replaces, or what a change at Headscale is about; null where it is not known.</summary>
    public string? Before { get; init; }

    /// <summary>What a change sets, cut at 1024 characters; null where nothing is set.</summary>
    public string? After { get; init; }

    /// <summary>How many of the same kind this entry stands for, within a minute.</summary>
    public long Count { get; init; } = 1;

    /// <summary>When the last of them was; null for a single one.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>What of it somebody looks for.</summary>
    public AuditClass Class =>
        !WasLetThrough(Reason) ? AuditClass.Refusal
        : Kind is AuditKind.Api && Method is "GET" or "HEAD" or "OPTIONS" ? AuditClass.Read
        : AuditClass.Change;

    /// <summary>Whether it was let through, however it ended then.</summary>
    public static bool WasLetThrough(string reason) => reason is "allowed" or "passed_through" or "done";
}

/// <summary>What an entry is, for whoever reads the audit.</summary>
internal enum AuditClass
{
    None = 0,

    /// <summary>Something was looked at.</summary>
    Read,

    /// <summary>Something was changed, or somebody came or went.</summary>
    Change,

    /// <summary>Something was not let through.</summary>
    Refusal,
}

/// <summary>One thing to be written down, in the order that it is.</summary>
internal abstract record AuditRecord
{
    private AuditRecord()
    {
    }

    /// <summary>A new entry.</summary>
    internal sealed record Begun(AuditEntry Entry) : AuditRecord;

    /// <summary>How the call of an earlier entry ended.</summary>
    internal sealed record Ended(AuditOutcome Outcome) : AuditRecord;

    /// <summary>How many an earlier entry stands for by now.</summary>
    internal sealed record Counted(AuditCount Count) : AuditRecord;
}

/// <summary>How the call of an earlier entry ended.</summary>
/// <param name="Made">What came to be, in words; null where nothing did.</param>
internal sealed record AuditOutcome(string RequestId, string Reason, int Status, double Duration, string? Made = null);

/// <summary>How many an earlier entry stands for by now.</summary>
internal sealed record AuditCount(string RequestId, long Count, DateTimeOffset Last);

/// <summary>Which entries somebody looks for. Every condition counts.</summary>
internal sealed record AuditSearch
{
    /// <summary>Everything.</summary>
    public static AuditSearch All { get; } = new();

    /// <summary>Part of actor, token, row, path or reason, in whatever case, or a whole request id; empty: all.</summary>
    public string Text { get; init; } = "";

    /// <summary>The actor, letter by letter, such as <c>proxy:alice</c>.</summary>
    public string? Actor { get; init; }

    /// <summary>The row of the policy or the name of a change, letter by letter.</summary>
    public string? Row { get; init; }

    /// <summary>The id of the device that the path of a call names.</summary>
    public string? Device { get; init; }

    public DateTimeOffset? Since { get; init; }

    /// <summary>Only what was not let through.</summary>
    public bool RefusedOnly { get; init; }

    /// <summary>Only what changed something, and who came and went.</summary>
    public bool ChangesOnly { get; init; }

    public bool Matches(AuditEntry entry) =>
        (Since is null || entry.At >= Since)
        && (Actor is null || entry.Actor == Actor)
        && (Row is null || entry.Row == Row)
        && (Device is null || Names(entry.Path, $"/node/{Device}") || Names(entry.Path, $"/device/{Device}"))
        && (!RefusedOnly || entry.Class is AuditClass.Refusal)
        && (!ChangesOnly || entry.Class is AuditClass.Change)
        && (Text.Length == 0 || IsUnder(entry.RequestId) || Holds(entry.Actor) || Holds(entry.Token) || Holds(entry.Row)
            || Holds(entry.Path) || Holds(entry.Reason));

    /// <summary>Whether a path has these whole segments.</summary>
    private static bool Names(string path, string segments) => path.IndexOf(segments, StringComparison.Ordinal) is >= 0 and var at
        && path.AsSpan(at + segments.Length) is [] or ['/', ..];

    /// <summary>What else one request did has its reference with a number behind it.</summary>
    private bool IsUnder(string id) => id == Text || id.StartsWith(Text + "-", StringComparison.Ordinal);

    private bool Holds(string? text) => text?.Contains(Text, StringComparison.OrdinalIgnoreCase) is true;
}

/// <summary>What came of looking at every line of the audit.</summary>
/// <param name="Lines">How many there are.</param>
/// <param name="Problems">What is wrong, in order; empty: it is as it was written.</param>
/// <param name="Notes">What somebody should know that is no proof of a change.</param>
internal sealed record AuditVerification(long Lines, IReadOnlyList<string> Problems, IReadOnlyList<string> Notes);

/// <summary>Where the audit is kept. It is only ever added to.</summary>
internal interface IAuditStore : IAsyncDisposable
{
    /// <summary>Takes up where the last process left off.</summary>
    /// <returns>What was healed after a crash; null when nothing was.</returns>
    /// <exception cref="Settings.StoreException">It cannot be written to.</exception>
    Task<string?> OpenAsync(CancellationToken cancel);

    /// <summary>Adds records in their order.</summary>
    /// <param name="isDurable">Whether they survive the end of the machine when this returns; else that of the process.</param>
    /// <exception cref="Settings.StoreException">Nothing of it was written.</exception>
    Task WriteAsync(IReadOnlyList<AuditRecord> records, bool isDurable, CancellationToken cancel);

    /// <summary>Where the chain was signed last; null when it was not.</summary>
    AuditHead? Signed { get; }

    /// <summary>Signs what was written.</summary>
    /// <exception cref="Settings.StoreException">It could not be written; the chain holds without it.</exception>
    Task CloseAsync(CancellationToken cancel);

    /// <summary>Entries before a position, or from the newest on, newest first.</summary>
    Task<IReadOnlyList<AuditEntry>> FindAsync(AuditSearch search, long? before, int most, CancellationToken cancel);

    /// <summary>Entries after a position, oldest first.</summary>
    Task<IReadOnlyList<AuditEntry>> ReadAsync(AuditSearch search, long after, int most, CancellationToken cancel);

    /// <summary>One entry; null when there is none at that position, or none any more.</summary>
    Task<AuditEntry?> FindAsync(long id, CancellationToken cancel);

    /// <summary>Looks at every line.</summary>
    /// <param name="signed">Where its chains were signed last.</param>
    Task<AuditVerification> VerifyAsync(IReadOnlyList<AuditHead> signed, CancellationToken cancel);

    /// <summary>Deletes what is older, in wholes; returns what was deleted, in words, or null.</summary>
    Task<string?> DeleteBeforeAsync(DateTimeOffset time, CancellationToken cancel);

    /// <summary>Copies it into a new folder, which is for its owner alone.</summary>
    Task CopyToAsync(string folder, CancellationToken cancel);
}
