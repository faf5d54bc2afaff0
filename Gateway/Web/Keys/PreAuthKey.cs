using System.Text.Json;
using Gateway.Headscale;
using Gateway.Web.Machines;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Keys;

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
public sealed record PreAuthKey(
    string Id, string Shown, string Key, string? OwnerId, string Owner, bool IsReusable, bool IsEphemeral, bool IsUsed,
    DateTimeOffset? Expiration)
{
    /// <summary>When it was made, where Headscale says so.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>What somebody wrote that it is for; null where nobody did.</summary>
    public string? Description { get; init; }

    /// <summary>The devices that came with it, as far as they are known and may be seen.</summary>
    public IReadOnlyList<Machine> UsedBy { get; init; } = [];

    /// <summary>Whether any of what is shown holds the text.</summary>
    public bool Matches(string text) =>
        new[] { Description, Shown, Owner, Id }.Any(one => one?.Contains(text, StringComparison.OrdinalIgnoreCase) is true);

    /// <summary>expired, used or valid.</summary>
    public string StatusAt(DateTimeOffset now) =>
        Expiration <= now ? Noop("expired") : IsUsed && !IsReusable ? Noop("used") : Noop("valid");

    /// <summary>Reads a key of any version of Headscale.</summary>
    internal static PreAuthKey Of(JsonElement json)
    {
        var key = json.Text("key");
        var tags = json.Texts("aclTags");
        var user = json.Thing("user");
        return new(
            json.Text("id"),
            key.EndsWith("***", StringComparison.Ordinal) ? key : key.Length > 12 ? key[..6] + "…" : "",
            key.EndsWith("***", StringComparison.Ordinal) ? "" : key,
            tags.Count > 0 || user is null ? null : user.Value.Text("id"),
            tags.Count > 0 ? string.Join(", ", tags) : user is { } known ? known.Text("name") : Noop("nobody"),
            json.Flag("reusable"),
            json.Flag("ephemeral"),
            json.Flag("used"),
            json.Time("expiration"))
        {
            Created = json.Time("createdAt") is { Year: > 1 } created ? created : null,
        };
    }
}
