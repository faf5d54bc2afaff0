using System.Net;
using Gateway.Settings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Edge;

/// <summary>Finds the client in a forwarded-address header. One malformed element makes the whole header worthless.</summary>
internal static class ForwardedAddress
{
    private const int MostElements = 32;

    /// <summary>The client as the proxy is configured to name it; null when it does not, or may not, or lies.</summary>
    public static IPAddress? ClientOf(IdentityHeaders headers, IPAddress? peer, ProxyAuthSettings settings)
    {
        if (settings.IpHeader is not { } name || peer is null)
        {
            return peer;
        }

        var trusted = settings.IpHeaderProxies;
        return !trusted.Contains(peer) || headers.IsNominated(name) ? null : settings.IpHeaderMode switch
        {
            IpHeaderMode.None => null,
            IpHeaderMode.Rightmost => Rightmost(name, headers[name], trusted),
            IpHeaderMode.First => First(headers[name]),
        };
    }

    /// <summary>
    /// The right-most address that is not a trusted proxy; in a chain made of trusted proxies alone, the first. Null
    /// when the header is absent or malformed.
    /// </summary>
    public static IPAddress? Rightmost(string header, StringValues values, NetworkList trusted)
    {
        IPAddress? client = null;
        var isForwarded = header.Equals("Forwarded", StringComparison.OrdinalIgnoreCase);
        var parts = values.SelectMany(line => (line ?? "").Split(',')).ToArray();
        if (parts.Length > MostElements)
        {
            return null;
        }

        foreach (var part in parts.Reverse())
        {
            var text = part.AsSpan().Trim(" \t");
            if (AddressText.ParseForwarded(isForwarded ? ForOf(text) : text) is not { } address)
            {
                return null;
            }

            // Everything is parsed, so that rubbish left of the client is noticed; the first hit from the right stays.
            if (client is null || trusted.Contains(client))
            {
                client = address;
            }
        }

        return client;
    }

    /// <summary>
    /// The client that the trusted proxies themselves name: read from the right up to the first address that is not one of them.
    /// What stands left of it is the client's own word and is not read. Null when the part that is read is malformed.
    /// </summary>
    public static IPAddress? LastClient(StringValues values, NetworkList trusted)
    {
        IPAddress? client = null;
        foreach (var part in values.SelectMany(line => (line ?? "").Split(',')).Reverse().Take(MostElements))
        {
            if (AddressText.ParseForwarded(part.AsSpan().Trim(" \t")) is not { } address)
            {
                return null;
            }

            client = address;
            if (!trusted.Contains(address))
            {
                return client;
            }
        }

        return client;
    }

    /// <summary>The first element and nothing but a bare address, as Headplane reads it.</summary>
    public static IPAddress? First(StringValues values) =>
        values is [{ } line, ..]
            ? AddressText.Parse(
                line.AsSpan(0, line.IndexOf(',', StringComparison.Ordinal) is >= 0 and var comma ? comma : line.Length).Trim(" \t"))
            : null;

    /// <summary>RFC 7239 4: <c>for=192.0.2.43;proto=https</c>, <c>for="[2001:db8::17]:4711"</c>. Exactly one <c>for</c>.</summary>
    private static ReadOnlySpan<char> ForOf(ReadOnlySpan<char> element)
    {
        ReadOnlySpan<char> found = [];
        foreach (var range in element.Split(';'))
        {
            var pair = element[range].Trim(" \t");
            if (!pair.StartsWith("for=", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (!found.IsEmpty)
            {
                return [];
            }

            found = pair[4..];
        }

        return found is ['"', .. var quoted, '"'] ? quoted : found;
    }
}
