using System.Globalization;
using System.Text.Json;

namespace Gateway.Admin;

/// <summary>A node as pages show it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">The name in the tailnet.</param>
/// <param name="HostName">The name that the machine gives itself.</param>
/// <param name="OwnerId">The Headscale user who owns it; null where nobody does.</param>
/// <param name="Owner">The owner's name, or the tags of a machine that nobody owns.</param>
/// <param name="IsOnline">Whether it is connected.</param>
/// <param name="LastSeen">When it was connected last, where Headscale says so.</param>
/// <param name="Expiry">When it must sign in again; null: never.</param>
/// <param name="Addresses">Its addresses in the tailnet.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="AvailableRoutes">The routes that it offers.</param>
/// <param name="ApprovedRoutes">Those of them that are approved.</param>
public sealed record Machine(
    string Id, string Name, string HostName, string? OwnerId, string Owner, bool IsOnline, DateTimeOffset? LastSeen, DateTimeOffset? Expiry,
    IReadOnlyList<string> Addresses, IReadOnlyList<string> Tags, IReadOnlyList<string> AvailableRoutes, IReadOnlyList<string> ApprovedRoutes)
{
    /// <summary>Reads a node of any version of Headscale.</summary>
    internal static Machine Of(JsonElement node)
    {
        IReadOnlyList<string> tags = [.. Texts(node, "tags").Concat(Texts(node, "forcedTags")).Concat(Texts(node, "validTags")).Distinct()];
        var user = node.TryGetProperty("user", out var one) && one.ValueKind is JsonValueKind.Object ? one : (JsonElement?)null;
        var owner = user is { } known ? new[] { Text(known, "displayName"), Text(known, "name"), Text(known, "email") }.FirstOrDefault(text => text.Length > 0) : null;
        return new(
            Text(node, "id"),
            Text(node, "givenName") is { Length: > 0 } given ? given : Text(node, "name"),
            Text(node, "name"),
            tags.Count > 0 ? null : user is { } someone ? Text(someone, "id") : null,
            tags.Count > 0 ? string.Join(", ", tags) : owner ?? "nobody",
            node.TryGetProperty("online", out var online) && online.ValueKind is JsonValueKind.True,
            Time(node, "lastSeen"),
            Time(node, "expiry"),
            Texts(node, "ipAddresses"),
            tags,
            Texts(node, "availableRoutes"),
            Texts(node, "approvedRoutes"));
    }

    /// <summary>Whether any of what is shown holds the text.</summary>
    public bool Matches(string text) =>
        new[] { Name, HostName, Owner }.Concat(Addresses).Concat(Tags).Any(one => one.Contains(text, StringComparison.OrdinalIgnoreCase));

    /// <summary>expired, online or offline.</summary>
    public string StatusAt(DateTimeOffset now) => Expiry <= now ? "expired" : IsOnline ? "online" : "offline";

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";

    private static IReadOnlyList<string> Texts(JsonElement json, string name) => json.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array
        ? [.. list.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.String).Select(one => one.GetString()!)]
        : [];

    /// <summary>Null where Headscale says never: null, or its zero time.</summary>
    private static DateTimeOffset? Time(JsonElement json, string name) =>
        DateTimeOffset.TryParse(Text(json, name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time.Year > 1 ? time : null;
}
