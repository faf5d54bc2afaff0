using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gateway.Documents;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>Tokens of the gateway's own. A request is answered from memory; when tokens were used is stored once a minute.</summary>
internal sealed class AccessTokens(TokenStore store, DocumentSet documents, TimeProvider clock, ILogger<AccessTokens> log)
    : CredentialUse(clock, log)
{
    /// <summary>How many one person may have.</summary>
    public const int MostPerPerson = 50;

    /// <summary>How long somebody is told that a token is over, and not that there is none.</summary>
    private static readonly TimeSpan _remembered = TimeSpan.FromDays(30);

    /// <summary>Every token, by number.</summary>
    public IReadOnlyList<Token> All => [.. store.All.OrderBy(one => one.Id).Select(AsUsed)];

    /// <summary>The token with a number; null when there is none.</summary>
    public Token? Find(long id) => store.Find(id);

    /// <summary>The token that a request brings, where it is known, and why it does not count; null when it does.</summary>
    /// <param name="text">The whole token.</param>
    /// <param name="client">Where it comes from.</param>
    /// <exception cref="StoreException">The store could not be asked for too long.</exception>
    public (Token? Token, string? Complaint) Read(string text, IPAddress? client)
    {
        documents.EnsureFresh();
        var (hash, now) = (HashOf(text), Clock.GetUtcNow());
        if (store.Find(hash) is not { } token)
        {
            return (null, "the gateway knows no such token; it was mistyped or revoked");
        }

        if (token.Hash != hash && !(token.PreviousUntil > now))
        {
            return (token, $"the token {token.Label} was rotated, and this is the one before");
        }

        if (token.ExpiresAt <= now)
        {
            return (token, string.Create(CultureInfo.InvariantCulture, $"the token {token.Label} ended on {token.ExpiresAt:yyyy-MM-dd}"));
        }

        if (!token.CountsFrom(client))
        {
            return (token, $"the token {token.Label} does not count from this address");
        }

        Note(token.Id, now);
        return (token, null);
    }

    /// <summary>Stores a token and gives it with its text, which is stored nowhere; null when the person has too many.</summary>
    /// <exception cref="StoreException">It could not be stored.</exception>
    public async Task<(Token Token, string Text)?> CreateAsync(Token draft)
    {
        var text = NewText();
        return await store.AddAsync(draft with { Hash = HashOf(text) }, MostPerPerson) is { } token ? (token, text) : null;
    }

    /// <summary>Gives a token a new text and as much time as it had; the old text counts a while longer.</summary>
    /// <returns>Null when it is not there any more.</returns>
    /// <exception cref="StoreException">It could not be stored.</exception>
    public async Task<(Token Token, string Text)?> RotateAsync(long id, TimeSpan overlap)
    {
        var (text, now) = (NewText(), Clock.GetUtcNow());
        var rotated = await store.ChangeAsync(id, one => one with
        {
            Hash = HashOf(text),
            PreviousHash = one.Hash,
            PreviousUntil = now + overlap < one.ExpiresAt ? now + overlap : one.ExpiresAt,
            RotatedAt = now,
            ExpiresAt = now + one.Lifetime,
        });
        return rotated is null ? null : (rotated, text);
    }

    /// <summary>Ends one token; false when there is none of that number.</summary>
    /// <exception cref="StoreException">It could not be stored.</exception>
    public async Task<bool> RevokeAsync(long id) => await store.RemoveAsync(one => one.Id == id) == 1;

    protected override async Task StoreAsync(IReadOnlyDictionary<long, DateTimeOffset> used)
    {
        await store.TouchAsync(used);
        var now = Clock.GetUtcNow();
        await store.RemoveAsync(one => one.ExpiresAt < now - _remembered);
    }

    private Token AsUsed(Token token) => Noted(token.Id) is { } used ? token with { LastUsedAt = used } : token;

    private static string NewText() => Token.Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
