using System.Text.RegularExpressions;

namespace Gateway.Web.PolicyDocument;

/// <summary>HuJSON as it is shown: line by line, each cut into comments, keys, strings and the rest.</summary>
internal static partial class HuJsonView
{
    /// <summary>Lines of pieces; the kind is <c>c</c>, <c>k</c>, <c>s</c>, <c>n</c> or empty.</summary>
    public static IEnumerable<IReadOnlyList<(string Kind, string Text)>> LinesOf(string text)
    {
        var line = new List<(string, string)>();
        foreach (var (kind, piece) in PiecesOf(text.ReplaceLineEndings("\n")))
        {
            var parts = piece.Split('\n');
            for (var i = 0; i < parts.Length; i++)
            {
                if (i > 0)
                {
                    yield return line;
                    line = [];
                }

                if (parts[i].Length > 0)
                {
                    line.Add((kind, parts[i]));
                }
            }
        }

        yield return line;
    }

    private static IEnumerable<(string Kind, string Text)> PiecesOf(string text)
    {
        var at = 0;
        foreach (Match match in Piece().Matches(text))
        {
            if (match.Index > at)
            {
                yield return ("", text[at..match.Index]);
            }

            var kind = match.Value[0] is '/' ? "c" : match.Value[0] is not '"' ? "n" : match.Groups["colon"].Success ? "k" : "s";
            yield return (kind, match.Value);
            at = match.Index + match.Length;
        }

        yield return ("", text[at..]);
    }

    [GeneratedRegex("""//[^\n]*|/\*[\s\S]*?\*/|"(?:[^"\\\n]|\\.)*"(?<colon>(?=\s*:))?|\b(?:true|false|null|-?\d+(?:\.\d+)?)\b""")]
    private static partial Regex Piece();
}
