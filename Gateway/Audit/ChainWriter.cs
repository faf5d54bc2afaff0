using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Audit;

/// <summary>
/// Writes lines one after the other, each with its number and the hash of the one before. The chain goes on only when they were stored.
/// </summary>
internal sealed class ChainWriter : IDisposable
{
    /// <summary>Text stays readable; control characters are escaped, and so a line is one line.</summary>
    private static readonly JsonWriterOptions _format = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly ArrayBufferWriter<byte> _text = new(64 * 1024);
    private readonly Utf8JsonWriter _json;

    /// <param name="chain">Its name.</param>
    public ChainWriter(string chain) => (_json, Head) = (new(_text, _format), new(chain, 0, ChainLine.NoHash));

    /// <summary>Where the chain ends.</summary>
    public AuditHead Head { get; private set; }

    /// <summary>Goes on after a line that is there already.</summary>
    public void TakeUp(AuditHead head) => Head = head;

    /// <summary>Writes lines and has them stored; the chain is longer only when that did not fail.</summary>
    /// <param name="store">Takes all lines, each with its end.</param>
    /// <param name="each">Is told of every line with its number and its text.</param>
    public void Write(
        IEnumerable<ChainLine> lines, Action<ReadOnlyMemory<byte>> store, Action<ChainLine, long, ReadOnlySpan<byte>>? each = null)
    {
        _text.ResetWrittenCount();
        var (number, hash) = (Head.Number, Head.Hash);
        foreach (var line in lines)
        {
            var begin = _text.WrittenCount;
            _json.Reset();
            line.WriteTo(_json, ++number, hash);
            _json.Flush();
            var written = _text.WrittenSpan[begin..];
            hash = ChainLine.HashOf(written);
            each?.Invoke(line, number, written);
            _text.Write("\n"u8);
        }

        store(_text.WrittenMemory);
        Head = Head with { Number = number, Hash = hash };
    }

    public void Dispose() => _json.Dispose();
}
