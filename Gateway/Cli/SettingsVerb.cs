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
        var verb = new Command("settings", "Explain every setting, as Markdown.") { _schema };
        _schema.AcceptOnlyFromAmong("settings", "routes");
        verb.SetAction(parsed => Console.Write(parsed.GetValue(_schema) switch
        {
            "settings" => Text(SettingsSchema.Make()),
            "routes" => Text(RouteSchema.Make(Bodies.Names)),
            _ => SettingDeclarations.Markdown(),
        }));
        return verb;
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
