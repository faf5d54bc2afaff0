using System.Net;

namespace Gateway.Settings;

/// <summary>An entry of a trust list.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Networks">What it covers.</param>
internal sealed record TrustedEntry(string Text, IReadOnlyList<IPNetwork> Networks);

/// <summary>
/// Trust lists in the fewest networks, and what about them is worth a word, by IPNetwork2. It is given networks that <see
/// cref="AddressText"/> has read, and
/// never text; it mixes address families (<c>10.0.0.0/8</c> "contains" <c>::a00:0/104</c>), so each is asked about alone.
/// </summary>
internal static class NetworkChecks
{
    /// <summary>The same addresses in the fewest networks.</summary>
    public static IReadOnlyList<IPNetwork> Collapse(IEnumerable<IPNetwork> networks) =>
    [
        .. networks.GroupBy(one => one.BaseAddress.AddressFamily).OrderBy(family => family.Key)
            .SelectMany(family => IPNetwork2.Supernet([.. family.Select(Of)]).Order().Select(Back)),
    ];

    /// <summary>Warns of entries that lie inside others, and shows the list as it comes out.</summary>
    public static void WarnOfRedundance(YamlMap map, string key, IReadOnlyList<TrustedEntry> entries)
    {
        var needless = entries.Where((one, at) => entries.Where((_, other) => other != at).Any(other => other.Networks.Count == 1
            && (other.Networks[0] != one.Networks[0] || entries.Take(at).Contains(other))
                && one.Networks.All(network => Covers(other.Networks[0], network)))).ToArray();
        if (needless.Length > 0)
        {
            map.Warn(
                key,
                $"{string.Join(", ", needless.Select(one => $"'{one.Text}'"))} lies inside another entry; in fewer words: "
                + $"[{string.Join(", ", Collapse(entries.SelectMany(one => one.Networks)))}]");
        }
    }

    /// <summary>Warns where an address would count both as a proxy's and as a client's.</summary>
    /// <param name="map">The section of both lists.</param>
    /// <param name="clients">Who may be signed in.</param>
    /// <param name="proxies">Who may name them.</param>
    public static void WarnOfOverlap(YamlMap map, NetworkList clients, NetworkList proxies)
    {
        var shared = clients.Networks.SelectMany(
            client => proxies.Networks.Where(proxy => Overlaps(client, proxy)).Select(proxy => Covers(client, proxy) ? proxy : client))
            .Distinct().ToArray();
        if (shared.Length > 0)
        {
            map.Warn("trusted_proxy_cidrs", clients.Networks.All(client => proxies.Networks.Any(proxy => Covers(proxy, client)))
                ? "these networks cover all of allowed_cidrs: every client would count as a proxy, which may say anything; name the "
                    + "proxies alone"
                : $"{string.Join(", ", shared)} is in allowed_cidrs as well: who sits there counts as a proxy and as a client");
        }
    }

    private static bool Covers(IPNetwork outer, IPNetwork inner) => AreOfOneFamily(outer, inner) && Of(outer).Contains(Of(inner));

    private static bool Overlaps(IPNetwork one, IPNetwork other) => AreOfOneFamily(one, other) && Of(one).Overlap(Of(other));

    private static bool AreOfOneFamily(IPNetwork one, IPNetwork other) => one.BaseAddress.AddressFamily == other.BaseAddress.AddressFamily;

    private static IPNetwork2 Of(IPNetwork network) => new(network.BaseAddress, (byte)network.PrefixLength);

    private static IPNetwork Back(IPNetwork2 network) => new(network.Network, network.Cidr);
}
