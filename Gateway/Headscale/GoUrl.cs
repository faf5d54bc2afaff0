using System.Globalization;
using System.Text;
using Gateway.Edge;

namespace Gateway.Headscale;

/// <summary>As much of Go's net/url as Headscale's provider ids go through: parse, change the path, print.</summary>
internal sealed class GoUrl
{
    private static readonly UTF8Encoding _utf8 = new(false, throwOnInvalidBytes: false);

    public required string Scheme { get; init; }

    /// <summary>User, host and port as they were written; null when there was no "//".</summary>
    public string? Authority { get; init; }

    /// <summary>The decoded path.</summary>
    public string Path { get; private set; } = "";

    public string? Query { get; init; }

    public string? Fragment { get; init; }

    private string RawPath { get; set; } = "";

    /// <summary>Null where Go reports an error, and where it finds no scheme.</summary>
    public static GoUrl? ParseWithScheme(string text)
    {
        if (text.Any(one => one is < ' ' or (char)0x7f))
        {
            return null;
        }

        var (beforeFragment, fragment) = Cut(text, '#');
        var colon = beforeFragment.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !char.IsAsciiLetter(beforeFragment[0])
            || !beforeFragment[..colon].All(one => char.IsAsciiLetterOrDigit(one) || one is '+' or '-' or '.'))
        {
            return null;
        }

        var (rest, query) = Cut(beforeFragment[(colon + 1)..], '?');
        string? authority = null;
        if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            var end = rest.IndexOf('/', 2);
            (authority, rest) = end < 0 ? (rest[2..], "") : (rest[2..end], rest[end..]);
        }
        else if (!rest.StartsWith('/'))
        {
            return null;
        }

        var url = new GoUrl
        {
            Scheme = beforeFragment[..colon].ToLowerInvariant(),
            Authority = authority,
            Query = query,
            Fragment = fragment,
        };
        return url.TrySetRawPath(rest) ? url : null;
    }

    /// <summary>URL.setPath: false, and nothing is changed, when an escape is malformed.</summary>
    public bool TrySetRawPath(string raw)
    {
        if (Unescape(raw) is not { } path)
        {
            return false;
        }

        (Path, RawPath) = (path, raw == Escape(path) ? "" : raw);
        return true;
    }

    /// <summary>Replaces the decoded path and keeps the old spelling where it still says the same.</summary>
    public void SetPath(string path) => Path = path;

    /// <summary>URL.EscapedPath.</summary>
    public string EscapedPath => RawPath.Length > 0 && IsValidEncoded(RawPath) && Unescape(RawPath) == Path ? RawPath : Escape(Path);

    /// <summary>URL.String.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Scheme).Append(':');
        if (Authority is not null)
        {
            text.Append("//").Append(Authority);
        }

        var path = EscapedPath;
        if (path.Length > 0 && path[0] != '/' && Authority is { Length: > 0 })
        {
            text.Append('/');
        }

        text.Append(path);
        text.Append(Query is null ? "" : "?" + Query);
        return text.Append(Fragment is null ? "" : "#" + Fragment).ToString();
    }

    private static (string Before, string? After) Cut(string text, char at) =>
        text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var i ? (text[..i], text[(i + 1)..]) : (text, null);

    private static string? Unescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        var utf8 = _utf8.GetBytes(text);
        for (var i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] != '%')
            {
                bytes.Add(utf8[i]);
            }
            else if (i + 2 < utf8.Length
                && byte.TryParse(utf8.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                bytes.Add(octet);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return _utf8.GetString([.. bytes]);
    }

    private static string Escape(string path)
    {
        var text = new StringBuilder(path.Length);
        foreach (var octet in _utf8.GetBytes(path))
        {
            if (ShouldEscape((char)octet))
            {
                text.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
            }
            else
            {
                text.Append((char)octet);
            }
        }

        return text.ToString();
    }

    private static bool ShouldEscape(char one) =>
        !char.IsAsciiLetterOrDigit(one)
            && one is not ('-' or '_' or '.' or '~' or '$' or '&' or '+' or ',' or '/' or ':' or ';' or '=' or '@');

    private static bool IsValidEncoded(string raw) =>
        raw.All(one => one is '!' or '\'' or '(' or ')' or '*' or '[' or ']' or '%' || !ShouldEscape(one));
}
