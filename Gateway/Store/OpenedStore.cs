using Gateway.Audit;
using Gateway.Documents;
using Gateway.Settings;
using Gateway.Store.Segments;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Store;

/// <summary>The store that the settings name, held by this process.</summary>
internal sealed class OpenedStore : IAsyncDisposable
{
    private readonly GatewaySettings _settings;

    private OpenedStore(GatewaySettings settings, IDocumentStore documents, IReadOnlyList<string> notices) =>
        (_settings, Documents, Notices) = (settings, documents, notices);

    public IDocumentStore Documents { get; }

    /// <summary>What opening it did that its user should know.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Takes the store's lock, opens it and brings it up to date.</summary>
    /// <exception cref="StoreException">It cannot be used, or belongs to another process.</exception>
    public static Task<OpenedStore> OpenAsync(GatewaySettings settings, CancellationToken cancel)
    {
        var held = StoreLock.Take(settings.Store.File);
        try
        {
            var file = SqliteFile.Open(settings.Store.File, settings.Audit.Folder);
            return Task.FromResult(new OpenedStore(
                settings,
                new SqliteDocumentStore(file, held),
                [.. new[] { file.Notice, PrivateFiles.Complaint(settings.Server.DataPath) }.OfType<string>()]));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The audit that belongs to this kind of store.</summary>
    public IAuditStore OpenAudit(IDataProtectionProvider protection, TimeProvider clock) =>
        new SegmentAuditStore(_settings.Audit.Folder, protection, clock);

    public ValueTask DisposeAsync() => Documents.DisposeAsync();
}
