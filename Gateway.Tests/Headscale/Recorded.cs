using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Headscale;

/// <summary>What real Headscales answered, compared with what the stand-in does.</summary>
internal static partial class Recorded
{
    /// <summary>Names of what may differ in a version: lines of "versions | name | reason"; a name may end with a star.</summary>
    public static string[] ReadDifferences(string folder, int minor) =>
    [
        .. File.ReadLines(Path.Combine(folder, "differences.txt")).Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(parts => parts is [var versions, _, { Length: > 0 }] && versions.Split(' ').Contains($"0.{minor}"))
            .Select(parts => parts[1]),
    ];

    public static bool IsMeant(string listed, string name) =>
        listed.EndsWith('*') ? name.StartsWith(listed[..^1], StringComparison.Ordinal) : listed == name;

    /// <summary>An answer as recorded: names and kinds of all members, and their values.</summary>
    /// <remarks>The words of an error are Headscale's own.</remarks>
    public static bool IsAlike(JsonNode? ours, JsonNode? theirs, bool isError) => (ours, theirs) switch
    {
        (null, null) => true,
        (JsonObject one, JsonObject other) => one.Select(member => member.Key).Order(StringComparer.Ordinal)
            .SequenceEqual(other.Select(member => member.Key).Order(StringComparer.Ordinal))
            && other.All(member => isError && member.Key is "message" or "detail" or "errors" or "error_description"
                || IsAlike(one[member.Key], member.Value, isError)),
        (JsonArray one, JsonArray other) => one.Count == other.Count
            && Sorted(one).Zip(Sorted(other)).All(pair => IsAlike(pair.First, pair.Second, isError)),
        (JsonValue one, JsonValue other) => one.GetValueKind() == other.GetValueKind()
            && (one.GetValueKind() != JsonValueKind.String ? one.ToJsonString() == other.ToJsonString()
                : IsText((string)one!, (string)other!)),
        _ => false,
    };

    /// <summary>Since 0.28 lists come in any order.</summary>
    private static IEnumerable<JsonNode?> Sorted(JsonArray list) =>
        list.OrderBy(one => one is JsonObject item && item["id"] is { } id ? $"{id}" : "", StringComparer.Ordinal);

    private static bool IsText(string ours, string theirs) =>
        Regex.IsMatch(ours, $"^{string.Join(".*", Placeholder().Split(theirs).Select(Regex.Escape))}$", RegexOptions.Singleline);

    /// <summary>What differs from run to run stands in angle brackets.</summary>
    [GeneratedRegex("<[^<>]+>|\\{(?:acc|clid|clsec)\\}")]
    public static partial Regex Placeholder();
}
