using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Gateway.Headscale;

/// <summary>
/// Passes a list of Headscale on while it arrives, cut down by an <see cref="ResponseFilter"/>. An item is judged whole, so
/// one item and a buffer are all that is held of it.
/// </summary>
internal sealed class FilteredList(ResponseFilter filter)
{
    /// <summary>What is read and written in one go, in bytes.</summary>
    private const int Chunk = 64 * 1024;

    private const int LargestItem = 4 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _written = new(2 * Chunk);
    private JsonReaderState _state;
    private Place _place;
    private bool _hasItems;

    private enum Place
    {
        Start = 0,
        Object,
        Member,
        Items,
        AfterItems,
        End,
    }

    /// <summary>Reads all of <paramref name="from"/> and writes what is left of it to <paramref name="to"/>.</summary>
    /// <exception cref="JsonException">
    /// The answer is not the expected list. Nothing was written yet, unless so much had been understood that it was sent.
    /// </exception>
    public async Task CopyAsync(Stream from, Stream to, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(2 * Chunk);
        try
        {
            var (held, read) = (0, -1);
            while (read != 0)
            {
                if (held == buffer.Length)
                {
                    buffer = Enlarge(buffer);
                }

                read = await from.ReadAsync(buffer.AsMemory(held), cancel);
                var consumed = Take(buffer.AsSpan(0, held + read), isLast: read == 0);
                held += read - consumed;
                buffer.AsSpan(consumed, held).CopyTo(buffer);
                if (_written.WrittenCount >= Chunk || read == 0)
                {
                    await to.WriteAsync(_written.WrittenMemory, cancel);
                    _written.ResetWrittenCount();
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private byte[] Enlarge(byte[] buffer)
    {
        if (buffer.Length >= LargestItem)
        {
            throw Unexpected();
        }

        var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>Understands as much as has arrived. Gives the number of bytes that are done with.</summary>
    private int Take(ReadOnlySpan<byte> bytes, bool isLast)
    {
        var reader = new Utf8JsonReader(bytes, isLast, _state);
        var done = reader;
        while (reader.Read() && TakeToken(bytes, ref reader))
        {
            done = reader;
        }

        if (isLast && _place is not Place.End)
        {
            throw Unexpected();
        }

        _state = done.CurrentState;
        return (int)done.BytesConsumed;
    }

    /// <summary>False when an item has not arrived completely.</summary>
    private bool TakeToken(ReadOnlySpan<byte> bytes, ref Utf8JsonReader reader)
    {
        switch (_place, reader.TokenType)
        {
            case (Place.Start, JsonTokenType.StartObject):
                _written.Write("{"u8);
                break;
            case (Place.Object, JsonTokenType.PropertyName) when reader.ValueTextEquals(filter.List):
                _written.Write(bytes[(int)reader.TokenStartIndex..(int)reader.BytesConsumed]);
                break;
            case (Place.Member, JsonTokenType.StartArray):
                _written.Write("["u8);
                break;
            case (Place.Items, JsonTokenType.EndArray):
                _written.Write("]"u8);
                break;
            case (Place.Items, _):
                return TakeItem(bytes, ref reader);
            case (Place.AfterItems, JsonTokenType.EndObject):
                _written.Write("}"u8);
                break;
            default:
                throw Unexpected();
        }

        _place++;
        return true;
    }

    private bool TakeItem(ReadOnlySpan<byte> bytes, ref Utf8JsonReader reader)
    {
        if (!ListItem.TryRead(ref reader, filter, out var item))
        {
            return false;
        }

        if (filter.Shows(item))
        {
            _written.Write(_hasItems ? ","u8 : ""u8);
            _hasItems = true;
            if (item.Secret is { } secret && filter.InPlaceOfSecret(item) is { } instead)
            {
                _written.Write(bytes[item.Bytes.Start..secret.Start]);
                _written.Write(Encoding.UTF8.GetBytes(instead));
                _written.Write(bytes[secret.End..item.Bytes.End]);
            }
            else
            {
                _written.Write(bytes[item.Bytes]);
            }
        }

        return true;
    }

    private JsonException Unexpected() => new($"the answer of Headscale does not hold {filter.List}");
}
