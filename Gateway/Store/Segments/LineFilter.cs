using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using Gateway.Audit;

namespace Gateway.Store.Segments;

/// <summary>
/// Tells by a line's bytes whether it can be meant: a million lines are looked at in the time that parsing a few thousand takes.
/// </summary>
internal sealed class LineFilter
{
    private readonly AuditSearch _search;
    private readonly byte[]? _actor;
    private readonly byte[]? _row;
    private readonly byte[]? _device;
    private readonly SearchValues<string>? _text;

    public LineFilter(AuditSearch search)
    {
        _search = search;
        _actor = search.Actor is null ? null : Member("actor", search.Actor);
        _row = search.Row is null ? null : Member("row", search.Row);
        _device = search.Device is null ? null : Encoding.UTF8.GetBytes($"/{search.Device}");
        _text = search.Text.Length == 0 ? null : SearchValues.Create([Encode(search.Text)], StringComparison.OrdinalIgnoreCase);
    }

    /// <param name="later">What was said of entries that are still to be met; null when that is not known.</param>
    public bool MayMatch(ReadOnlySpan<byte> line, LaterLines? later = null) => TypeOf(line) switch
    {
        Kind.Update => true,
        Kind.Read => !_search.ChangesOnly && !_search.RefusedOnly && Holds(line),

        // How a call ended may make a refusal of what was let through.
        Kind.Change => later is null or { Suspects: > 0 } || Holds(line),
        Kind.Refusal => !_search.ChangesOnly && Holds(line),
        _ => false,
    };

    public static bool IsEntry(ReadOnlySpan<byte> line) => TypeOf(line) is Kind.Read or Kind.Change or Kind.Refusal;

    private bool Holds(ReadOnlySpan<byte> line) =>
        (_actor is null || line.IndexOf(_actor) >= 0) && (_row is null || line.IndexOf(_row) >= 0)
            && (_device is null || line.IndexOf(_device) >= 0) && (_text is null || HoldsText(line));

    private bool HoldsText(ReadOnlySpan<byte> line)
    {
        var chars = ArrayPool<char>.Shared.Rent(line.Length);
        try
        {
            return chars.AsSpan(0, Encoding.UTF8.GetChars(line, chars)).ContainsAny(_text!);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(chars);
        }
    }

    /// <summary>By the first letter of the second member: <c>{"n":17,"t":"read",…</c>.</summary>
    private static Kind TypeOf(ReadOnlySpan<byte> line)
    {
        var comma = line.IndexOf((byte)',');
        return comma < 0 || !line[comma..].StartsWith(",\"t\":\""u8) ? Kind.None : line[(comma + 6)..] switch
        {
            [(byte)'r', (byte)'e', (byte)'a', ..] => Kind.Read,
            [(byte)'r', (byte)'e', (byte)'f', ..] => Kind.Refusal,
            [(byte)'c', (byte)'h', ..] => Kind.Change,
            [(byte)'o', ..] or [(byte)'c', (byte)'o', ..] => Kind.Update,
            _ => Kind.None,
        };
    }

    private static byte[] Member(string name, string value) => Encoding.UTF8.GetBytes($"\"{name}\":\"{Encode(value)}\"");

    private static string Encode(string text) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text);

    private enum Kind
    {
        None = 0,
        Read,
        Change,
        Refusal,
        Update,
    }
}
