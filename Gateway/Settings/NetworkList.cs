using System.Net;

namespace Gateway.Settings;

/// <summary>A list of networks that are trusted with something. Empty contains nobody.</summary>
internal sealed class NetworkList(IReadOnlyList<IPNetwork> networks)
{
    public static NetworkList Loopback { get; } = new([new(IPAddress.Loopback, 32), new(IPAddress.IPv6Loopback, 128)]);

    public IReadOnlyList<IPNetwork> Networks => networks;

    public bool Contains(IPAddress address)
    {
        foreach (var network in networks)
        {
            // The family is compared here: IPNetwork.Contains would match a mapped address against an IPv4 network.
            if (network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Reads a trust list: networks, addresses, and ranges such as <c>10.0.0.1-10.0.0.6</c>. A whole address family in it needs an explicit
    /// word.
    /// </summary>
    /// <returns>Null when the list is not there; an empty list names nobody.</returns>
    public static NetworkList? Read(YamlMap map, string key, bool trustEveryone)
    {
        if (map.Texts(key) is not { } texts)
        {
            return null;
        }

        var entries = new List<TrustedEntry>();
        foreach (var text in texts)
        {
            if (Parse(text, out var complaint) is not { } found)
            {
                map.Complain(key, complaint!);
            }
            else
            {
                entries.Add(new TrustedEntry(text, found));
            }
        }

        // Two halves of all addresses are all addresses.
        var networks = NetworkChecks.Collapse(entries.SelectMany(one => one.Networks));
        if (networks.Any(one => one.PrefixLength == 0) && !trustEveryone)
        {
            map.Complain(
                key,
                $"{string.Join(", ", entries.Select(one => $"'{one.Text}'"))} trusts every address there is; name the proxies, or set "
                + $"dangerously_trust_everyone: true");
        }

        NetworkChecks.WarnOfRedundance(map, key, entries);
        return new NetworkList(networks);
    }

    private static IReadOnlyList<IPNetwork>? Parse(string text, out string? complaint)
    {
        if (text.IndexOf('-', StringComparison.Ordinal) is > 0 and var dash)
        {
            var (first, last) = (AddressText.Parse(text.AsSpan(0, dash).Trim(' ')), AddressText.Parse(text.AsSpan(dash + 1).Trim(' ')));
            var range = first is null || last is null ? null : AddressRange.NetworksOf(first, last);
            complaint = range is null
                ? $"'{text}' is not a range; write it as 10.0.0.1-10.0.0.6, from the lower address to the higher"
                : null;
            return range;
        }

        return AddressText.ParseNetwork(text, out complaint) is { } network ? [network] : null;
    }
}
