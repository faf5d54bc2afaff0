using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Settings;

/// <summary>
/// The JSON schema of <c>headtower.yaml</c>, by which editors complete and check it. Written from <see cref="Reference"/>.
/// </summary>
internal static class SettingsSchema
{
    /// <summary>The schema.</summary>
    public static JsonObject Make()
    {
        var root = NewSection();
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        root["title"] = "headtower.yaml";
        foreach (var setting in Reference.All)
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

    private static JsonObject LeafOf(SettingReference setting)
    {
        var leaf = new JsonObject { ["description"] = setting.Meaning };
        switch (setting.Default.Trim('`'))
        {
            case "true" or "false":
                leaf["type"] = "boolean";
                leaf["default"] = setting.Default == "`true`";
                break;
            case var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number):
                leaf["type"] = "integer";
                leaf["default"] = number;
                break;
            case var text when setting.Default.StartsWith('`') && !text.StartsWith('['):
                leaf["default"] = text;
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
