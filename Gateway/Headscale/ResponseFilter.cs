using System.Collections.Frozen;
using System.Text.Json;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>How an answer of Headscale is cut down to what its reader may see. What is not understood is not let through.</summary>
/// <param name="Kind">What the answer holds.</param>
/// <param name="View">All items, or the reader's own.</param>
/// <param name="UserId">The reader's Headscale user.</param>
/// <param name="SeesKeys">Whether the reader may create keys for anybody, and so may see them.</param>
internal sealed record ResponseFilter(Filter Kind, View View, string? UserId, bool SeesKeys)
{
    /// <summary>The ids of the reader's nodes, where an answer names owners by nothing better than their login names.</summary>
    public IReadOnlySet<string> OwnNodes { get; init; } = FrozenSet<string>.Empty;

    /// <summary>For callers whose own key Headscale took.</summary>
    public static ResponseFilter Everything { get; } = new(Filter.None, View.All, null, SeesKeys: true);

    /// <summary>The filter of a row for somebody.</summary>
    public static ResponseFilter For(Decision decision, string? userId, Role? role) =>
        new(decision.Rule?.Filter ?? Filter.None, decision.View, userId, role?.Has(Capability.GenerateAuthkeys) is true);

    /// <summary>Writes what is left of an answer, while it arrives where it is a list.</summary>
    /// <exception cref="JsonException">It does not have the expected form.</exception>
    public async Task CopyAsync(Stream from, Stream to, CancellationToken cancel)
    {
        if (List is not null)
        {
            await new FilteredList(this).CopyAsync(from, to, cancel);
            return;
        }

        using var json = await JsonDocument.ParseAsync(from, default, cancel);
        using var buffer = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(buffer))
        {
            WriteWhole(json.RootElement, writer);
        }

        buffer.Position = 0;
        await buffer.CopyToAsync(to, cancel);
    }

    /// <summary>Whether the answer can be passed on as it is.</summary>
    public bool IsTransparent => Kind is Filter.None || (View is View.All && (SeesKeys || Kind is Filter.Users or Filter.Devices));

    /// <summary>The member whose list the answer holds; null when the answer is a single thing.</summary>
    public string? List => Kind switch
    {
        Filter.None or Filter.Node => null,
        Filter.Nodes => "nodes",
        Filter.Users => "users",
        Filter.Keys => "preAuthKeys",
        Filter.Devices => "devices",
        Filter.TailnetKeys => "keys",
    };

    /// <summary>
    /// The member of an item that holds a key. Up to 0.27, and for old keys ever since, a node's pre-auth key is the full
    /// key in clear. Empty: there is none.
    /// </summary>
    public ReadOnlySpan<byte> Secret => Kind switch
    {
        Filter.None or Filter.Users or Filter.Devices => [],
        Filter.Nodes or Filter.Node => "preAuthKey"u8,
        Filter.Keys or Filter.TailnetKeys => "key"u8,
    };

    /// <summary>Whether the reader gets this item at all.</summary>
    public bool Shows(in ListItem item) => View is View.All || (View is View.Own && item.IsOwn);

    /// <summary>The JSON that takes the place of the item's <see cref="Secret"/>; null where it stays.</summary>
    public string? InPlaceOfSecret(in ListItem item) => (Kind, SeesKeys) switch
    {
        (_, true) or (Filter.None or Filter.Users or Filter.Devices, _) => null,
        (Filter.Nodes or Filter.Node, _) => "null",
        (Filter.Keys or Filter.TailnetKeys, _) =>
            View is View.Own && item.IsOwn ? null : $"\"{JsonEncodedText.Encode(Mask(item.SecretText ?? ""))}\"",
    };

    /// <summary>Writes what is left of an answer that is a single thing.</summary>
    /// <exception cref="JsonException">It does not have the expected form.</exception>
    public void WriteWhole(JsonElement answer, Utf8JsonWriter writer)
    {
        if (Kind is not Filter.Node || answer.ValueKind is not JsonValueKind.Object
            || answer.EnumerateObject().ToArray() is not [{ Name: "node", Value: { ValueKind: JsonValueKind.Object } node }])
        {
            throw new JsonException("the answer of Headscale does not hold a node");
        }

        writer.WriteStartObject();
        writer.WriteStartObject("node");
        foreach (var member in node.EnumerateObject())
        {
            if (member.NameEquals(Secret) && !SeesKeys)
            {
                writer.WriteNull(member.Name);
            }
            else
            {
                member.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string Mask(string key) =>
        key.EndsWith("***", StringComparison.Ordinal) ? key : (key.Length > 12 ? key[..6] : "") + "***";
}
