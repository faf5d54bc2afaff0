using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>Writes the body that is sent, from the members that were judged.</summary>
internal static class BodyWriter
{
    /// <summary>The body is no part of a page; a policy document full of quotes would grow sixfold.</summary>
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The canonical body: known members in the model's order.</summary>
    public static byte[] Write(IReadOnlyDictionary<string, Argument> members, BodyModel model)
    {
        if (model.IsDocument)
        {
            return Encoding.UTF8.GetBytes(members[BodyModel.Document].Text!);
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, _plain))
        {
            string[] open = [];
            writer.WriteStartObject();
            foreach (var field in model.Fields.Where(field => members.ContainsKey(field.Name)))
            {
                var path = field.Name.Split('.');
                Enter(writer, ref open, path[..^1]);
                Write(writer, path[^1], members[field.Name]);
            }

            Enter(writer, ref open, []);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Closes and opens objects until the writer is in the one that <paramref name="path"/> names.</summary>
    private static void Enter(Utf8JsonWriter writer, ref string[] open, string[] path)
    {
        var common = open.Zip(path).TakeWhile(one => one.First == one.Second).Count();
        for (var at = open.Length; at > common; at--)
        {
            writer.WriteEndObject();
        }

        foreach (var name in path[common..])
        {
            writer.WriteStartObject(name);
        }

        open = path;
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
        else if (value.Number is { } number)
        {
            writer.WriteNumber(name, number);
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
}
