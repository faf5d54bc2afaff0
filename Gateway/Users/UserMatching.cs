using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Settings;
using static Gateway.Policy.Sentences;

namespace Gateway.Users;

/// <summary>What looking for somebody's Headscale user found.</summary>
/// <param name="User">The one hit; null for none.</param>
/// <param name="Why">Why there is none: what each rule looked for and found, in words; null when there is one.</param>
internal sealed record UserMatch(HeadscaleUser? User, FormattableString? Why);

/// <summary>Finds the Headscale user of someone who has no link yet. One hit or none: never a guess, never somebody else's.</summary>
internal static class UserMatching
{
    /// <summary>The only unclaimed user that matches by provider id, else by e-mail, else by name, as far as the settings allow.</summary>
    public static UserMatch Find(Caller caller, UserSnapshot users, Func<string, bool> isClaimed, GatewaySettings settings)
    {
        var misses = new List<FormattableString>();
        foreach (var rule in RulesFor(caller, users, settings))
        {
            if (rule.WhyOff is { } off)
            {
                misses.Add(off);
                continue;
            }

            // The first rule with a hit decides, even if it decides that there is no telling.
            if (users.Users.Where(rule.Matches!).Take(2).ToArray() is { Length: > 0 } hits)
            {
                return hits is not [var only]
                    ? new(null, Said($"several Headscale users have {rule.What}; which of them is meant, only an administrator can say"))
                    : only.Id.Length == 0 ? new(null, Said($"the Headscale user that has {rule.What} has no id"))
                    : isClaimed(only.Id) ? new(null, Said($"the Headscale user that has {rule.What} is linked to somebody else"))
                    : new(only, null);
            }

            misses.Add(rule.Hint is { } hint
                ? Said($"no Headscale user has {rule.What} ({hint})")
                : Said($"no Headscale user has {rule.What}"));
        }

        return new(
            null,
            misses.Count == 0
                ? Said($"the settings let nothing find a Headscale user; an administrator can link")
                : misses.Aggregate((said, next) => $"{said}; {next}"));
    }

    private static IEnumerable<Rule> RulesFor(Caller caller, UserSnapshot users, GatewaySettings settings)
    {
        var proxy = caller.Source is Source.Proxy ? settings.Server.ProxyAuth : null;
        if (proxy is null || proxy.SubjectHeader is not null)
        {
            yield return ByProviderId(caller, users, settings);
        }

        yield return ByEmail(caller, proxy);
        if (proxy is { MatchUsername: true } && caller.UserName is { Length: > 0 } name)
        {
            yield return new(Said($"the name '{Shown(name)}'"), user => string.Equals(user.Name, name, StringComparison.Ordinal));
        }
    }

    private static Rule ByProviderId(Caller caller, UserSnapshot users, GatewaySettings settings)
    {
        // A subject is one of its own issuer: that of the gateway's provider says nothing of somebody whom a front with another one names.
        var isNamed = caller.Issuer.Length > 0 && settings.Headscale.OidcIssuer == settings.Oidc?.Issuer;
        var ids = ProviderId.Candidates((isNamed ? null : settings.Headscale.OidcIssuer) ?? caller.Issuer, caller.Subject)
            .Union(ProviderId.Candidates(caller.Issuer, caller.Subject)).ToArray();
        if (ids.Length == 0)
        {
            return Rule.Off(Said($"the subject '{Shown(caller.Subject)}' makes no providerId"));
        }

        var other = users.Users.FirstOrDefault(
            one => one.Provider == "oidc" && one.ProviderId?.EndsWith("/" + caller.Subject, StringComparison.Ordinal) is true);
        return new(
            Said($"the providerId '{Shown(ids[0])}'"),
            user => user.Provider == "oidc" && user.ProviderId is { Length: > 0 } id && ids.Contains(id, StringComparer.Ordinal),
            other is null ? null : FromAnotherIssuer(Shown(other.ProviderId![..^(caller.Subject.Length + 1)])));

        static FormattableString FromAnotherIssuer(string issuer) =>
            Said($"one has that subject from another issuer, '{issuer}'; headscale.oidc_issuer can name it");
    }

    private static Rule ByEmail(Caller caller, ProxyAuthSettings? proxy) => caller switch
    {
        { Email: null or "" } =>
            Rule.Off(proxy is { EmailHeader: null }
                ? Said($"server.proxy_auth.email_header is not set")
                : Said($"there is no usable e-mail address")),
        { EmailIsTrusted: false } => Rule.Off(Said($"the address '{Shown(caller.Email)}' does not count: {WhyUntrusted(proxy)}")),
        { Email: var address } => new(
            Said($"the address '{Shown(address)}'"),
            user => user.Email is { Length: > 0 } email && EmailAddress.AreSame(email, address)),
    };

    private static FormattableString WhyUntrusted(ProxyAuthSettings? proxy) => proxy is null
        ? Said($"the provider does not say that it verified it (email_verified), or oidc.match_email is off")
        : Said($"server.proxy_auth.match_email is off");

    private static string Shown(string text) => OutsideText.Clean(text, 100);

    /// <summary>One way of finding somebody.</summary>
    /// <param name="What">What is looked for.</param>
    /// <param name="Matches">Whether a user has it; null when the rule cannot be asked.</param>
    /// <param name="Hint">What else was seen.</param>
    private sealed record Rule(FormattableString What, Func<HeadscaleUser, bool>? Matches, FormattableString? Hint = null)
    {
        /// <summary>Why it cannot be asked.</summary>
        public FormattableString? WhyOff { get; private init; }

        public static Rule Off(FormattableString why) => new($"", null) { WhyOff = why };
    }
}
