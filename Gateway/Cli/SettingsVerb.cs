using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Loading;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary><c>gateway settings</c>: every setting with its default and its meaning, or the schema of a file.</summary>
internal static class SettingsVerb
{
    private static readonly Argument<string?> _key = new("KEY")
    {
        Description = "one setting, such as server.base_url, or a section",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> _schema = new("--schema")
    {
        Description = "print the JSON schema of a file instead: settings or routes",
    };

    private static readonly JsonWriterOptions _readable = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    public static Command Create()
    {
        var verb = new Command("settings", "Explain every setting, as Markdown, or one of them.") { _key, _schema };
        _schema.AcceptOnlyFromAmong("settings", "routes");
        verb.SetAction(parsed =>
        {
            if (parsed.GetValue(_key) is { } key)
            {
                return Explain(key);
            }

            Console.Write(parsed.GetValue(_schema) switch
            {
                "settings" => Text(SettingsSchema.Make()),
                "routes" => Text(RouteSchema.Make(Bodies.Names)),
                _ => SettingDeclarations.Markdown(),
            });
            return Output.Fine;
        });
        return verb;
    }

    /// <summary>Says of a setting, or of each in a section, what it means, its default, and its name in the environment.</summary>
    private static int Explain(string key)
    {
        var meant = SettingDeclarations.All
            .Where(one => one.Key == key || one.Key.StartsWith($"{key}.", StringComparison.Ordinal)).ToArray();
        if (meant.Length == 0)
        {
            return Output.Fail($"there is no such setting{Problems.Suggest(key, SettingDeclarations.All.Select(one => one.Key))}");
        }

        foreach (var one in meant)
        {
            Console.WriteLine($"{one.Key} (default: {one.Type.Unset.Replace("`", "", StringComparison.Ordinal)})");
            Console.WriteLine($"  {one.Meaning.Replace("`", "", StringComparison.Ordinal)}");
            Console.WriteLine($"  HEADTOWER_{one.Key.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant()}"
                + (one.HasFile ? $", or a file: {one.Key}_path" : ""));
        }

        return Output.Fine;
    }

    /// <summary>A schema as it is kept in a file.</summary>
    public static string Text(JsonObject schema)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, _readable))
        {
            schema.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
