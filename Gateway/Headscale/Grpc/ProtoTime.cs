using System.Globalization;
using System.Text;

namespace Gateway.Headscale.Grpc;

/// <summary>google.protobuf.Timestamp and its text, RFC 3339 with up to nine digits, as protojson writes it.</summary>
internal static class ProtoTime
{
    private const int Seconds = 1;
    private const int Nanos = 2;
    private const int NanosPerSecond = 1_000_000_000;

    /// <summary>The text of a message.</summary>
    /// <exception cref="WireException">It is no time between the years 1 and 9999.</exception>
    public static string Read(ReadOnlySpan<byte> message)
    {
        var (seconds, nanos) = (0L, 0L);
        var reader = new WireReader(message);
        while (reader.Read())
        {
            (seconds, nanos) = (reader.Number, reader.Type) switch
            {
                (Seconds, WireType.Varint) => ((long)reader.Value, nanos),
                (Nanos, WireType.Varint) => (seconds, (long)reader.Value),
                _ => (seconds, nanos),
            };
        }

        if (nanos is < 0 or >= NanosPerSecond
            || seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
        {
            throw new WireException("a time is not between the years 1 and 9999");
        }

        var text = new StringBuilder(30)
            .Append(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss}");
        if (nanos > 0)
        {
            // Three, six or nine digits.
            var digits = nanos.ToString("D9", CultureInfo.InvariantCulture);
            var length = digits.EndsWith("000000", StringComparison.Ordinal) ? 3 : digits.EndsWith("000", StringComparison.Ordinal) ? 6 : 9;
            text.Append('.').Append(digits, 0, length);
        }

        return text.Append('Z').ToString();
    }

    /// <summary>The message of a text that <see cref="Policy.ParameterTypes.IsTime"/> takes.</summary>
    /// <exception cref="WireException">It is no time.</exception>
    public static byte[] Write(string text)
    {
        // .NET's ticks are 100 ns, and what is finer is rounded: the fraction is read from the text.
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var fraction = dot < 0 ? "" : string.Concat(text.Skip(dot + 1).TakeWhile(char.IsAsciiDigit));
        var whole = fraction.Length == 0 ? text : text.Remove(dot, fraction.Length + 1);
        if (fraction.Length > 9 || !DateTimeOffset.TryParse(whole, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            throw new WireException("a text is no time");
        }

        var nanos = long.Parse(fraction.PadRight(9, '0').AsSpan(0, 9), NumberStyles.None, CultureInfo.InvariantCulture);
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        var seconds = (ticks / TimeSpan.TicksPerSecond) - (ticks % TimeSpan.TicksPerSecond < 0 ? 1 : 0);
        var message = new WireWriter();
        message.Number(Seconds, (ulong)seconds);
        message.Number(Nanos, (ulong)nanos);
        return message.ToArray();
    }
}
