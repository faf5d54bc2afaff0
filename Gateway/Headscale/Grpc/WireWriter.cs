using System.Buffers;
using System.Text;

namespace Gateway.Headscale.Grpc;

/// <summary>Writes the fields of one protobuf message. What has the default value is left out, as proto3 has it.</summary>
internal sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _message = new();

    public byte[] ToArray() => _message.WrittenSpan.ToArray();

    public void Number(int field, ulong value)
    {
        if (value != 0)
        {
            Tag(field, WireType.Varint);
            Varint(value);
        }
    }

    public void Flag(int field, bool value) => Number(field, value ? 1UL : 0);

    public void Text(int field, string value)
    {
        if (value.Length > 0)
        {
            Bytes(field, Encoding.UTF8.GetBytes(value));
        }
    }

    /// <summary>A message, or an item of a list: written even when it is empty.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, WireType.Bytes);
        Varint((ulong)value.Length);
        _message.Write(value);
    }

    private void Tag(int field, WireType type) => Varint(((ulong)field << 3) | (uint)type);

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            Put((byte)(value | 0x80));
        }

        Put((byte)value);
    }

    private void Put(byte value)
    {
        _message.GetSpan(1)[0] = value;
        _message.Advance(1);
    }
}
