using Gateway.Documents;

namespace Gateway.Identity;

/// <summary>All tokens: in memory to read, in the store when they change.</summary>
internal sealed class TokenStore
{
    public const string Kind = "token";

    private readonly DocumentSet _documents;
    private readonly DocumentCollection<Token> _tokens;

    public TokenStore(DocumentSet documents)
    {
        _documents = documents;
        _tokens = documents.Add(NewCollection());
    }

    public static DocumentCollection<Token> NewCollection() =>
        new(Kind, TokenJson.Default.Token, one => DocumentBatch.NameOf(one.Id), KeysOf);

    /// <summary>Every token, in no order.</summary>
    public IEnumerable<Token> All => _tokens.Snapshot.Values;

    public Token? Find(string hash) => _tokens.Snapshot.FindByKey(KeyOf(hash));

    public Token? Find(long id) => _tokens.Snapshot.Find($"{Kind}/{DocumentBatch.NameOf(id)}");

    /// <summary>Stores a token, unless its person has so many already.</summary>
    /// <returns>The token with its number; null when there are too many.</returns>
    public Task<Token?> AddAsync(Token token, int mostPerPerson) => _documents.ChangeAsync(batch =>
    {
        if (All.Count(one => one.PersonId == token.PersonId) >= mostPerPerson)
        {
            return null;
        }

        var added = token with { Id = batch.NextNumber(Kind) };
        batch.Add(_tokens, added);
        return added;
    });

    /// <summary>Changes a token; null when it is not there any more.</summary>
    public Task<Token?> ChangeAsync(long id, Func<Token, Token> change) => _documents.ChangeAsync(batch =>
    {
        if (Find(id) is not { } token)
        {
            return null;
        }

        var changed = change(token);
        batch.Put(_tokens, changed);
        return changed;
    });

    /// <summary>Ends all tokens that the condition names.</summary>
    /// <returns>How many.</returns>
    public Task<int> RemoveAsync(Func<Token, bool> isMeant) => _documents.ChangeAsync(batch => Remove(batch, isMeant));

    /// <summary>The same, as a part of a larger change.</summary>
    public int Remove(DocumentBatch batch, Func<Token, bool> isMeant)
    {
        var meant = All.Where(isMeant).ToArray();
        foreach (var token in meant)
        {
            batch.Remove(_tokens, token);
        }

        return meant.Length;
    }

    /// <summary>Stores when tokens were used last.</summary>
    public Task<int> TouchAsync(IReadOnlyDictionary<long, DateTimeOffset> used) => _documents.ChangeAsync(batch =>
    {
        var later = used.Select(one => (Token: Find(one.Key), At: one.Value))
            .Where(one => one.Token is { } token && !(token.LastUsedAt >= one.At)).ToArray();
        foreach (var (token, at) in later)
        {
            batch.Put(_tokens, token! with { LastUsedAt = at });
        }

        return later.Length;
    });

    private static IEnumerable<string> KeysOf(Token token) =>
        token.PreviousHash is { } previous ? [KeyOf(token.Hash), KeyOf(previous)] : [KeyOf(token.Hash)];

    private static string KeyOf(string hash) => "token:" + hash;
}
