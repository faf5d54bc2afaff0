using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Gateway.Edge;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>
/// Reads a request body strictly and writes it anew. Headscale's own parsers fold case, take snake case and let the last
/// duplicate win, each version differently; what is written here has one reading in all of them.
/// </summary>
internal static class BodyText
{
    private const int Depth = 6;

    /// <summary>The members of a body; null with a complaint that holds nothing of the body but its member names.</summary>
    public static IReadOnlyDictionary<string, Argument>? Parse(
        ReadOnlySpan<byte> utf8, BodyModel model, HeadscaleVersion version, out string complaint)
    {
        complaint = "";
        if (utf8.IsEmpty && model.Optional)
        {
            return Call.NoMembers;
        }

        var members = new Dictionary<string, Argument>(StringComparer.Ordinal);
        try
        {
            if (model.IsDocument)
            {
                return ReadDocument(utf8, out complaint);
            }

            if (!Utf8.IsValid(utf8) || !Read(utf8, model, version, members, ref complaint))
            {
                complaint = complaint.Length > 0 ? complaint : "the body is not valid UTF-8";
                return null;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped lone surrogate, which no string can hold.
            complaint = model.IsDocument ? "the body is not a valid HuJSON object" : "the body is not a valid JSON object";
            return null;
        }

        complaint = Missing(members, model, version) ?? "";
        return complaint.Length == 0 ? members : null;
    }

    /// <summary>What is wrong with members that were not read from a body; null when nothing is.</summary>
    public static string? Complaint(IReadOnlyDictionary<string, Argument> members, BodyModel model, HeadscaleVersion version)
    {
        foreach (var (name, value) in members)
        {
            if (model.Fields.FirstOrDefault(field => field.Name == name && field.IsIn(version)) is not { } known)
            {
                return $"Headscale {version} does not take '{name}'";
            }

            if (!known.Takes(value))
            {
                return $"'{name}' must be {Describe(known)}";
            }
        }

        return Missing(members, model, version);
    }

    private static string? Missing(IReadOnlyDictionary<string, Argument> members, BodyModel model, HeadscaleVersion version)
    {
        foreach (var field in model.Fields)
        {
            if (field.Required && field.IsIn(version) && (!members.TryGetValue(field.Name, out var value) || value.Text is ""))
            {
                return field.Name == "expiration"
                    ? "'expiration' is missing: Headscale would store a key that has already expired; send a time such as "
                        + "2030-01-01T00:00:00Z"
                    : $"'{field.Name}' is missing";
            }
        }

        return null;
    }

    /// <summary>A policy is a document for people: its comments and order stay, once it is known to be one.</summary>
    private static Dictionary<string, Argument>? ReadDocument(ReadOnlySpan<byte> utf8, out string complaint)
    {
        complaint = "the body is not a valid HuJSON object";
        var reader = new Utf8JsonReader(
            utf8, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        if (!Utf8.IsValid(utf8) || utf8.StartsWith("\uFEFF"u8) || !reader.Read() || reader.TokenType is not JsonTokenType.StartObject
            || !reader.TrySkip() || reader.Read())
        {
            return null;
        }

        complaint = "";
        return new(StringComparer.Ordinal) { [BodyModel.Document] = Argument.Of(Encoding.UTF8.GetString(utf8)) };
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

        // A read past the end also proves that nothing follows the object.
        Field[] fields = [.. model.Fields.Where(field => field.IsIn(version))];
        return ReadObject(ref reader, "", fields, version, members, [], ref complaint) && !reader.Read();
    }

    /// <param name="at">Where the object stands in the body: empty, or names with a dot after each.</param>
    /// <param name="seen">The members and objects that were there already.</param>
    private static bool ReadObject(
        ref Utf8JsonReader reader, string at, IReadOnlyList<Field> fields, HeadscaleVersion version,
        Dictionary<string, Argument> members, HashSet<string> seen, ref string complaint)
    {
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = NameOf(in reader, at);
            var field = FindField(fields, name, version);
            if (field is null && !fields.Any(field => field.Name.StartsWith(name + ".", StringComparison.Ordinal)))
            {
                complaint = $"the body has a member that Headscale {version} does not know here; it takes {Known(fields)}";
                return false;
            }

            name = field?.Name ?? name;
            if (!seen.Add(name))
            {
                complaint = $"the body has '{name}' twice";
                return false;
            }

            // Null is absence, as in protojson and in Go.
            if (!reader.Read() || (reader.TokenType is JsonTokenType.Null && field is not { TakesNull: true }))
            {
                continue;
            }

            if (field is null)
            {
                if (!ReadMember(ref reader, name, fields, version, members, seen, ref complaint))
                {
                    return false;
                }
            }
            else if (ReadValue(ref reader, field) is { } value)
            {
                members[name] = value;
            }
            else
            {
                complaint = $"'{name}' must be {Describe(field)}";
                return false;
            }
        }

        return true;
    }

    private static bool ReadMember(
        ref Utf8JsonReader reader, string name, IReadOnlyList<Field> fields, HeadscaleVersion version,
        Dictionary<string, Argument> members, HashSet<string> seen, ref string complaint)
    {
        if (reader.TokenType is JsonTokenType.StartObject)
        {
            return ReadObject(ref reader, name + ".", fields, version, members, seen, ref complaint);
        }

        complaint = $"'{name}' must be an object";
        return false;
    }

    /// <summary>An escape inside a name is only ever there to get past a filter; a dot would reach into an object.</summary>
    private static string NameOf(ref readonly Utf8JsonReader reader, string at) =>
        reader.ValueIsEscaped || reader.ValueSpan.Contains((byte)'.') || reader.ValueSpan.IsEmpty ? "." : at + reader.GetString();

    private static Field? FindField(IReadOnlyList<Field> fields, string name, HeadscaleVersion version) =>
        fields.FirstOrDefault(field => field.Name == name)
        ?? (version.TakesProtoNames ? fields.FirstOrDefault(field => field.ProtoName == name) : null);

    private static Argument? ReadValue(ref Utf8JsonReader reader, Field field)
    {
        switch (field.Type, reader.TokenType)
        {
            case (FieldType.Text, JsonTokenType.String) when reader.GetString() is var text
                && field.OneOf?.Contains(text!, StringComparer.Ordinal) is null or true:
                return new(text, null, null);
            case (FieldType.Number, JsonTokenType.Number) when reader.TryGetInt64(out var number):
                return new(null, null, null) { Number = number };
            case (FieldType.Time, JsonTokenType.String) when ParameterTypes.IsTime(reader.GetString()!):
                return new(reader.GetString(), null, null);
            case (FieldType.Id, JsonTokenType.String) when ParameterTypes.IsId(reader.GetString()!):
                return new(reader.GetString(), null, null);
            case (FieldType.Id, JsonTokenType.Number) when reader.TryGetUInt64(out var number)
                && ParameterTypes.IsId(Encoding.ASCII.GetString(reader.ValueSpan)):
                return new(number.ToString(CultureInfo.InvariantCulture), null, null);
            case (FieldType.Flag, JsonTokenType.True or JsonTokenType.False):
                return new(null, reader.GetBoolean(), null);
            case (FieldType.List, JsonTokenType.Null) when field.TakesNull:
                return new(null, null, []);
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

    private static string Known(IReadOnlyList<Field> fields) =>
        fields.Count > 0 ? string.Join(", ", fields.Select(one => one.Name)) : "no body";

    private static string Describe(Field field) => field.Type switch
    {
        FieldType.None => "absent",
        FieldType.Text => field.OneOf is { } values ? string.Join(" or ", values) : "a string",
        FieldType.Id => "an id: a decimal number, as a string",
        FieldType.Flag => "true or false",
        FieldType.Time => "a time such as 2030-01-01T00:00:00Z",
        FieldType.List => "a list of strings",
        FieldType.Number => "a whole number",
    };
}
