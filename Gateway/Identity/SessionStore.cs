using Gateway.Documents;

namespace Gateway.Identity;

/// <summary>All sessions: in memory to read, in the store when they change.</summary>
internal sealed class SessionStore
{
    public const string Kind = "session";

    private readonly DocumentSet _documents;
    private readonly DocumentCollection<Session> _sessions;

    public SessionStore(DocumentSet documents)
    {
        _documents = documents;
        _sessions = documents.Add(NewCollection());
    }

    public static DocumentCollection<Session> NewCollection() =>
        new(Kind, SessionJson.Default.Session, one => DocumentBatch.NameOf(one.Id), one => [KeyOf(one.Hash)]);

    /// <summary>Every session, in no order.</summary>
    public IEnumerable<Session> All => _sessions.Snapshot.Values;

    public Session? Find(string hash) => _sessions.Snapshot.FindByKey(KeyOf(hash));

    public Session? Find(long id) => _sessions.Snapshot.Find($"{_sessions.Kind}/{DocumentBatch.NameOf(id)}");

    /// <summary>Stores a session and drops the person's oldest beyond <paramref name="mostPerPerson"/>.</summary>
    /// <returns>The session with its number.</returns>
    public Task<Session> AddAsync(Session session, int mostPerPerson) => _documents.ChangeAsync(batch =>
    {
        var added = session with { Id = batch.NextNumber(Kind) };
        var others = All.Where(one => one.PersonId == added.PersonId && one.KeyPrefix == added.KeyPrefix);
        foreach (var old in others.OrderByDescending(one => one.Id).Skip(mostPerPerson - 1))
        {
            batch.Remove(_sessions, old);
        }

        batch.Add(_sessions, added);
        return added;
    });

    /// <summary>Ends all sessions that the condition names.</summary>
    /// <returns>How many.</returns>
    public Task<int> RemoveAsync(Func<Session, bool> isMeant) => _documents.ChangeAsync(batch => Remove(batch, isMeant));

    /// <summary>The same, as a part of a larger change.</summary>
    public int Remove(DocumentBatch batch, Func<Session, bool> isMeant)
    {
        var meant = All.Where(isMeant).ToArray();
        foreach (var session in meant)
        {
            batch.Remove(_sessions, session);
        }

        return meant.Length;
    }

    /// <summary>Stores when sessions were used last.</summary>
    public Task<int> TouchAsync(IReadOnlyDictionary<long, DateTimeOffset> used) => _documents.ChangeAsync(batch =>
    {
        var later = used.Select(one => (Session: Find(one.Key), At: one.Value))
            .Where(one => one.Session is { } session && session.LastUsedAt < one.At).ToArray();
        foreach (var (session, at) in later)
        {
            batch.Put(_sessions, session! with { LastUsedAt = at });
        }

        return later.Length;
    });

    private static string KeyOf(string hash) => "session:" + hash;
}
