using System.Globalization;

namespace Gateway.Headscale.AccessRules;

/// <summary>Protocols and ports as policies write them: <c>*</c>, <c>22</c>, <c>tcp:80,443,8000-8100</c>.</summary>
internal static class PortRange
{
    /// <summary>What a client tries where a rule names no protocol.</summary>
    private static readonly string[] _usual = ["tcp", "udp", "icmp", "ipv6-icmp"];

    /// <summary>Whether what is allowed contains one of the ports that are wanted.</summary>
    /// <param name="allowed">As a rule has it, with its protocol.</param>
    /// <param name="protocol">The protocol that is wanted; empty for the usual ones.</param>
    /// <param name="ports">The ports that are wanted, without a protocol.</param>
    public static bool Covers(string allowed, string protocol, string ports)
    {
        var (of, open) = allowed.Split(':') is [var word, var rest] ? (word, rest) : ("", allowed);
        var isProtocol = of.Length == 0 || (protocol.Length == 0 ? _usual.Contains(of) : of == protocol);
        return isProtocol && RangesOf(ports).Any(wanted => RangesOf(open).Any(one => one.First <= wanted.First && wanted.Last <= one.Last));
    }

    private static IEnumerable<(int First, int Last)> RangesOf(string text)
    {
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (part == "*")
            {
                yield return (0, ushort.MaxValue);
            }
            else if (Number(ends[0]) is { } first && Number(ends[^1]) is { } last)
            {
                yield return (first, last);
            }
        }
    }

    private static int? Number(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
