using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>The request target as it came over the wire. Everything else that ASP.NET offers is decoded and normalised.</summary>
/// <param name="Path">The path; always starts with '/'.</param>
/// <param name="Query">The query without its question mark; empty when there is none.</param>
internal readonly record struct RawTarget(string Path, string Query)
{
    /// <summary>The target of an origin-form request; null for every other form.</summary>
    public static RawTarget? Of(HttpContext context) => Parse(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);

    public static RawTarget? Parse(string text)
    {
        if (!text.StartsWith('/'))
        {
            return null;
        }

        var mark = text.IndexOf('?', StringComparison.Ordinal);
        return mark < 0 ? new(text, "") : new(text[..mark], text[(mark + 1)..]);
    }

    public override string ToString() => Query.Length == 0 ? Path : $"{Path}?{Query}";

    /// <summary>
    /// Whether every server reads this path alike: no empty or dot segments, no backslash or ';', no escape that hides
    /// one of them or a separator.
    /// </summary>
    public bool IsCanonical =>
        Path.All(one => one is > ' ' and < (char)127 and not ('\\' or ';' or '"' or '<' or '>' or '^' or '`' or '{' or '|' or '}' or '#'))
        && !Path[1..].Split('/').Any(segment => segment is "" or "." or "..")
        && Escapes().All(one => one is >= 0x20 and not ('%' or '/' or '\\' or '.' or ';' or 0x7f));

    private IEnumerable<int> Escapes()
    {
        for (var at = Path.IndexOf('%', StringComparison.Ordinal); at >= 0; at = Path.IndexOf('%', at + 1))
        {
            yield return at + 2 < Path.Length && char.IsAsciiHexDigit(Path[at + 1]) && char.IsAsciiHexDigit(Path[at + 2])
                ? Convert.ToInt32(Path.Substring(at + 1, 2), 16)
                : 0;
        }
    }
}
