using System.Globalization;
using System.Text.Json;

namespace Gateway.Admin;

/// <summary>A pre-auth key as pages show it: never the key itself.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Shown">Its beginning, by which one may know it again.</param>
/// <param name="Key">What names it to Headscale up to 0.27: the key, where the reader may see it; else empty.</param>
/// <param name="OwnerId">The Headscale user it belongs to; null for none.</param>
/// <param name="Owner">The owner's name, or the tags.</param>
/// <param name="IsReusable">Whether it may be used more than once.</param>
/// <param name="IsEphemeral">Whether machines that use it vanish when they go offline.</param>
/// <param name="IsUsed">Whether it was used.</param>
/// <param name="Expiration">When it ends.</param>
public sealed record PreAuthKey(string Id, string Shown, string Key, string? OwnerId, string Owner, bool IsReusable, bool IsEphemeral, bool IsUsed, DateTimeOffset? Expiration)
{
    /// <summary>expired, used or valid.</summary>
    public string StatusAt(DateTimeOffset now) => Expiration <= now ? "expired" : IsUsed && !IsReusable ? "used" : "valid";

    /// <summary>Reads a key of any version of Headscale.</summary>
    internal static PreAuthKey Of(JsonElement json)
    {
        var key = Text(json, "key");
        string[] tags = json.TryGetProperty("aclTags", out var list) && list.ValueKind is JsonValueKind.Array ? [.. list.EnumerateArray().Select(one => one.GetString() ?? "")] : [];
        var user = json.TryGetProperty("user", out var one) && one.ValueKind is JsonValueKind.Object ? one : (JsonElement?)null;
        return new(
            Text(json, "id"),
            key.EndsWith("***", StringComparison.Ordinal) ? key : key.Length > 12 ? key[..6] + "…" : "",
            key.EndsWith("***", StringComparison.Ordinal) ? "" : key,
            tags.Length > 0 || user is null ? null : Text(user.Value, "id"),
            tags.Length > 0 ? string.Join(", ", tags) : user is { } known ? Text(known, "name") : "nobody",
            Flag(json, "reusable"),
            Flag(json, "ephemeral"),
            Flag(json, "used"),
            DateTimeOffset.TryParse(Text(json, "expiration"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null);
    }

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";

    private static bool Flag(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True;
}
