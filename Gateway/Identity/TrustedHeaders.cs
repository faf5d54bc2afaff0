using System.Net;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>Turns the headers of a trusted proxy into a caller. Trust is a matter of the socket's peer, never of a header.</summary>
internal sealed partial class TrustedHeaders(TimeProvider clock, ILogger<TrustedHeaders> log)
{
    private const int LongestName = 256;
    private const int LongestText = 1024;

    private readonly LogThrottle<(IPAddress, string Header)> _warned = new(clock);

    public Credential Identify(IdentityHeaders headers, Peer peer, ProxyAuthSettings settings)
    {
        if (!headers.AnyConfigured)
        {
            return Credential.None.Instance;
        }

        if (Distrust(headers, peer, settings) is { } cause)
        {
            if (_warned.IsFirst((peer.Address ?? IPAddress.None, "")))
            {
                LogUntrusted(peer.Address, cause);
            }

            return new Credential.Rejected(Reason.SignInRequired, cause);
        }

        return ReadCaller(headers, peer, settings);
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
            return settings.IpHeader is null
                ? "the peer is not in allowed_cidrs"
                : $"the client, {client} by {settings.IpHeader}, is not in allowed_cidrs";
        }

        return settings is { SharedSecretHeader: { } name, SharedSecret: { } secret }
            && !(headers[name] is [{ } value] && secret.Matches(value))
            ? "the shared secret is missing or wrong"
            : null;
    }

    private Credential ReadCaller(IdentityHeaders headers, Peer peer, ProxyAuthSettings settings)
    {
        for (var at = 0; at < headers.Names.Count; at++)
        {
            var name = headers.Names[at];
            if (headers.IsNominated(name))
            {
                return Reject(peer, settings, $"{name} is nominated in Connection", isSent: true);
            }

            // Two values: one of them is the client's.
            if (headers[name].Count > 1)
            {
                return Reject(peer, settings, $"{name} was sent more than once", isSent: true);
            }
        }

        var (user, userComplaint) = Read(headers, settings.UserHeader, LongestName);
        var (subject, subjectComplaint) = settings.SubjectHeader is { } stable ? Read(headers, stable, LongestName) : (user, userComplaint);
        if (user is null || subject is null)
        {
            var (name, complaint) = user is null ? (settings.UserHeader, userComplaint) : (settings.SubjectHeader!, subjectComplaint);
            return Reject(peer, settings, $"{name} {complaint}", isSent: headers[name].ToString().Length > 0);
        }

        return new Credential.ProxyIdentity(new Caller
        {
            Source = Source.Proxy,
            Issuer = settings.Issuer,
            Subject = subject,
            UserName = user,
            Email = ReadOptional(headers, peer, settings.EmailHeader, LongestName) is { } email && EmailAddress.IsUsable(email)
                ? email
                : null,
            EmailIsTrusted = settings.MatchEmail,
            Name = ReadOptional(headers, peer, settings.NameHeader, LongestText),
            Picture = ReadOptional(headers, peer, settings.PictureHeader, LongestText),
            Groups = ReadGroups(headers, peer, settings),
        }, null);
    }

    private Credential.Rejected Reject(Peer peer, ProxyAuthSettings settings, string detail, bool isSent)
    {
        Warn(peer, settings.UserHeader, $"nobody was signed in: {detail}");
        return new(Reason.SignInRequired, detail) { CountsBesideSession = isSent };
    }

    /// <summary>What does not name the person is left out when it cannot be used; the person stays signed in.</summary>
    private string? ReadOptional(IdentityHeaders headers, Peer peer, string? name, int longest)
    {
        if (name is null)
        {
            return null;
        }

        var (value, complaint) = Read(headers, name, longest);
        if (value is null && headers[name].Count > 0 && !IsPlaceholder(headers[name].ToString()))
        {
            Warn(peer, name, $"{name} was left out: it {complaint}");
        }

        return value;
    }

    /// <summary>Groups that cannot be read are no groups, and are said to be that.</summary>
    private GroupStatement ReadGroups(IdentityHeaders headers, Peer peer, ProxyAuthSettings settings) =>
        settings.GroupsHeader is not { } name ? GroupStatement.None
        : ReadOptional(headers, peer, name, int.MaxValue) is { } value ? Split(name, value, settings.GroupsSeparator)
        : headers[name].Count > 0 && Read(headers, name, int.MaxValue).Complaint is { } complaint
            && !IsPlaceholder(headers[name].ToString())
            ? new($"header {name}", GroupForm.Unreadable, [], $"a text that {complaint}")
        : new($"header {name}", GroupForm.Absent, []);

    /// <summary>One value that can be used; else what is wrong with it.</summary>
    private static (string? Value, string? Complaint) Read(IdentityHeaders headers, string name, int longest) =>
        headers[name] switch
        {
            { Count: 0 } => (null, "is missing"),
            [{ Length: > 0 } line] when !IsPlaceholder(line) =>
                OutsideText.Complaint(line, longest) is { } complaint ? (null, complaint) : (line, null),
            _ => (null, "is empty"),
        };

    private void Warn(Peer peer, string header, string cause)
    {
        if (_warned.IsFirst((peer.Address ?? IPAddress.None, header)))
        {
            LogUnusable(peer.Address, cause);
        }
    }

    /// <summary>What a proxy writes when it has no value: Apache's "(null)", Caddy's unreplaced placeholder.</summary>
    private static bool IsPlaceholder(string value) => value is "(null)" or ['{', .., '}'];

    /// <summary>A list as headers write it: the separator, with blanks around it that mean nothing (RFC 9110 5.6.1).</summary>
    private static GroupStatement Split(string header, string value, string separator) =>
        new(
            $"header {header}", GroupForm.List,
            [.. value.Split(separator).Select(one => one.Trim(' ', '\t')).Where(one => one.Length > 0)]);

    [LoggerMessage(1, LogLevel.Warning, "Identity headers from {Peer} were ignored: {Cause}")]
    private partial void LogUntrusted(IPAddress? peer, string cause);

    [LoggerMessage(2, LogLevel.Warning, "Identity headers from the trusted {Peer}: {Cause}")]
    private partial void LogUnusable(IPAddress? peer, string cause);
}
