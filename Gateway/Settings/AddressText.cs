using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Settings;

/// <summary>
/// The only reader of addresses and networks. <see cref="IPAddress.TryParse(string, out IPAddress)"/> also takes
/// <c>127.1</c>, octal, hex and zone ids, and <see cref="IPNetwork"/> takes <c>10/8</c>: the text is checked first.
/// </summary>
internal static class AddressText
{
    private const int LongestAddress = 45;

    private static readonly SearchValues<char> _ipv6 = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>A bare IPv4 or IPv6 literal. IPv4-mapped IPv6 becomes IPv4. Null for anything else.</summary>
    public static IPAddress? Parse(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > LongestAddress)
        {
            return null;
        }

        if (!text.Contains(':'))
        {
            return IsDottedQuad(text) ? IPAddress.Parse(text) : null;
        }

        // Brackets, ports and zone ids stop here: none of their characters is allowed.
        if (text.ContainsAnyExcept(_ipv6) || !IPAddress.TryParse(text, out var address))
        {
            return null;
        }

        var dot = text.IndexOf('.');
        return dot >= 0 && !IsDottedQuad(text[(text[..dot].LastIndexOf(':') + 1)..]) ? null : Unmap(address);
    }

    /// <summary>A forwarded address as proxies write it: bare, <c>1.2.3.4:567</c>, <c>[::1]</c> or <c>[::1]:567</c>.</summary>
    public static IPAddress? ParseForwarded(ReadOnlySpan<char> text)
    {
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            return end > 0 && text[1..end].Contains(':') && (end == text.Length - 1 || (text[end + 1] == ':' && IsPort(text[(end + 2)..])))
                ? Parse(text[1..end])
                : null;
        }

        return text.Count(':') == 1 && IsPort(text[(text.IndexOf(':') + 1)..]) ? Parse(text[..text.IndexOf(':')]) : Parse(text);
    }

    /// <summary>
    /// <c>address/prefix</c>, or an address alone for a single host. Mapped IPv6 becomes IPv4. Null with a complaint
    /// that says what to write when it is neither.
    /// </summary>
    public static IPNetwork? ParseNetwork(string text, out string? complaint)
    {
        complaint = $"'{text}' is not a network; write it as 10.0.0.0/8, fd00::/8 or a single address";
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var written = slash < 0 ? text : text[..slash];
        if (Parse(written) is not { } address)
        {
            return null;
        }

        var bits = address.AddressFamily is AddressFamily.InterNetwork ? 32 : 128;
        var prefix = slash < 0 ? bits : PrefixOf(text.AsSpan(slash + 1));
        if (slash >= 0 && address.AddressFamily is AddressFamily.InterNetwork && written.Contains(':', StringComparison.Ordinal))
        {
            prefix -= 96;
        }

        if (prefix < 0 || prefix > bits)
        {
            return null;
        }

        var network = new IPNetwork(WithoutHostBits(address, prefix), prefix);
        if (!network.BaseAddress.Equals(address))
        {
            complaint = $"'{text}' has bits set behind the prefix; did you mean {network} or {address}/{bits}?";
            return null;
        }

        complaint = null;
        return network;
    }

    /// <summary>IPv4-mapped IPv6 as the IPv4 address that it is, so that both spellings meet the same rules.</summary>
    public static IPAddress Unmap(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsDottedQuad(ReadOnlySpan<char> text)
    {
        var octets = 0;
        foreach (var range in text.Split('.'))
        {
            var octet = text[range];
            if (++octets > 4 || octet.Length is 0 or > 3 || octet.ContainsAnyExceptInRange('0', '9')
                || (octet.Length > 1 && octet[0] == '0')
                || !byte.TryParse(octet, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                return false;
            }
        }

        return octets == 4;
    }

    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= 5 && !text.ContainsAnyExceptInRange('0', '9')
            && ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>-1 when it is not one to three decimal digits without a leading zero.</summary>
    private static int PrefixOf(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= 3 && !text.ContainsAnyExceptInRange('0', '9') && (text.Length == 1 || text[0] != '0')
            ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)
            : -1;

    private static IPAddress WithoutHostBits(IPAddress address, int prefix)
    {
        var octets = address.GetAddressBytes();
        for (var bit = prefix; bit < octets.Length * 8; bit++)
        {
            octets[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPAddress(octets);
    }
}
