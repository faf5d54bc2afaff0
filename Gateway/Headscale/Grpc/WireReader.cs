namespace Gateway.Headscale.Grpc;

/// <summary>How a value is laid out in a protobuf message.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>Reads the fields of one protobuf message, one after the other (protobuf.dev/programming-guides/encoding).</summary>
internal ref struct WireReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>How far the message was read, in bytes.</summary>
    public int Position { get; private set; }

    /// <summary>The number of the field that was read last.</summary>
    public int Number { get; private set; }

    public WireType Type { get; private set; }

    /// <summary>The value of a varint.</summary>
    public ulong Value { get; private set; }

    /// <summary>The content of a text, a list of bytes or a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Reads the next field. False at the end.</summary>
    /// <exception cref="WireException">The bytes are no protobuf message.</exception>
    public bool Read()
    {
        if (Position == _message.Length)
        {
            return false;
        }

        var tag = ReadVarint();
        (Number, Type) = ((int)Math.Min(tag >> 3, int.MaxValue), (WireType)(tag & 7));
        if (Number == 0)
        {
            throw new WireException("a field has the number 0");
        }

        switch (Type)
        {
            case WireType.Varint:
                Value = ReadVarint();
                break;
            case WireType.Fixed64:
                Bytes = Take(8);
                break;
            case WireType.Bytes:
                Bytes = Take(ReadVarint());
                break;
            case WireType.Fixed32:
                Bytes = Take(4);
                break;
            default:
                throw new WireException("a field has a type that is not in use");
        }

        return true;
    }

    private ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (Position == _message.Length)
            {
                break;
            }

            var next = _message[Position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return shift < 63 || next <= 1 ? value : throw new WireException("a number has more than 64 bits");
            }
        }

        throw new WireException("a number does not end");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - Position))
        {
            throw new WireException("a field is longer than its message");
        }

        var taken = _message.Slice(Position, (int)length);
        Position += (int)length;
        return taken;
    }
}

/// <summary>Bytes that are not the protobuf message that was expected.</summary>
internal sealed class WireException(string message) : Exception(message);
