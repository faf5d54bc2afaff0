using Gateway.Audit;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Store;
using Gateway.Store.Segments;
using Gateway.Users;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Support;

/// <summary>What a store holds, read without a gateway.</summary>
internal sealed class StoredState : IAsyncDisposable
{
    private StoredState(IDocumentStore store, DocumentSet documents, SessionStore sessions, TokenStore tokens, People people) =>
        (Store, Documents, Sessions, Tokens, People) = (store, documents, sessions, tokens, people);

    public IDocumentStore Store { get; }

    public DocumentSet Documents { get; }

    public SessionStore Sessions { get; }

    public TokenStore Tokens { get; }

    public People People { get; }

    /// <summary>A store in a SQLite file, which is made where there is none.</summary>
    public static Task<StoredState> OpenAsync(string folder, string kind = "sqlite") => OpenAsync(kind == "litedb"
        ? LiteDbDocumentStore.Open(Path.Combine(folder, "headtower.litedb"))
        : new SqliteDocumentStore(SqliteFile.Open(Path.Combine(folder, "headtower.db"), Path.Combine(folder, "audit"))));

    public static async Task<StoredState> OpenAsync(IDocumentStore store)
    {
        var documents = new DocumentSet(store, TimeProvider.System, NullLogger<DocumentSet>.Instance);
        var sessions = new SessionStore(documents);
        var tokens = new TokenStore(documents);
        var people = new People(documents, sessions, tokens, TimeProvider.System);
        _ = (new KeyRing(documents), new AuditHeads(documents));
        await documents.LoadAsync(default);
        return new(store, documents, sessions, tokens, people);
    }

    /// <summary>Everyone in the store of a folder.</summary>
    public static async Task<IReadOnlyList<Person>> ReadPeopleAsync(string folder, string kind = "sqlite")
    {
        await using var state = await OpenAsync(folder, kind);
        return state.People.Snapshot.Everyone;
    }

    /// <summary>Every entry of an audit in files, oldest first.</summary>
    public static Task<IReadOnlyList<AuditEntry>> ReadAuditAsync(string folder) =>
        new SegmentAuditStore(folder, null, TimeProvider.System).ReadAsync(AuditSearch.All, 0, int.MaxValue, default);

    public async ValueTask DisposeAsync()
    {
        Documents.Dispose();
        await Store.DisposeAsync();
    }
}
