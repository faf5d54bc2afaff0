using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Settings;

namespace Gateway.Documents;

/// <summary>All documents of one kind, as whoever holds them all sees them.</summary>
internal abstract class DocumentCollection(string kind)
{
    /// <summary>The first part of the documents' ids.</summary>
    public string Kind => kind;

    /// <summary>Puts documents in their places and takes others away, all at one moment.</summary>
    /// <param name="isWhole">Whether everything that is not among <paramref name="changed"/> goes.</param>
    public abstract void Apply(IEnumerable<Document> changed, IEnumerable<string> removed, bool isWhole);

    /// <summary>Whether a document is one of this kind, as it would be written today.</summary>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    public abstract string? Complaint(Document document);
}

/// <summary>All documents of one kind in memory. What a reader holds is never changed under it.</summary>
/// <param name="kind">The first part of the documents' ids.</param>
/// <param name="json">How a document is written.</param>
/// <param name="nameOf">The second part of a document's id.</param>
/// <param name="keysOf">What no other document, of whatever kind, may have.</param>
internal sealed class DocumentCollection<T>(
    string kind, JsonTypeInfo<T> json, Func<T, string> nameOf, Func<T, IEnumerable<string>> keysOf) : DocumentCollection(kind)
    where T : class
{
    private volatile DocumentSnapshot<T> _snapshot = DocumentSnapshot<T>.Empty;

    /// <summary>Everything at this moment.</summary>
    public DocumentSnapshot<T> Snapshot => _snapshot;

    /// <summary>Runs after each change, whoever made it.</summary>
    public event EventHandler? Changed;

    /// <summary>The id of the document that would hold this.</summary>
    public string IdOf(T value) => $"{Kind}/{nameOf(value)}";

    /// <summary>The change that stores this in the place of what was read.</summary>
    public DocumentChange Write(T value)
    {
        var id = IdOf(value);
        return new(id, _snapshot.VersionOf(id), JsonSerializer.Serialize(value, json), [.. keysOf(value)]);
    }

    /// <summary>The change that deletes this.</summary>
    public DocumentChange Delete(T value)
    {
        var id = IdOf(value);
        return new(id, _snapshot.VersionOf(id), null, []);
    }

    /// <summary>What a document holds.</summary>
    /// <exception cref="StoreException">It is not one of this kind.</exception>
    public T Read(Document document)
    {
        try
        {
            return JsonSerializer.Deserialize(document.Json, json) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new StoreException(
                $"the document {document.Id} cannot be understood ({e.Message}); restore the latest backup with 'gateway restore FILE'", e);
        }
    }

    public override string? Complaint(Document document)
    {
        try
        {
            var value = Read(document);
            return IdOf(value) != document.Id ? $"the document {document.Id} says that it is {IdOf(value)}"
                : !keysOf(value).Order(StringComparer.Ordinal).SequenceEqual(document.Keys.Order(StringComparer.Ordinal))
                    ? $"the document {document.Id} has other keys than what is in it"
                : null;
        }
        catch (StoreException e)
        {
            return e.Message;
        }
    }

    public override void Apply(IEnumerable<Document> changed, IEnumerable<string> removed, bool isWhole)
    {
        var (byId, byKey) = isWhole
            ? (DocumentSnapshot<T>.Empty.ById.ToBuilder(), DocumentSnapshot<T>.Empty.ByKey.ToBuilder())
            : (_snapshot.ById.ToBuilder(), _snapshot.ByKey.ToBuilder());
        foreach (var id in removed)
        {
            if (byId.TryGetValue(id, out var old))
            {
                Forget(old);
                byId.Remove(id);
            }
        }

        // A key may go from one document to another in one commit: all of them let go before any takes.
        var fresh = changed.Select(one => (one.Id, Entry: new DocumentSnapshot<T>.Entry(Read(one), one.Version, one.Keys))).ToArray();
        foreach (var (id, _) in fresh)
        {
            if (byId.TryGetValue(id, out var old))
            {
                Forget(old);
            }
        }

        foreach (var (id, entry) in fresh)
        {
            byId[id] = entry;
            foreach (var key in entry.Keys)
            {
                byKey[key] = entry.Value;
            }
        }

        _snapshot = new(byId.ToImmutable(), byKey.ToImmutable());
        Changed?.Invoke(this, EventArgs.Empty);

        void Forget(DocumentSnapshot<T>.Entry entry)
        {
            foreach (var key in entry.Keys)
            {
                byKey.Remove(key);
            }
        }
    }
}

/// <summary>All documents of one kind at one moment.</summary>
internal sealed class DocumentSnapshot<T>(ImmutableDictionary<string, DocumentSnapshot<T>.Entry> byId, ImmutableDictionary<string, T> byKey)
    where T : class
{
    public static DocumentSnapshot<T> Empty { get; } = new(
        ImmutableDictionary.Create<string, Entry>(StringComparer.Ordinal), ImmutableDictionary.Create<string, T>(StringComparer.Ordinal));

    public int Count => byId.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<T> Values => byId.Values.Select(one => one.Value);

    internal ImmutableDictionary<string, Entry> ById => byId;

    internal ImmutableDictionary<string, T> ByKey => byKey;

    public T? Find(string id) => byId.GetValueOrDefault(id)?.Value;

    /// <summary>The one that has this key.</summary>
    public T? FindByKey(string key) => byKey.GetValueOrDefault(key);

    /// <summary>0 when there is none.</summary>
    public long VersionOf(string id) => byId.GetValueOrDefault(id)?.Version ?? 0;

    internal sealed record Entry(T Value, long Version, IReadOnlyList<string> Keys);
}
