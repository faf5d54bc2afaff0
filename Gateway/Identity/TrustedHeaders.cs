using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>Turns the headers of a trusted proxy into a caller. Trust is a matter of the socket's peer, never of a header.</summary>
internal sealed partial class TrustedHeaders(TimeProvider clock, ILogger<TrustedHeaders> log)
{
    private const int LongestValue = 256;

    private readonly OncePerMinute<IPAddress> _warned = new(clock);

    public Identification Identify(IdentityHeaders headers, Peer peer, ProxyAuthSettings settings)
    {
        if (!headers.AnyConfigured)
        {
            return Identification.Nobody.Instance;
        }

        if (Distrust(headers, peer, settings) is { } cause)
        {
            if (_warned.IsFirst(peer.Address ?? IPAddress.None))
            {
                LogUntrusted(peer.Address, cause);
            }

            return new Identification.Rejected(Reason.SignInRequired, cause);
        }

        return ReadCaller(headers, settings);
    }

    /// <summary>Why this peer may not name anybody; null when it may.</summary>
    private static string? Distrust(IdentityHeaders headers, Peer peer, ProxyAuthSettings settings)
    {
        if (peer.Address is not { } address)
        {
            return "the peer has no address";
        }

        if (settings.TrustedProxyCidrs is { } proxies && !proxies.Contains(address))
        {
            return "the peer is not in trusted_proxy_cidrs";
        }

        if (ForwardedAddress.ClientOf(headers, peer.Address, settings) is not { } client)
        {
            return $"the client address in {settings.IpHeader} is missing, malformed or not from a trusted proxy";
        }

        if (!settings.AllowedCidrs.Contains(client))
        {
            return settings.IpHeader is null ? "the peer is not in allowed_cidrs" : "the client is not in allowed_cidrs";
        }

        return settings is { SharedSecretHeader: { } name, SharedSecret: { } secret } && !(headers[name] is [{ } value] && secret.Matches(value))
            ? "the shared secret is missing or wrong"
            : null;
    }

    private static Identification ReadCaller(IdentityHeaders headers, ProxyAuthSettings settings)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in settings.IdentityHeaders)
        {
            if (headers.IsNominated(name))
            {
                return Reject($"{name} is nominated in Connection");
            }

            if (name == settings.SharedSecretHeader)
            {
                continue;
            }

            var lines = headers[name];
            if (lines.Count > 1 || (lines is [{ } line] && !IsPrintable(line)))
            {
                return Reject($"{name} is not exactly one printable value of at most {LongestValue} characters");
            }

            values[name] = lines is [{ Length: > 0 } value] && !IsPlaceholder(value) ? value : null;
        }

        var user = values[settings.UserHeader];
        var subject = settings.SubjectHeader is { } stable ? values[stable] : user;
        return user is null || subject is null ? Reject($"{(user is null ? settings.UserHeader : settings.SubjectHeader)} is missing or empty") : new Identification.Known(new Caller
        {
            Source = Source.Proxy,
            Issuer = settings.Issuer,
            Subject = subject,
            UserName = user,
            Email = Optional(settings.EmailHeader),
            EmailIsTrusted = settings.MatchEmail,
            Name = Optional(settings.NameHeader),
            Picture = Optional(settings.PictureHeader),
            Groups = Optional(settings.GroupsHeader)?.Split(settings.GroupsSeparator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
        }, null);

        string? Optional(string? name) => name is null ? null : values[name];

        static Identification.Rejected Reject(string detail) => new(Reason.SignInRequired, detail);
    }

    /// <summary>What a proxy writes when it has no value: Apache's "(null)", Caddy's unreplaced placeholder.</summary>
    private static bool IsPlaceholder(string value) => value is "(null)" or ['{', .., '}'];

    /// <summary>Letters of any script, but nothing invisible: no controls, no formatting characters, no blanks other than space.</summary>
    private static bool IsPrintable(string value) =>
        value.Length <= LongestValue && value.EnumerateRunes().All(one => one == new Rune(' ') || (one != Rune.ReplacementChar
            && Rune.GetUnicodeCategory(one) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.SpaceSeparator
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)));

    [LoggerMessage(1, LogLevel.Warning, "Identity headers from {Peer} were ignored: {Cause}")]
    private partial void LogUntrusted(IPAddress? peer, string cause);
}
