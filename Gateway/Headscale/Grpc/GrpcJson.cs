using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using static Gateway.Headscale.Grpc.GrpcMessages;

namespace Gateway.Headscale.Grpc;

/// <summary>
/// Writes messages as the JSON that Headscale's HTTP API answers: every field of the version is there, numbers of 64 bits are
/// text, and a message that is not there is null.
/// </summary>
internal static class GrpcJson
{
    /// <summary>Writes a message as an object.</summary>
    /// <exception cref="WireException">The bytes are no such message.</exception>
    public static void Write(Utf8JsonWriter json, GrpcMessage type, ReadOnlySpan<byte> message, HeadscaleVersion version)
    {
        // Fields may come in any order; the JSON has them in the order of their numbers.
        Span<Range?> places = stackalloc Range?[type.Fields.Count];
        var reader = new WireReader(message);
        for (var start = 0; reader.Read(); start = reader.Position)
        {
            if (type.IndexOf(reader.Number, version) is var at and >= 0)
            {
                // Of a field that comes more than once the last counts; a list begins at its first item.
                places[at] = places[at] is { } first && type.Fields[at].IsRepeated
                    ? first.Start..reader.Position
                    : start..reader.Position;
            }
        }

        json.WriteStartObject();
        for (var at = 0; at < places.Length; at++)
        {
            var field = type.Fields[at];
            if (field.IsIn(version))
            {
                json.WritePropertyName(field.JsonName);
                WriteField(json, field, places[at] is { } place ? message[place] : [], version);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>Writes one value of a field.</summary>
    /// <exception cref="WireException">It is no such value.</exception>
    public static void WriteValue(Utf8JsonWriter json, GrpcField field, in WireReader value, HeadscaleVersion version)
    {
        if (value.Type != field.WireType)
        {
            throw new WireException($"'{field.Name}' is of another type");
        }

        switch (field.Type)
        {
            case GrpcType.Text when !Utf8.IsValid(value.Bytes):
                throw new WireException($"'{field.Name}' is no text");
            case GrpcType.Text:
                json.WriteStringValue(value.Bytes);
                break;
            case GrpcType.Flag:
                json.WriteBooleanValue(value.Value != 0);
                break;
            case GrpcType.Number:
                json.WriteStringValue(value.Value.ToString(CultureInfo.InvariantCulture));
                break;
            case GrpcType.Time:
                json.WriteStringValue(ProtoTime.Read(value.Bytes));
                break;
            case GrpcType.RegisterMethod when value.Value < (ulong)RegisterMethods.Length:
                json.WriteStringValue(RegisterMethods[(int)value.Value]);
                break;
            case GrpcType.RegisterMethod:
                json.WriteNumberValue(value.Value);
                break;
            case GrpcType.Message:
                Write(json, field.Message!, value.Bytes, version);
                break;
            case GrpcType.None:
                throw new WireException($"'{field.Name}' has no type");
        }
    }

    /// <summary>Reads an object into a message. Members that the version has no field for are left out.</summary>
    /// <exception cref="WireException">A member holds something else than its field.</exception>
    public static byte[] Read(GrpcMessage type, JsonElement json, HeadscaleVersion version)
    {
        var message = new WireWriter();
        foreach (var field in type.FieldsIn(version))
        {
            if (!json.TryGetProperty(field.Name, out var value) || value.ValueKind is JsonValueKind.Null)
            {
                continue;
            }

            if (!field.IsRepeated)
            {
                ReadValue(message, field, value, version);
                continue;
            }

            foreach (var item in value.EnumerateArray())
            {
                ReadItem(message, field, item, version);
            }
        }

        return message.ToArray();
    }

    private static void ReadValue(WireWriter message, GrpcField field, JsonElement value, HeadscaleVersion version)
    {
        switch (field.Type, value.ValueKind)
        {
            case (GrpcType.Text, JsonValueKind.String):
                message.Text(field.Number, value.GetString()!);
                break;
            case (GrpcType.Flag, JsonValueKind.True or JsonValueKind.False):
                message.Flag(field.Number, value.GetBoolean());
                break;
            case (GrpcType.Number, JsonValueKind.String)
                when ulong.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number):
                message.Number(field.Number, number);
                break;
            case (GrpcType.Time, JsonValueKind.String):
                message.Bytes(field.Number, ProtoTime.Write(value.GetString()!));
                break;
            case (GrpcType.RegisterMethod, JsonValueKind.String) when RegisterMethods.IndexOf(value.GetString()!) is var method and >= 0:
                message.Number(field.Number, (ulong)method);
                break;
            case (GrpcType.Message, JsonValueKind.Object):
                message.Bytes(field.Number, Read(field.Message!, value, version));
                break;
            default:
                throw new WireException($"'{field.Name}' holds something else than it should");
        }
    }

    /// <summary>An item of a list is written even when it is empty.</summary>
    private static void ReadItem(WireWriter message, GrpcField field, JsonElement item, HeadscaleVersion version)
    {
        switch (field.Type, item.ValueKind)
        {
            case (GrpcType.Text, JsonValueKind.String):
                message.Bytes(field.Number, Encoding.UTF8.GetBytes(item.GetString()!));
                break;
            default:
                ReadValue(message, field, item, version);
                break;
        }
    }

    /// <summary>Writes what a field holds.</summary>
    /// <param name="part">The part of the message that has all of it; empty when it is not there.</param>
    private static void WriteField(Utf8JsonWriter json, GrpcField field, ReadOnlySpan<byte> part, HeadscaleVersion version)
    {
        var reader = new WireReader(part);
        if (field.IsRepeated)
        {
            json.WriteStartArray();
            while (reader.Read())
            {
                if (reader.Number == field.Number)
                {
                    WriteValue(json, field, reader, version);
                }
            }

            json.WriteEndArray();
        }
        else if (reader.Read())
        {
            WriteValue(json, field, reader, version);
        }
        else
        {
            WriteDefault(json, field.Type);
        }
    }

    private static void WriteDefault(Utf8JsonWriter json, GrpcType type)
    {
        switch (type)
        {
            case GrpcType.None or GrpcType.Time or GrpcType.Message:
                json.WriteNullValue();
                break;
            case GrpcType.Text:
                json.WriteStringValue("");
                break;
            case GrpcType.Flag:
                json.WriteBooleanValue(false);
                break;
            case GrpcType.Number:
                json.WriteStringValue("0");
                break;
            case GrpcType.RegisterMethod:
                json.WriteStringValue(RegisterMethods[0]);
                break;
        }
    }
}
