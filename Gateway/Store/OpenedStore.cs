using Gateway.Audit;
using Gateway.Documents;
using Gateway.Settings;
using Gateway.Store.Postgres;
using Gateway.Store.Segments;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Store;

/// <summary>The store that the settings name. An embedded one is held by this process alone.</summary>
internal sealed class OpenedStore
{
    private readonly GatewaySettings _settings;
    private readonly PostgresServer? _server;

    private OpenedStore(GatewaySettings settings, IDocumentStore documents, PostgresServer? server, params IEnumerable<string?> notices) =>
        (_settings, Documents, _server, Notices) = (settings, documents, server, [.. notices.OfType<string>()]);

    /// <summary>The state. Whoever uses it closes it.</summary>
    public IDocumentStore Documents { get; }

    /// <summary>What opening it did that its user should know.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Opens the store and brings it up to date; takes the lock of an embedded one first.</summary>
    /// <exception cref="StoreException">It cannot be used, or belongs to another process.</exception>
    public static async Task<OpenedStore> OpenAsync(GatewaySettings settings, CancellationToken cancel)
    {
        var (store, isOpen) = (settings.Store, PrivateFiles.Complaint(settings.Server.DataPath));
        if (store.Kind is StoreKind.Postgres)
        {
            PrivateFiles.MakeFolder(settings.Server.DataPath);
            var server = await PostgresServer.OpenAsync(store.Connection!, cancel);
            return new(settings, new PostgresDocumentStore(server), server, isOpen);
        }

        var held = StoreLock.Take(store.File);
        try
        {
            if (store.Kind is StoreKind.LiteDb)
            {
                return new(settings, LiteDbDocumentStore.Open(store.File, held), null, isOpen);
            }

            var file = SqliteFile.Open(store.File, settings.Audit.Folder);
            return new(settings, new SqliteDocumentStore(file, held), null, file.Notice, isOpen);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The audit that belongs to this kind of store.</summary>
    public IAuditStore OpenAudit(IDataProtectionProvider? protection, TimeProvider clock) => _server is { } server
        ? new PostgresAuditStore(server, protection, clock)
        : new SegmentAuditStore(_settings.Audit.Folder, protection, clock);
}
