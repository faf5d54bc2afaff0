using Gateway.Audit;
using Gateway.Documents;
using Gateway.Settings;
using Gateway.Store.Postgres;
using Gateway.Store.Segments;

namespace Gateway.Store;

/// <summary>Carries everything from one kind of store to another. The first one stays as it is.</summary>
internal static class StoreMigration
{
    private const int Page = 1000;

    /// <summary>Copies state and audit into a store that is empty.</summary>
    /// <returns>How many documents and audit entries there were.</returns>
    /// <exception cref="StoreException">A store cannot be used, or the target is not empty.</exception>
    public static async Task<(int Documents, long Entries)> RunAsync(GatewaySettings from, GatewaySettings to, CancellationToken cancel)
    {
        var source = await OpenedStore.OpenAsync(from, cancel);
        await using var sourceDocuments = source.Documents;
        var target = await OpenedStore.OpenAsync(to, cancel);
        await using var targetDocuments = target.Documents;
        if ((await targetDocuments.LoadAsync(cancel)).Documents.Count > 0)
        {
            throw new StoreException($"{targetDocuments.Name} is not empty; nothing was copied");
        }

        await using var sourceAudit = source.OpenAudit(null, TimeProvider.System);
        await using var targetAudit = target.OpenAudit(null, TimeProvider.System);
        if (targetAudit is PostgresAuditStore && (await targetAudit.FindAsync(AuditSearch.All, null, 1, cancel)).Count > 0)
        {
            throw new StoreException($"{targetDocuments.Name} has an audit already; use an empty database, nothing was copied");
        }

        var entries = await CopyAuditAsync(sourceAudit, targetAudit, to.Audit.Folder, cancel);
        // An audit that changes its form has new chains.
        var keepsAudit = (sourceAudit, targetAudit) is (SegmentAuditStore, SegmentAuditStore);
        var documents = (await sourceDocuments.LoadAsync(cancel)).Documents.Where(one => keepsAudit || one.Kind != AuditHeads.Kind)
            .ToArray();
        if (documents.Length > 0
            && await targetDocuments.CommitAsync([.. documents.Select(one => new DocumentChange(one.Id, 0, one.Json, one.Keys))],
                cancel) is not CommitOutcome.Done)
        {
            throw new StoreException($"{targetDocuments.Name} was changed at the same time; nothing was copied");
        }

        return (documents.Length, entries);
    }

    /// <summary>Between two embedded kinds, the audit's files stay where they are.</summary>
    private static async Task<long> CopyAuditAsync(IAuditStore from, IAuditStore to, string folder, CancellationToken cancel)
    {
        switch (from, to)
        {
            case (SegmentAuditStore, PostgresAuditStore server):
                return await ForEachPageAsync(from, page => server.ImportAsync(page, cancel), cancel);
            case (PostgresAuditStore, SegmentAuditStore):
                using (var import = SegmentImport.Begin(folder) ?? throw new StoreException($"there is an audit in {folder} already; "
                    + $"move it away, nothing was copied"))
                {
                    var entries = await ForEachPageAsync(
                        from,
                        page =>
                        {
                            foreach (var entry in page)
                            {
                                import.Add(entry);
                            }

                            return Task.CompletedTask;
                        },
                        cancel);
                    import.Finish();
                    return entries;
                }

            default:
                return 0;
        }
    }

    private static async Task<long> ForEachPageAsync(IAuditStore from, Func<IReadOnlyList<AuditEntry>, Task> take, CancellationToken cancel)
    {
        var (entries, after) = (0L, 0L);
        while (await from.ReadAsync(AuditSearch.All, after, Page, cancel) is { Count: > 0 } page)
        {
            await take(page);
            (entries, after) = (entries + page.Count, page[^1].Id);
        }

        return entries;
    }
}
