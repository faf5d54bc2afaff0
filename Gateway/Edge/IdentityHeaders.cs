using System.Collections.Frozen;
using Gateway.Settings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Edge;

/// <summary>
/// Headers that name people or addresses, in every spelling that some server folds together: <c>Remote_User</c>,
/// <c>Remote.User</c> (CVE-2025-64484, GHSA-5m6w-wvh7-57vm). They are taken off each request before anything else reads it.
/// </summary>
internal sealed class IdentityHeaders
{
    private static readonly string[] _families =
    [
        "remote-", "x-remote-", "x-forwarded-", "x-auth-request-", "x-authentik-", "x-webauth-", "x-pomerium-", "x-vouch-", "cf-access-",
        "tailscale-user-", "oidc-", "x-original-", "x-tinyauth-", "ssl-client-", "x-ssl-client-", "x-client-",
    ];

    private static readonly FrozenSet<string> _single = FrozenSet.ToFrozenSet(
    [
        "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "x-envoy-external-address", "x-cluster-client-ip", "x-user",
        "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override",
    ]);

    private readonly Dictionary<string, StringValues> _taken = new(StringComparer.OrdinalIgnoreCase);
    private readonly FrozenSet<string> _nominated;

    private IdentityHeaders(FrozenSet<string> nominated) => _nominated = nominated;

    /// <summary>Whether any header of the configured names, in any spelling, was sent.</summary>
    public bool AnyConfigured { get; private set; }

    /// <summary>Removes every such header from the request and keeps what it said.</summary>
    public static IdentityHeaders TakeFrom(IHeaderDictionary headers, ProxyAuthSettings? settings)
    {
        var taken = new IdentityHeaders(NominatedBy(headers.Connection));
        var configured = settings?.IdentityHeaders.Append(settings.IpHeader).OfType<string>().Select(Fold).ToArray() ?? [];
        List<string>? names = null;
        foreach (var (name, _) in headers)
        {
            var folded = Fold(name);
            var isConfigured = configured.Contains(folded);
            if (isConfigured || _single.Contains(folded) || Array.Exists(_families, family => folded.StartsWith(family, StringComparison.Ordinal)))
            {
                (names ??= []).Add(name);
                taken.AnyConfigured |= isConfigured && folded != Fold(settings?.IpHeader ?? "");
            }
        }

        foreach (var name in names ?? [])
        {
            taken._taken[name] = headers[name];
            headers.Remove(name);
        }

        return taken;
    }

    /// <summary>The lines of one header by its exact name.</summary>
    public StringValues this[string name] => _taken.GetValueOrDefault(name);

    /// <summary>RFC 9110 7.6.1: whether the client asked hops to drop this header, which would make an identity vanish.</summary>
    public bool IsNominated(string name) => _nominated.Contains(Fold(name));

    /// <summary>Case, '_' and '.' do not make a different header.</summary>
    private static string Fold(string name) => string.Create(name.Length, name, (folded, from) =>
    {
        for (var i = 0; i < from.Length; i++)
        {
            folded[i] = from[i] is '_' or '.' ? '-' : char.ToLowerInvariant(from[i]);
        }
    });

    private static FrozenSet<string> NominatedBy(StringValues connection) =>
        connection is [] or ["close"] or ["keep-alive"]
            ? FrozenSet<string>.Empty
            : connection.SelectMany(line => (line ?? "").Split(',')).Select(one => Fold(one.Trim())).ToFrozenSet(StringComparer.Ordinal);
}
