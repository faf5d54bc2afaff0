using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>The wire forms of each version.</summary>
internal sealed class TailnetJson(Tailnet tailnet, int version)
{
    private const string ZeroTime = "0001-01-01T00:00:00Z";
    private static readonly string _hex = new('a', 64);

    public JsonObject User(TailnetUser user) => new()
    {
        ["id"] = Text(user.Id),
        ["name"] = version >= 28 && user.Name.Length == 0 ? FirstOf(user.Email, user.ProviderId, Text(user.Id)) : user.Name,
        ["createdAt"] = Time(user.CreatedAt),
        ["displayName"] = user.DisplayName,
        ["email"] = user.Email,
        ["providerId"] = user.ProviderId,
        ["provider"] = user.ProviderId.Length > 0 ? "oidc" : "",
        ["profilePicUrl"] = user.PictureUrl,
    };

    /// <summary>Since 0.28 a tagged node has the pseudo user in lists; by itself, it has none since 0.29.</summary>
    public JsonObject Node(TailnetNode node, bool inList)
    {
        var isTagged = version >= 28 && node.Tags.Count > 0;
        var json = new JsonObject
        {
            ["id"] = Text(node.Id),
            ["machineKey"] = "mkey:" + _hex,
            ["nodeKey"] = "nodekey:" + _hex,
            ["discoKey"] = "discokey:" + _hex,
            ["ipAddresses"] = List(node.Addresses),
            ["name"] = node.Host,
            ["user"] = isTagged && inList ? PseudoUser() : isTagged && version >= 29 ? null : User(tailnet.User(node.UserId)),
            ["lastSeen"] = node.LastSeen,
            ["expiry"] = node.Expiry ?? (version < 29 ? ZeroTime : null),
            ["preAuthKey"] = node.KeyId is { } key ? Key(tailnet.Keys.Find(one => one.Id == key)!, isCreation: false) : null,
            ["createdAt"] = node.CreatedAt,
            ["registerMethod"] = node.RegisterMethod,
        };
        if (version < 28)
        {
            json["forcedTags"] = List(node.Tags);
            json["invalidTags"] = new JsonArray();
            json["validTags"] = new JsonArray();
        }

        json["givenName"] = node.Name;
        json["online"] = node.IsOnline;
        json["approvedRoutes"] = List(node.ApprovedRoutes);
        json["availableRoutes"] = List(node.AvailableRoutes);
        json["subnetRoutes"] = List(node.ApprovedRoutes.Intersect(node.AvailableRoutes)
            .Where(one => !one.EndsWith("/0", StringComparison.Ordinal)));
        if (version >= 28)
        {
            json["tags"] = List(node.Tags);
        }

        return json;
    }

    /// <summary>0.28 shows a key in clear only in the answer to its creation.</summary>
    public JsonObject Key(TailnetKey key, bool isCreation) => new()
    {
        ["user"] = key.UserId is { } user ? User(tailnet.User(user)) : null,
        ["id"] = Text(key.Id),
        ["key"] = version < 28 || isCreation || !key.Key.StartsWith("hskey-", StringComparison.Ordinal) ? key.Key : key.Key[..24] + "***",
        ["reusable"] = key.Reusable,
        ["ephemeral"] = key.Ephemeral,
        ["used"] = key.IsUsed,
        ["expiration"] = key.Expiration,
        ["createdAt"] = "2026-01-01T00:00:00Z",
        ["aclTags"] = List(key.Tags),
    };

    public JsonObject ApiKey(TailnetApiKey key) => new()
    {
        ["id"] = Text(key.Id),
        ["prefix"] = key.Key.StartsWith("hskey-api-", StringComparison.Ordinal)
            ? key.Key[..23] + "***"
            : key.Key[..7] + (version >= 28 ? "***" : ""),
        ["expiration"] = key.Expiration,
        ["createdAt"] = "2026-01-01T00:00:00Z",
        ["lastSeen"] = null,
    };

    public static JsonArray List(IEnumerable<string> items) => new([.. items.Select(one => (JsonNode)one)]);

    /// <summary>0.30 may write an offset and other fractions.</summary>
    private string Time(DateTimeOffset time) => version >= 30
        ? time.ToOffset(TimeSpan.FromHours(2)).ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffzzz", CultureInfo.InvariantCulture)
        : time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static JsonObject PseudoUser() => new()
    {
        ["id"] = "2147455555",
        ["name"] = "tagged-devices",
        ["createdAt"] = ZeroTime,
        ["displayName"] = "Tagged Devices",
        ["email"] = "",
        ["providerId"] = "",
        ["provider"] = "",
        ["profilePicUrl"] = "",
    };

    private static string Text(ulong id) => id.ToString(CultureInfo.InvariantCulture);

    private static string FirstOf(params string[] texts) => texts.First(one => one.Length > 0);
}
