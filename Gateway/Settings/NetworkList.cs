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

    /// <summary>Reads a trust list. A whole address family in it needs an explicit word.</summary>
    public static NetworkList? Read(YamlMap map, string key, bool trustEveryone)
    {
        if (map.Texts(key) is not { Count: > 0 } texts)
        {
            return null;
        }

        var networks = new List<IPNetwork>();
        foreach (var text in texts)
        {
            if (AddressText.ParseNetwork(text, out var complaint) is not { } network)
            {
                map.Complain(key, complaint!);
            }
            else if (network.PrefixLength == 0 && !trustEveryone)
            {
                map.Complain(key, $"'{text}' trusts every address there is; name the proxies, or set dangerously_trust_everyone: true");
            }
            else
            {
                networks.Add(network);
            }
        }

        return new NetworkList(networks);
    }
}
