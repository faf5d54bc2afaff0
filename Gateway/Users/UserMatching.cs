using System.Text;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>Finds the Headscale user of someone who has no link yet. One hit or none: never a guess, never somebody else's.</summary>
internal static class UserMatching
{
    /// <summary>The only unclaimed user that matches by provider id, else by e-mail, else by name, as far as the settings allow.</summary>
    public static HeadscaleUser? Find(Caller caller, UserSnapshot users, Func<string, bool> isClaimed, GatewaySettings settings)
    {
        var proxy = caller.Source is Source.Proxy ? settings.Server.ProxyAuth : null;
        var isStable = proxy is null || proxy.SubjectHeader is not null;
        var ids = !isStable ? [] : ProviderId.Candidates(settings.Headscale.OidcIssuer ?? caller.Issuer, caller.Subject)
            .Union(ProviderId.Candidates(caller.Issuer, caller.Subject)).ToArray();
        var rules = new (bool IsOn, Func<HeadscaleUser, bool> Matches)[]
        {
            (ids.Length > 0, user => user.Provider == "oidc" && user.ProviderId is { Length: > 0 } id && ids.Contains(id, StringComparer.Ordinal)),
            (caller is { EmailIsTrusted: true, Email.Length: > 0 }, user => user.Email is { Length: > 0 } email && IsSameAddress(email, caller.Email!)),
            (proxy is { MatchUsername: true } && caller.UserName is { Length: > 0 }, user => string.Equals(user.Name, caller.UserName, StringComparison.Ordinal)),
        };
        foreach (var (_, matches) in rules.Where(rule => rule.IsOn))
        {
            // The first rule with a hit decides, even if it decides that there is no telling.
            if (users.Users.Where(matches).Take(2).ToArray() is { Length: > 0 } hits)
            {
                return hits is [var only] && only.Id.Length > 0 && !isClaimed(only.Id) ? only : null;
            }
        }

        return null;
    }

    /// <summary>Folds ASCII only: U+212A must not become a k (CVE-2019-19844).</summary>
    private static bool IsSameAddress(string a, string b)
    {
        var left = a.AsSpan().Trim(' ');
        var right = b.AsSpan().Trim(' ');
        return Ascii.IsValid(left) && Ascii.IsValid(right) ? Ascii.EqualsIgnoreCase(left, right) : left.SequenceEqual(right);
    }
}
