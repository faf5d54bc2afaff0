namespace Gateway.Audit;

/// <summary>Reads the audit. Whatever was recorded before somebody asks is part of what they read.</summary>
internal sealed class AuditReader(AuditLog log, IAuditStore store, AuditHeads heads)
{
    /// <summary>The newest entries that are looked for, the newest first.</summary>
    /// <param name="before">Only what is older than the entry with this id; null: from the newest on.</param>
    /// <param name="most">How many at most.</param>
    public async Task<IReadOnlyList<AuditEntry>> FindAsync(AuditSearch search, long? before, int most, CancellationToken cancel)
    {
        await log.FlushAsync(cancel);
        return await store.FindAsync(search, before, most, cancel);
    }

    /// <summary>The entry with an id; null for none.</summary>
    public async Task<AuditEntry?> FindAsync(long id, CancellationToken cancel)
    {
        await log.FlushAsync(cancel);
        return await store.FindAsync(id, cancel);
    }

    /// <summary>Entries that are looked for, the oldest first.</summary>
    /// <param name="after">Only what is newer than the entry with this id; 0: from the oldest on.</param>
    /// <param name="most">How many at most.</param>
    public async Task<IReadOnlyList<AuditEntry>> ReadAsync(AuditSearch search, long after, int most, CancellationToken cancel)
    {
        await log.FlushAsync(cancel);
        return await store.ReadAsync(search, after, most, cancel);
    }

    /// <summary>Looks at every line that was written so far.</summary>
    public async Task<AuditVerification> VerifyAsync(CancellationToken cancel)
    {
        await log.FlushAsync(cancel);
        return await store.VerifyAsync(heads.All, cancel);
    }
}
