using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Gateway.Tests.Support;

/// <summary>A client that writes HTTP/2 frames itself, so that it can write what no library would.</summary>
internal sealed class Http2Peer(Stream connection)
{
    private const int LargestFrame = 16_384;

    private static readonly Dictionary<int, string> _names = new()
    {
        [8] = ":status",
        [21] = "age",
        [24] = "cache-control",
        [28] = "content-length",
        [31] = "content-type",
        [33] = "date",
        [46] = "location",
        [53] = "retry-after",
        [54] = "server",
        [55] = "set-cookie",
        [61] = "www-authenticate",
    };

    private static readonly string[] _statuses = ["200", "204", "206", "304", "400", "404", "500"];

    private enum Frame : byte
    {
        Data = 0,
        Headers = 1,
        Reset = 3,
        Settings = 4,
        GoAway = 7,
        Continuation = 9,
    }

    /// <summary>
    /// One request on a connection of its own. Gives the answer as HTTP/1.1 would write it; empty when the stream or the
    /// connection was reset instead.
    /// </summary>
    public async Task<string> SendAsync(
        IReadOnlyList<(string Name, string Value)> headers, string body = "", IReadOnlyList<(string Name, string Value)>? trailers = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await connection.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), patience.Token);
            await WriteAsync(Frame.Settings, 0, 0, [], patience.Token);
            await WriteBlockAsync(headers, isLast: body.Length == 0 && trailers is null, patience.Token);
            foreach (var part in Encoding.Latin1.GetBytes(body).Chunk(LargestFrame))
            {
                await WriteAsync(Frame.Data, 0, 1, part, patience.Token);
            }

            if (trailers is not null)
            {
                await WriteBlockAsync(trailers, isLast: true, patience.Token);
            }
            else if (body.Length > 0)
            {
                await WriteAsync(Frame.Data, 1, 1, [], patience.Token);
            }

            return await ReadAsync(patience.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or EndOfStreamException)
        {
            return "";
        }
    }

    private async Task WriteBlockAsync(IReadOnlyList<(string Name, string Value)> headers, bool isLast, CancellationToken cancel)
    {
        using var block = new MemoryStream();
        foreach (var (name, value) in headers)
        {
            // Literal, not indexed, with its name (RFC 7541 6.2.2), and never Huffman-coded.
            block.WriteByte(0);
            foreach (var text in (string[])[name, value])
            {
                WriteLength(block, text.Length);
                block.Write(Encoding.Latin1.GetBytes(text));
            }
        }

        var parts = block.ToArray().Chunk(LargestFrame).ToArray();
        for (var at = 0; at < parts.Length; at++)
        {
            var flags = (at == parts.Length - 1 ? 4 : 0) | (at == 0 && isLast ? 1 : 0);
            await WriteAsync(at == 0 ? Frame.Headers : Frame.Continuation, flags, 1, parts[at], cancel);
        }
    }

    private static void WriteLength(MemoryStream block, int length)
    {
        if (length < 127)
        {
            block.WriteByte((byte)length);
            return;
        }

        block.WriteByte(127);
        for (length -= 127; length >= 128; length /= 128)
        {
            block.WriteByte((byte)((length % 128) | 128));
        }

        block.WriteByte((byte)length);
    }

    private async Task WriteAsync(Frame type, int flags, int stream, byte[] payload, CancellationToken cancel)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4], frame[8]) = ((byte)type, (byte)flags, (byte)stream);
        payload.CopyTo(frame, 9);
        await connection.WriteAsync(frame, cancel);
    }

    private async Task<string> ReadAsync(CancellationToken cancel)
    {
        var (head, body, frame) = (new List<byte>(), new StringBuilder(), new byte[9]);
        while (true)
        {
            await connection.ReadExactlyAsync(frame, cancel);
            var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(frame) >>> 8];
            await connection.ReadExactlyAsync(payload, cancel);
            var (type, flags) = ((Frame)frame[3], frame[4]);
            switch (type)
            {
                case Frame.Settings when (flags & 1) == 0:
                    await WriteAsync(Frame.Settings, 1, 0, [], cancel);
                    break;
                case Frame.Headers or Frame.Continuation:
                    head.AddRange(payload);
                    break;
                case Frame.Data:
                    body.Append(Encoding.Latin1.GetString(payload));
                    break;
                case Frame.Reset or Frame.GoAway:
                    return head.Count > 0 ? Decode([.. head]) + body : "";
                default:
                    break;
            }

            if (type is Frame.Headers or Frame.Data && (flags & 1) == 1)
            {
                return Decode([.. head]) + body;
            }
        }
    }

    /// <summary>The few forms of RFC 7541 in which Kestrel writes the first answer of a connection.</summary>
    private static string Decode(byte[] block)
    {
        var (at, lines, status) = (0, new StringBuilder(), "0");
        while (at < block.Length)
        {
            if (block[at] >= 128)
            {
                status = _statuses[block[at++] - 128 - 8];
                continue;
            }

            var index = ReadNumber(block, ref at, block[at] >= 64 ? 63 : 15);
            var name = index == 0 ? ReadText(block, ref at) : _names.GetValueOrDefault(index, $"x-{index}");
            var value = ReadText(block, ref at);
            if (name == ":status")
            {
                status = value;
                continue;
            }

            lines.Append(CultureInfo.InvariantCulture, $"{CultureInfo.InvariantCulture.TextInfo.ToTitleCase(name)}: {value}\r\n");
        }

        return $"HTTP/1.1 {status}\r\n{lines}\r\n";
    }

    private static string ReadText(byte[] block, ref int at)
    {
        var length = ReadNumber(block, ref at, 127);
        at += length;
        return Encoding.Latin1.GetString(block, at - length, length);
    }

    private static int ReadNumber(byte[] block, ref int at, int mask)
    {
        var number = block[at++] & mask;
        if (number < mask)
        {
            return number;
        }

        for (var shift = 0; ; shift += 7)
        {
            number += (block[at] & 127) << shift;
            if ((block[at++] & 128) == 0)
            {
                return number;
            }
        }
    }
}
