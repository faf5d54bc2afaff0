using System.Collections.Frozen;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>
/// Reads a request body strictly and writes it anew. Headscale's own parsers fold case, take snake case and let the last
/// duplicate win, each version differently; what is written here has one reading in all of them.
/// </summary>
internal static class BodyText
{
    private const int Depth = 4;

    /// <summary>The body is no part of a page; a policy document full of quotes would grow sixfold.</summary>
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The members of a body; null with a complaint that holds nothing of the body but its member names.</summary>
    public static FrozenDictionary<string, Argument>? Parse(ReadOnlySpan<byte> utf8, BodyModel model, HeadscaleVersion version, out string complaint)
    {
        complaint = "";
        if (utf8.IsEmpty && model.Optional)
        {
            return FrozenDictionary<string, Argument>.Empty;
        }

        var members = new Dictionary<string, Argument>(StringComparer.Ordinal);
        try
        {
            if (!Utf8.IsValid(utf8) || !Read(utf8, model, version, members, ref complaint))
            {
                complaint = complaint.Length > 0 ? complaint : "the body is not valid UTF-8";
                return null;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped lone surrogate, which no string can hold.
            complaint = "the body is not a valid JSON object";
            return null;
        }

        foreach (var field in model.Fields.Where(one => one.Required && one.IsIn(version)))
        {
            if (!members.TryGetValue(field.Name, out var value) || value.Text is "")
            {
                complaint = field.Name == "expiration"
                    ? "'expiration' is missing: Headscale would store a key that has already expired; send a time such as 2030-01-01T00:00:00Z"
                    : $"'{field.Name}' is missing";
                return null;
            }
        }

        return members.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The canonical body: known members in the model's order.</summary>
    public static byte[] Write(IReadOnlyDictionary<string, Argument> members, BodyModel model)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, _plain))
        {
            writer.WriteStartObject();
            foreach (var field in model.Fields)
            {
                if (members.TryGetValue(field.Name, out var value))
                {
                    Write(writer, field.Name, value);
                }
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, string name, Argument value)
    {
        if (value.Text is { } text)
        {
            writer.WriteString(name, text);
        }
        else if (value.Flag is { } flag)
        {
            writer.WriteBoolean(name, flag);
        }
        else
        {
            writer.WriteStartArray(name);
            foreach (var item in value.List ?? [])
            {
                writer.WriteStringValue(item);
            }

            writer.WriteEndArray();
        }
    }

    private static bool Read(
        ReadOnlySpan<byte> utf8, BodyModel model, HeadscaleVersion version, Dictionary<string, Argument> members, ref string complaint)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = Depth });
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject)
        {
            complaint = "the body is not a JSON object";
            return false;
        }

        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            // An escape inside a name is only ever there to get past a filter.
            var name = reader.ValueIsEscaped ? "" : reader.GetString()!;
            if (model.Fields.FirstOrDefault(one => one.Name == name && one.IsIn(version)) is not { } field)
            {
                complaint = $"the body has a member that Headscale {version} does not know here; it takes {Known(model, version)}";
                return false;
            }

            if (!reader.Read() || ReadValue(ref reader, field) is not { } value)
            {
                complaint = $"'{name}' must be {Describe(field.Type)}";
                return false;
            }

            if (!members.TryAdd(name, value))
            {
                complaint = $"the body has '{name}' twice";
                return false;
            }
        }

        // A read past the end also proves that nothing follows the object.
        return !reader.Read();
    }

    private static Argument? ReadValue(ref Utf8JsonReader reader, Field field)
    {
        switch (field.Type, reader.TokenType)
        {
            case (FieldType.Text, JsonTokenType.String):
                return new(reader.GetString(), null, null);
            case (FieldType.Time, JsonTokenType.String) when ParameterTypes.IsTime(reader.GetString()!):
                return new(reader.GetString(), null, null);
            case (FieldType.Id, JsonTokenType.String) when ParameterTypes.IsId(reader.GetString()!):
                return new(reader.GetString(), null, null);
            case (FieldType.Id, JsonTokenType.Number) when reader.TryGetUInt64(out var number) && ParameterTypes.IsId(System.Text.Encoding.ASCII.GetString(reader.ValueSpan)):
                return new(number.ToString(CultureInfo.InvariantCulture), null, null);
            case (FieldType.Flag, JsonTokenType.True or JsonTokenType.False):
                return new(null, reader.GetBoolean(), null);
            case (FieldType.List, JsonTokenType.StartArray):
                var items = new List<string>();
                while (reader.Read() && reader.TokenType is JsonTokenType.String)
                {
                    items.Add(reader.GetString()!);
                }

                return reader.TokenType is JsonTokenType.EndArray ? new(null, null, items) : null;
            default:
                return null;
        }
    }

    private static string Known(BodyModel model, HeadscaleVersion version) =>
        model.Fields.Where(one => one.IsIn(version)).Select(one => one.Name).ToArray() is { Length: > 0 } names ? string.Join(", ", names) : "no body";

    private static string Describe(FieldType type) => type switch
    {
        FieldType.None => "absent",
        FieldType.Text => "a string",
        FieldType.Id => "an id: a decimal number, as a string",
        FieldType.Flag => "true or false",
        FieldType.Time => "a time such as 2030-01-01T00:00:00Z",
        FieldType.List => "a list of strings",
    };
}
