using System.Globalization;
using System.Text;

namespace Gateway.Edge;

/// <summary>Reads a query string in the one way that every server reads it, or not at all.</summary>
internal static class QueryText
{
    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The parameters in order; null with a complaint when two servers could read the text differently.</summary>
    public static IReadOnlyList<(string Name, string Value)>? Parse(string query, out string complaint)
    {
        complaint = "";
        var parameters = new List<(string, string)>();
        if (query.Length == 0)
        {
            return parameters;
        }

        foreach (var pair in query.Split('&'))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (pair, "") : (pair[..equals], pair[(equals + 1)..]);
            if (Decode(name) is not { Length: > 0 } key || Decode(value) is not { } text)
            {
                complaint = "the query is not name=value pairs in valid percent-encoding";
                return null;
            }

            if (parameters.Exists(one => one.Item1 == key))
            {
                complaint = $"the query has '{key}' twice";
                return null;
            }

            parameters.Add((key, text));
        }

        return parameters;
    }

    /// <summary>The canonical text, with its question mark; empty for no parameters.</summary>
    public static string Write(IReadOnlyDictionary<string, string> parameters) => parameters.Count == 0
        ? ""
        : "?" + string.Join(
            '&', parameters.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={Uri.EscapeDataString(one.Value)}"));

    /// <summary>Null for a bad escape, a raw character that needs one, ';' (a separator to some), and bytes that are not UTF-8.</summary>
    private static string? Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var one = text[i];
            if (one == '%')
            {
                if (i + 2 >= text.Length
                    || !byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
                {
                    return null;
                }

                bytes.Add(octet);
                i += 2;
            }
            else if (one is > ' ' and < (char)127
                and not (';' or '"' or '<' or '>' or '\\' or '^' or '`' or '{' or '|' or '}' or '#' or '='))
            {
                bytes.Add(one == '+' ? (byte)' ' : (byte)one);
            }
            else
            {
                return null;
            }
        }

        try
        {
            return _strictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
