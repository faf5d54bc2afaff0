namespace Gateway.Documents;

/// <summary>One piece of state as stores keep it.</summary>
/// <param name="Id">The kind and the number or name, such as <c>person/17</c>. Compared byte for byte.</param>
/// <param name="Version">1 when it was made; one more with each change.</param>
/// <param name="Json">What is in it.</param>
/// <param name="Keys">What no other document may have, such as <c>owner</c>. Compared byte for byte.</param>
internal sealed record Document(string Id, long Version, string Json, IReadOnlyList<string> Keys)
{
    /// <summary>The first part of its id.</summary>
    public string Kind => KindOf(Id);

    /// <summary>The first part of an id.</summary>
    public static string KindOf(string id) => id[..Math.Max(0, id.IndexOf('/', StringComparison.Ordinal))];
}

/// <summary>One change of a commit.</summary>
/// <param name="Id">The document.</param>
/// <param name="Expected">The version that it was decided on; 0: there was none.</param>
/// <param name="Json">What is in it from now on; null: it is deleted.</param>
/// <param name="Keys">What no other document may have from now on.</param>
internal sealed record DocumentChange(string Id, long Expected, string? Json, IReadOnlyList<string> Keys)
{
    /// <summary>The document after the change; null when it is deleted.</summary>
    public Document? Result => Json is null ? null : new Document(Id, Expected + 1, Json, Keys);
}

/// <summary>How a commit ended. The zero value changed nothing.</summary>
internal enum CommitOutcome
{
    /// <summary>Another one was faster: a version is not the expected one, or a key is taken. Nothing was changed.</summary>
    Conflict = 0,

    /// <summary>All of it is stored, and survives the end of the process and of the machine.</summary>
    Done,
}

/// <summary>Everything in a store.</summary>
/// <param name="Position">Where in the order of its commits.</param>
/// <param name="Documents">All documents.</param>
internal sealed record StoreContents(long Position, IReadOnlyList<Document> Documents);

/// <summary>What was committed after a position, by whomever.</summary>
/// <param name="Position">Where this leads to.</param>
/// <param name="Changed">Documents as they are now.</param>
/// <param name="Removed">The ids of those that were deleted.</param>
/// <param name="IsWhole">Whether <paramref name="Changed"/> is everything there is, since the position was too old to tell.</param>
internal sealed record StoreChanges(long Position, IReadOnlyList<Document> Changed, IReadOnlyList<string> Removed, bool IsWhole);

/// <summary>Where documents are kept. Everything that fails is a <see cref="Settings.StoreException"/> that says what to do.</summary>
internal interface IDocumentStore : IAsyncDisposable
{
    /// <summary>What it is, for messages: the file, or the server.</summary>
    string Name { get; }

    /// <summary>Whether other processes change it, too.</summary>
    bool IsShared { get; }

    /// <summary>Reads everything.</summary>
    Task<StoreContents> LoadAsync(CancellationToken cancel);

    /// <summary>
    /// Makes all changes or none of them: every version must be the expected one, and no key may belong to another document.
    /// </summary>
    Task<CommitOutcome> CommitAsync(IReadOnlyList<DocumentChange> changes, CancellationToken cancel);

    /// <summary>Waits until others may have changed something. Only for a shared store.</summary>
    Task WaitForOthersAsync(long position, CancellationToken cancel);

    /// <summary>What was committed after a position; nothing for a store that is not shared.</summary>
    Task<StoreChanges> ReadChangesAsync(long position, CancellationToken cancel);
}
