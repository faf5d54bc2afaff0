using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Gateway.Settings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Edge;

/// <summary>
/// Headers that name people or addresses, in every spelling that some server folds together: CGI and PHP turn each character
/// that is neither a letter nor a digit into the same one (<c>Remote_User</c>, <c>Remote.User</c>, <c>Remote~User</c>;
/// CVE-2025-64484, GHSA-5m6w-wvh7-57vm). They are taken off each request before anything else reads it.
/// </summary>
internal sealed class IdentityHeaders
{
    private static readonly string[] _families =
    [
        "remote-", "x-remote-", "x-forwarded-", "x-auth-request-", "x-authentik-", "x-webauth-", "x-pomerium-", "x-vouch-", "cf-access-",
        "tailscale-user-", "oidc-", "x-original-", "x-tinyauth-", "ssl-client-", "x-ssl-client-", "x-client-", "x-goog-", "x-amzn-oidc-",
        "x-ms-client-principal", "x-authenticated-", "x-userinfo", "x-id-token", "x-access-token", "x-forward-auth-",
    ];

    private static readonly string[] _single =
    [
        "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "x-envoy-external-address", "x-cluster-client-ip", "x-user",
        "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override",
    ];

    /// <summary>The configured names, folded once for each configuration.</summary>
    private static readonly ConditionalWeakTable<ProxyAuthSettings, Configured> _configured = [];

    private readonly FrozenSet<string> _nominated;
    private Dictionary<string, StringValues>? _taken;

    private IdentityHeaders(FrozenSet<string> nominated, IReadOnlyList<string> names) => (_nominated, Names) = (nominated, names);

    /// <summary>The configured names of headers that say who somebody is, as they are written in the settings.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether any header of the configured names, in any spelling, was sent.</summary>
    public bool AnyConfigured { get; private set; }

    /// <summary>Removes every such header from the request and keeps what it said.</summary>
    public static IdentityHeaders TakeFrom(IHeaderDictionary headers, ProxyAuthSettings? settings)
    {
        var configured = settings is null ? Configured.Nothing : _configured.GetValue(settings, Configured.Of);
        var taken = new IdentityHeaders(NominatedBy(headers.Connection), configured.Names);
        foreach (var (name, value) in headers)
        {
            var isConfigured = configured.Folded.Any(name);
            if (isConfigured || _single.Any(name) || _families.AnyFamily(name))
            {
                (taken._taken ??= new(StringComparer.OrdinalIgnoreCase))[name] = value;
                taken.AnyConfigured |= isConfigured && !HeaderNames.IsFolded(name, configured.IpHeader);
            }
        }

        foreach (var (name, _) in taken._taken ?? [])
        {
            headers.Remove(name);
        }

        return taken;
    }

    /// <summary>The lines of one header by its exact name.</summary>
    public StringValues this[string name] => _taken?.GetValueOrDefault(name) ?? default;

    /// <summary>RFC 9110 7.6.1: whether the client asked hops to drop this header, which would make an identity vanish.</summary>
    public bool IsNominated(string name) => _nominated.Count > 0 && _nominated.Contains(HeaderNames.Fold(name));

    private static FrozenSet<string> NominatedBy(StringValues connection) =>
        connection is [] or ["close"] or ["keep-alive"] or ["upgrade"] or ["Upgrade"]
            ? FrozenSet<string>.Empty
            : connection.SelectMany(line => (line ?? "").Split(',')).Select(name => HeaderNames.Fold(name.Trim()))
                .ToFrozenSet(StringComparer.Ordinal);

    /// <param name="Names">The names of headers that say who somebody is.</param>
    /// <param name="Folded">The same with the one that names an address, folded.</param>
    /// <param name="IpHeader">The one that names an address, folded; empty for none.</param>
    private sealed record Configured(string[] Names, string[] Folded, string IpHeader)
    {
        public static Configured Nothing { get; } = new([], [], "");

        public static Configured Of(ProxyAuthSettings settings) => new(
            [.. settings.IdentityHeaders],
            [.. settings.IdentityHeaders.Append(settings.IpHeader).OfType<string>().Select(HeaderNames.Fold)],
            HeaderNames.Fold(settings.IpHeader ?? ""));
    }
}
