using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Gateway.Policy;

/// <summary>What each parameter type accepts. A value that is not accepted is never sent.</summary>
internal static class ParameterTypes
{
    private static readonly SearchValues<char> _separators = SearchValues.Create(@"/\%;?#");

    /// <summary>What a path consists of (RFC 3986 3.3), except ';', which some servers cut at.</summary>
    private static readonly SearchValues<char> _pathCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/%");

    /// <summary>Escapes of '.', '/', '\', '%' and NUL: one server's segment is another one's path.</summary>
    private static readonly string[] _hiding = ["%2e", "%2f", "%5c", "%25", "%00"];

    public static FrozenDictionary<string, ParameterType> ByName { get; } = Enum.GetValues<ParameterType>()
        .Where(one => one is not ParameterType.None)
        .ToFrozenDictionary(one => SnakeCase.From(one.ToString()), StringComparer.Ordinal);

    extension(ParameterType type)
    {
        /// <summary>The value when it is of this type, else null.</summary>
        public string? Read(string? text) => text is not null && type switch
        {
            ParameterType.None => false,
            ParameterType.Id => IsId(text),
            ParameterType.Name => IsName(text),
            ParameterType.KeyPrefix =>
                text.Length is > 0 and <= 64 && text.All(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '_' or '*'),
            ParameterType.Word =>
                text.Length is > 0 and <= 128 && text is not "." and not ".."
                    && text.All(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '_' or '.'),
            ParameterType.Flag => text is "true" or "false",
            ParameterType.Time => IsTime(text),
            ParameterType.Text => text.Length <= 1024 && IsClean(text),
            ParameterType.Etag => text.Length is > 0 and <= 512 && text.All(one => one is >= ' ' and < (char)127),
            ParameterType.PolicyFormat => text is "application/json" or "application/hujson",
            ParameterType.Rest => text.Length <= 2048 && IsRest(text),
        } ? text : null;
    }

    /// <summary>Go reads "0x10", "010" and "1_0" as numbers with other values (strconv.ParseUint, base 0); one spelling is left.</summary>
    public static bool IsId(string text) =>
        text.Length is > 0 and <= 20 && text.All(char.IsAsciiDigit) && (text.Length == 1 || text[0] != '0')
        && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>An RFC 3339 time with an offset, as protojson and encoding/json write it.</summary>
    public static bool IsTime(string text) =>
        text.Length is >= 20 and <= 40 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text.All(char.IsAscii)
        && (text[^1] == 'Z' || text[^6] is '+' or '-')
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    /// <summary>'' or '/…', as every server reads it: no dot segments, no empty ones but the last, no escapes that hide one.</summary>
    private static bool IsRest(string text) =>
        text.Length is 0
        || (text[0] == '/' && !text.AsSpan().ContainsAnyExcept(_pathCharacters) && !_hiding.Any(one =>
                text.Contains(one, StringComparison.OrdinalIgnoreCase))
            && text[1..].Split('/') is var segments && segments.All(one => one is not "." and not "..")
            && !segments.SkipLast(1).Contains(""));

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 255 && text is not "." and not ".." && IsClean(text)
        && !text.AsSpan().ContainsAny(_separators) && text.Trim() == text;

    private static bool IsClean(string text) => text.EnumerateRunes().All(one =>
        one != Rune.ReplacementChar && Rune.GetUnicodeCategory(one) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned));
}
