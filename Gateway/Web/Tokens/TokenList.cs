using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Tokens;

/// <summary>A token as pages show it: never the token itself.</summary>
/// <param name="Id">The number by which it is rotated and revoked.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Person">What whoever made it is called.</param>
/// <param name="IsOwn">Whether the reader made it.</param>
/// <param name="Role">The role that it has at most.</param>
/// <param name="Limits">From where it counts and for what; empty where that is not limited.</param>
/// <param name="LastUsed">When it was used last; null: never.</param>
/// <param name="Expires">When it ends.</param>
public sealed record TokenRow(
    long Id, string Name, string Person, bool IsOwn, string Role, string Limits, DateTimeOffset? LastUsed, DateTimeOffset Expires);

/// <summary>The tokens that somebody may see.</summary>
internal sealed class TokenList(AccessTokens tokens, TokenChanges changes, People people)
{
    /// <summary>One's own first, and then those of whom one may change; by person and number.</summary>
    /// <param name="person">Whose tokens; null: all that somebody may revoke.</param>
    public TokenRow[] SeenBy(Principal principal, RouteTable table, long? person = null) =>
        [.. tokens.All
            .Where(one => (person is null || one.PersonId == person) && changes.MayRevoke(principal, one, table))
            .Select(one => RowOf(one, principal))
            .OrderByDescending(one => one.IsOwn).ThenBy(one => one.Person, StringComparer.OrdinalIgnoreCase).ThenBy(one => one.Id)];

    private TokenRow RowOf(Token one, Principal principal) => new(
        one.Id,
        one.Name,
        people.Snapshot.Find(one.PersonId)?.DisplayName ?? T("somebody who is gone"),
        principal.Person?.Id == one.PersonId,
        one.Role,
        string.Join(", ", one.Networks.Select(network => T("from {0}", network)).Concat(one.Operations)),
        one.LastUsedAt,
        one.ExpiresAt);
}
