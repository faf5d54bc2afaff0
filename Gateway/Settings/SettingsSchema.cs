using System.Text.Json.Nodes;

namespace Gateway.Settings;

/// <summary>
/// The JSON schema of <c>headtower.yaml</c>, by which editors complete and check it. Written from <see cref="SettingDeclarations"/>.
/// </summary>
internal static class SettingsSchema
{
    /// <summary>The schema.</summary>
    public static JsonObject Make()
    {
        var root = NewSection();
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        root["title"] = "headtower.yaml";
        foreach (var setting in SettingDeclarations.All)
        {
            Add(root, setting.Key, LeafOf(setting));
            if (setting.HasFile)
            {
                Add(root, setting.Key + "_path", new JsonObject { ["type"] = "string", ["description"] = $"A file with {setting.Key}." });
            }
        }

        foreach (var unused in KnownSettings.Unused)
        {
            Add(root, unused.Key, new JsonObject { ["description"] = $"Not used: {unused.Why}", ["deprecated"] = true });
        }

        return root;
    }

    private static JsonObject LeafOf(SettingDeclaration setting)
    {
        var leaf = new JsonObject { ["description"] = setting.Meaning };
        switch (setting.Type)
        {
            case SettingType.Flag flag:
                leaf["type"] = "boolean";
                leaf["default"] = flag.Fallback;
                break;
            case SettingType.Number number:
                leaf["type"] = "integer";
                leaf["minimum"] = number.Least;
                leaf["maximum"] = number.Most;
                leaf["default"] = number.Fallback;
                break;
            case SettingType.Word word:
                leaf["enum"] = new JsonArray([.. word.Words.Select(one => (JsonNode)one)]);
                leaf["default"] = word.Words[0];
                break;
            case SettingType.Text { Fallback: { } fallback }:
                leaf["default"] = fallback;
                break;
            case SettingType.Url:
                leaf["type"] = "string";
                leaf["format"] = "uri";
                break;
            case SettingType.Map:
                leaf["type"] = new JsonArray("object", "null");
                break;
        }

        return leaf;
    }

    private static JsonObject NewSection() =>
        new() { ["type"] = new JsonArray("object", "null"), ["additionalProperties"] = false, ["properties"] = new JsonObject() };

    /// <summary>Adds a setting in its section. A setting that is a section to another one is both: then anything may be in it.</summary>
    private static void Add(JsonObject root, string key, JsonObject leaf)
    {
        var at = root;
        var names = key.Split('.');
        foreach (var name in names[..^1])
        {
            var properties = at["properties"]!.AsObject();
            if (properties[name] is not JsonObject section || section["properties"] is null)
            {
                section = NewSection();
                properties[name] = section;
            }

            at = section;
        }

        at["properties"]!.AsObject().TryAdd(names[^1], leaf);
    }
}
