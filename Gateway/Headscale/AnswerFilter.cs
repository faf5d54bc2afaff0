using System.Text.Json;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>Cuts an answer of Headscale down to what its reader may see. What it does not understand it does not let through.</summary>
/// <param name="Kind">What the answer holds.</param>
/// <param name="View">All items, or the reader's own.</param>
/// <param name="UserId">The reader's Headscale user.</param>
/// <param name="SeesKeys">Whether the reader may create keys for anybody, and so may see them.</param>
internal sealed record AnswerFilter(Filter Kind, View View, string? UserId, bool SeesKeys)
{
    /// <summary>Whether the answer can be passed on as it is.</summary>
    public bool IsTransparent => Kind is Filter.None || (View is View.All && (SeesKeys || Kind is Filter.Users));

    /// <summary>Writes what is left of the answer.</summary>
    /// <exception cref="JsonException">It does not have the expected form.</exception>
    public void Write(JsonElement answer, Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case Filter.None:
                answer.WriteTo(writer);
                break;
            case Filter.Nodes:
                WriteList(answer, "nodes", writer, OwnerOfNode, WriteNode);
                break;
            case Filter.Node:
                WriteObject(answer, writer, (name, value) =>
                {
                    if (name == "node" && value.ValueKind is JsonValueKind.Object)
                    {
                        WriteNode(value, writer);
                    }
                    else
                    {
                        throw Unexpected("node");
                    }
                });
                break;
            case Filter.Users:
                WriteList(answer, "users", writer, user => Text(user, "id"), static (user, to) => user.WriteTo(to));
                break;
            case Filter.Keys:
                WriteList(answer, "preAuthKeys", writer, OwnerOfKey, WriteKey);
                break;
            default:
                throw Unexpected(Kind.ToString());
        }
    }

    private void WriteList(
        JsonElement answer, string member, Utf8JsonWriter writer, Func<JsonElement, string?> ownerOf, Action<JsonElement, Utf8JsonWriter> write) =>
        WriteObject(answer, writer, (name, value) =>
        {
            if (name != member || value.ValueKind is not JsonValueKind.Array)
            {
                throw Unexpected(member);
            }

            writer.WriteStartArray();
            foreach (var item in value.EnumerateArray())
            {
                if (View is View.All || (UserId is not null && ownerOf(item) == UserId))
                {
                    write(item, writer);
                }
            }

            writer.WriteEndArray();
        });

    private static void WriteObject(JsonElement item, Utf8JsonWriter writer, Action<string, JsonElement> write)
    {
        if (item.ValueKind is not JsonValueKind.Object)
        {
            throw Unexpected("an object");
        }

        writer.WriteStartObject();
        foreach (var member in item.EnumerateObject())
        {
            writer.WritePropertyName(member.Name);
            write(member.Name, member.Value);
        }

        writer.WriteEndObject();
    }

    /// <summary>Up to 0.27, and for old keys ever since, a node's pre-auth key is the full key in clear.</summary>
    private void WriteNode(JsonElement node, Utf8JsonWriter writer) => WriteObject(node, writer, (name, value) =>
    {
        if (name == "preAuthKey" && !SeesKeys)
        {
            writer.WriteNullValue();
        }
        else
        {
            value.WriteTo(writer);
        }
    });

    private void WriteKey(JsonElement key, Utf8JsonWriter writer)
    {
        var isOwn = UserId is not null && OwnerOfKey(key) == UserId;
        WriteObject(key, writer, (name, value) =>
        {
            if (name == "key" && !SeesKeys && !(isOwn && View is View.Own))
            {
                writer.WriteStringValue(Mask(value.GetString() ?? ""));
            }
            else
            {
                value.WriteTo(writer);
            }
        });
    }

    private static string Mask(string key) => key.EndsWith("***", StringComparison.Ordinal) ? key : (key.Length > 12 ? key[..6] : "") + "***";

    private static string? OwnerOfNode(JsonElement node) =>
        HasItems(node, "tags") || HasItems(node, "forcedTags") || HasItems(node, "validTags") ? null : OwnerOf(node);

    private static string? OwnerOfKey(JsonElement key) => HasItems(key, "aclTags") ? null : OwnerOf(key);

    private static string? OwnerOf(JsonElement item) =>
        item.TryGetProperty("user", out var user) && user.ValueKind is JsonValueKind.Object ? Text(user, "id") : null;

    private static bool HasItems(JsonElement item, string member) =>
        item.TryGetProperty(member, out var list) && !(list.ValueKind is JsonValueKind.Null || (list.ValueKind is JsonValueKind.Array && list.GetArrayLength() == 0));

    private static string? Text(JsonElement item, string member) =>
        item.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static JsonException Unexpected(string expected) => new($"the answer of Headscale does not hold {expected}");
}
