using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Gateway.Settings;

/// <summary>A value of a configuration with the place it came from, whether that is a file or the environment.</summary>
internal abstract record YamlValue(string Where)
{
    internal sealed record Scalar(string? Text, string Where, bool FromEnvironment) : YamlValue(Where);

    internal sealed record Sequence(IReadOnlyList<YamlValue> Items, string Where) : YamlValue(Where);

    internal sealed record Mapping(
        IDictionary<string, YamlValue> Members, IDictionary<string, string> KeyPlaces, string Where) : YamlValue(Where)
    {
        public static Mapping Empty(string where) =>
            new(new Dictionary<string, YamlValue>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal), where);
    }
}

/// <summary>The only place that knows YAML: text in, a tree with positions out.</summary>
internal static class YamlTree
{
    /// <summary>
    /// Parses one document. Complaints about the text itself end up in <paramref name="problems"/> and give an empty tree.
    /// </summary>
    public static YamlValue.Mapping Parse(string text, string file, Problems problems)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StringReader(text);
            stream.Load(reader);
        }
        catch (YamlException e)
        {
            problems.Add(At(file, e.Start), $"this is not valid YAML: {Cause(e)}");
            return YamlValue.Mapping.Empty(file);
        }
        catch (InvalidOperationException)
        {
            // YamlDotNet 16.3 loses the position of a flow sequence that is never closed.
            problems.Add(file, "this is not valid YAML: a '[' or '{' is not closed");
            return YamlValue.Mapping.Empty(file);
        }

        switch (stream.Documents)
        {
            case []:
                problems.Add(file, "the file is empty");
                return YamlValue.Mapping.Empty(file);
            case [{ RootNode: YamlMappingNode root }]:
                return Convert(root, file, problems, []) as YamlValue.Mapping ?? YamlValue.Mapping.Empty(file);
            case [var only]:
                problems.Add(At(file, only.RootNode.Start), "the file must hold 'key: value' lines");
                return YamlValue.Mapping.Empty(file);
            default:
                problems.Add(
                    At(file, stream.Documents[1].RootNode.Start),
                    "the file holds a second document; everything after '---' would be ignored");
                return YamlValue.Mapping.Empty(file);
        }
    }

    private static YamlValue Convert(YamlNode node, string file, Problems problems, List<YamlNode> above)
    {
        var where = At(file, node.Start);
        if (above.Count > 32 || above.Contains(node))
        {
            problems.Add(where, "this is nested too deeply");
            return new YamlValue.Scalar(null, where, FromEnvironment: false);
        }

        above.Add(node);
        YamlValue value = node switch
        {
            YamlScalarNode scalar => new YamlValue.Scalar(IsNull(scalar) ? null : scalar.Value, where, FromEnvironment: false),
            YamlSequenceNode list => new YamlValue.Sequence([.. list.Children.Select(one => Convert(one, file, problems, above))], where),
            YamlMappingNode map => ConvertMap(map, file, problems, above),
            _ => new YamlValue.Scalar(null, where, FromEnvironment: false),
        };
        above.RemoveAt(above.Count - 1);
        return value;
    }

    private static YamlValue.Mapping ConvertMap(YamlMappingNode map, string file, Problems problems, List<YamlNode> above)
    {
        var result = YamlValue.Mapping.Empty(At(file, map.Start));
        foreach (var (key, value) in map.Children)
        {
            if (key is YamlScalarNode { Value: { Length: > 0 } name })
            {
                result.Members[name] = Convert(value, file, problems, above);
                result.KeyPlaces[name] = At(file, key.Start);
            }
            else
            {
                problems.Add(At(file, key.Start), "a key must be a plain word");
            }
        }

        return result;
    }

    private static bool IsNull(YamlScalarNode scalar) =>
        scalar is { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" };

    private static string At(string file, Mark mark) => $"{file}:{mark.Line}:{mark.Column}";

    private static string Cause(YamlException e) => (e.InnerException ?? e).Message.Split('\n')[0];
}
