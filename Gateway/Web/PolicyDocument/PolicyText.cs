using System.Text;
using System.Text.Json;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.PolicyDocument;

/// <summary>The text of a policy: HuJSON, which is JSON with comments and last commas.</summary>
internal static class PolicyText
{
    private static readonly JsonReaderOptions _huJson = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Where it cannot be read and why, with the line; null where it can be.</summary>
    public static string? ComplaintAbout(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        try
        {
            var reader = new Utf8JsonReader(utf8, _huJson);
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject)
            {
                return T("Line 1: a policy begins with {");
            }

            while (reader.Read())
            {
                // Reading it to its end is all.
            }

            return null;
        }
        catch (JsonException e)
        {
            var (line, at) = ((int)(e.LineNumber ?? 0), (int)(e.BytePositionInLine ?? 0));
            var words = text.Split('\n').ElementAtOrDefault(line) ?? "";
            var before = Encoding.UTF8.GetBytes(words).AsSpan();
            var column = Encoding.UTF8.GetString(before[..Math.Min(at, before.Length)]).Length + 1;
            return T("Line {0}, column {1}: {2} The line is: {3}", line + 1, column, Cause(e.Message), words.Trim());
        }
    }

    /// <summary>The sentence without what only programmers know: path, position, .NET's advice.</summary>
    private static string Cause(string message)
    {
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal) is > 0 and var path ? path
            : message.IndexOf(" LineNumber: ", StringComparison.Ordinal) is > 0 and var line ? line : message.Length;
        return message[..end];
    }
}
