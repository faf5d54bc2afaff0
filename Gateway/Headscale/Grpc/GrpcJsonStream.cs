using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Headscale.Grpc;

/// <summary>
/// The JSON of an answer, made while it is read: of a list, one part after the other, so that ten thousand nodes are never held
/// as text.
/// </summary>
/// <param name="type">The message that was answered.</param>
/// <param name="message">Its bytes.</param>
/// <param name="version">The version that answered.</param>
internal sealed class GrpcJsonStream(GrpcMessage type, byte[] message, HeadscaleVersion version) : Stream
{
    /// <summary>So much JSON is made in one go, in bytes; an item is never cut.</summary>
    private const int Chunk = 32 * 1024;

    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _made = new();
    private Utf8JsonWriter? _json;
    private int _taken;
    private int _position;
    private bool _isDone;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The bytes are no such message.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (_taken == _made.WrittenCount)
        {
            if (_isDone || buffer.IsEmpty)
            {
                return 0;
            }

            Make();
        }

        var count = Math.Min(buffer.Length, _made.WrittenCount - _taken);
        _made.WrittenSpan.Slice(_taken, count).CopyTo(buffer);
        _taken += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _json?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Makes the next part.</summary>
    private void Make()
    {
        _made.ResetWrittenCount();
        _taken = 0;
        try
        {
            if (type.Fields is [{ IsRepeated: true } list])
            {
                MakeItems(list);
            }
            else
            {
                _json = new Utf8JsonWriter(_made, _plain);
                GrpcJson.Write(_json, type, message, version);
                _isDone = true;
            }

            _json!.Flush();
        }
        catch (WireException e)
        {
            throw new IOException($"Headscale's answer was not understood: {e.Message}", e);
        }
    }

    private void MakeItems(GrpcField list)
    {
        if (_json is null)
        {
            _json = new Utf8JsonWriter(_made, _plain);
            _json.WriteStartObject();
            _json.WriteStartArray(list.JsonName);
        }

        var reader = new WireReader(message.AsSpan(_position));
        var isMore = true;
        while (_json.BytesPending + _made.WrittenCount < Chunk && (isMore = reader.Read()))
        {
            if (reader.Number == list.Number)
            {
                GrpcJson.WriteValue(_json, list, reader, version);
            }
        }

        _position += reader.Position;
        if (!isMore)
        {
            _json.WriteEndArray();
            _json.WriteEndObject();
            _isDone = true;
        }
    }
}
