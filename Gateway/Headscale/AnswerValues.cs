using System.Globalization;
using System.Text.Json;

namespace Gateway.Headscale;

/// <summary>Reads members of Headscale's objects as pages show them: what is missing, or of another kind, is empty.</summary>
internal static class AnswerValues
{
    extension(JsonElement json)
    {
        public string Text(string name) =>
            json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";

        public bool Flag(string name) => json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True;

        public IReadOnlyList<string> Texts(string name) => json.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.String).Select(one => one.GetString()!)]
            : [];

        /// <summary>Null where there is no time; Go's zero time is one.</summary>
        public DateTimeOffset? Time(string name) =>
            DateTimeOffset.TryParse(json.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time
                : null;

        /// <summary>The object of that name.</summary>
        public JsonElement? Thing(string name) =>
            json.TryGetProperty(name, out var one) && one.ValueKind is JsonValueKind.Object ? one : null;
    }
}
