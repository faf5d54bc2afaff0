using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Settings;

/// <summary>
/// A range of addresses as the networks that make it up. (IPNetwork2's own steps through a wide range of IPv6 one address at a time.)
/// </summary>
internal static class AddressRange
{
    /// <summary>The fewest networks from the first address to the last; null when the range runs backwards or mixes families.</summary>
    public static IReadOnlyList<IPNetwork>? NetworksOf(IPAddress first, IPAddress last)
    {
        var (at, end, bits) = (NumberOf(first), NumberOf(last), first.AddressFamily is AddressFamily.InterNetwork ? 32 : 128);
        if (first.AddressFamily != last.AddressFamily || at > end)
        {
            return null;
        }

        var networks = new List<IPNetwork>();
        while (true)
        {
            // As large as the address is aligned to, and no larger than what is left.
            var size = Math.Min(at == UInt128.Zero ? bits : (int)UInt128.TrailingZeroCount(at), bits);
            while (size > 0 && Last(at, size) > end)
            {
                size--;
            }

            networks.Add(new IPNetwork(AddressOf(at, bits), bits - size));
            if (Last(at, size) == end)
            {
                return networks;
            }

            at = Last(at, size) + UInt128.One;
        }
    }

    private static UInt128 Last(UInt128 first, int size) => first + (size == 128 ? UInt128.MaxValue : (UInt128.One << size) - UInt128.One);

    private static UInt128 NumberOf(IPAddress address)
    {
        var octets = address.GetAddressBytes();
        return octets.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(octets) : BinaryPrimitives.ReadUInt128BigEndian(octets);
    }

    private static IPAddress AddressOf(UInt128 number, int bits)
    {
        var octets = new byte[bits / 8];
        if (bits == 32)
        {
            BinaryPrimitives.WriteUInt32BigEndian(octets, (uint)number);
        }
        else
        {
            BinaryPrimitives.WriteUInt128BigEndian(octets, number);
        }

        return new IPAddress(octets);
    }
}
