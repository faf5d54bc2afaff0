using System.Buffers;
using System.Globalization;
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
    public bool IsCanonical => !Path.AsSpan().ContainsAnyExcept(_unambiguous) && HasPlainSegments(Path.AsSpan(1)) && HasPlainEscapes(Path);

    private static readonly SearchValues<char> _unambiguous = SearchValues.Create(
        [.. Enumerable.Range('!', '~' - '!' + 1).Select(one => (char)one).Except("\\;\"<>^`{|}#")]);

    private static bool HasPlainSegments(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
        {
            if (path[range] is "" or "." or "..")
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasPlainEscapes(ReadOnlySpan<char> path)
    {
        for (var at = path.IndexOf('%'); at >= 0; at = path.IndexOf('%'))
        {
            path = path[(at + 1)..];
            if (path.Length < 2 || !byte.TryParse(path[..2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var escaped)
                || escaped is < 0x20 or (byte)'%' or (byte)'/' or (byte)'\\' or (byte)'.' or (byte)';' or 0x7f)
            {
                return false;
            }
        }

        return true;
    }
}
