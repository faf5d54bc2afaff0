using System.Globalization;
using System.Text.Json.Serialization;

namespace Gateway.Headscale;

/// <summary>A user as Headscale sends it; members that are not needed are not read.</summary>
internal sealed record HeadscaleUser
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Email { get; init; }

    public string? ProviderId { get; init; }

    public string? Provider { get; init; }

    public string? CreatedAt { get; init; }

    /// <summary>Whether it was made in Headscale itself: others belong to whom the provider says.</summary>
    [JsonIgnore]
    public bool IsLocal => Provider != "oidc";

    /// <summary>How people tell it apart: names may be empty and need not be unique.</summary>
    [JsonIgnore]
    public string Label => $"{(Name is { Length: > 0 } name ? name : Email is { Length: > 0 } email ? email : "unnamed")} ({Id})";

    /// <summary>What stays the same as long as this is the same person: ids are reused after a rebuild of the database.</summary>
    [JsonIgnore]
    public string Fingerprint => ProviderId is { Length: > 0 } ? $"provider:{ProviderId}" : $"created:{CreatedMilliseconds}";

    /// <summary>Versions write the same time differently: with other fractions and other offsets.</summary>
    private long CreatedMilliseconds =>
        DateTimeOffset.TryParse(CreatedAt, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? at.ToUnixTimeMilliseconds() : 0;
}

/// <summary>A node, as far as ownership goes.</summary>
internal sealed record HeadscaleNode
{
    public string Id { get; init; } = "";

    /// <summary>The name by which people know it.</summary>
    public string GivenName { get; init; } = "";

    public HeadscaleUser? User { get; init; }

    public bool Online { get; init; }

    public string? Expiry { get; init; }

    public IReadOnlyList<string>? AvailableRoutes { get; init; }

    public IReadOnlyList<string>? ApprovedRoutes { get; init; }

    /// <summary>0.28 and later.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Up to 0.27.</summary>
    public IReadOnlyList<string>? ForcedTags { get; init; }

    /// <summary>Up to 0.27, and there only in the list.</summary>
    public IReadOnlyList<string>? ValidTags { get; init; }

    /// <summary>The id of the owner; null when nobody owns it, which is so for every tagged node.</summary>
    [JsonIgnore]
    public string? OwnerId => Tags is { Count: > 0 } || ForcedTags is { Count: > 0 } || ValidTags is { Count: > 0 } ? null : User?.Id;
}

/// <summary>A pre-auth key, as far as ownership goes.</summary>
internal sealed record HeadscaleKey
{
    public string Id { get; init; } = "";

    public string Key { get; init; } = "";

    public HeadscaleUser? User { get; init; }

    public IReadOnlyList<string>? AclTags { get; init; }

    [JsonIgnore]
    public string? OwnerId => AclTags is { Count: > 0 } ? null : User?.Id;
}

/// <summary>An API key as it is listed.</summary>
internal sealed record HeadscaleApiKey
{
    public string Id { get; init; } = "";

    public string Prefix { get; init; } = "";

    public DateTimeOffset? Expiration { get; init; }
}

internal sealed record UserList(IReadOnlyList<HeadscaleUser>? Users);

internal sealed record NodeList(IReadOnlyList<HeadscaleNode>? Nodes);

internal sealed record NodeAnswer(HeadscaleNode? Node);

internal sealed record KeyList(IReadOnlyList<HeadscaleKey>? PreAuthKeys);

internal sealed record ApiKeyList(IReadOnlyList<HeadscaleApiKey>? ApiKeys);

internal sealed record VersionAnswer(string? Version);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UserList))]
[JsonSerializable(typeof(NodeList))]
[JsonSerializable(typeof(NodeAnswer))]
[JsonSerializable(typeof(KeyList))]
[JsonSerializable(typeof(ApiKeyList))]
[JsonSerializable(typeof(VersionAnswer))]
internal sealed partial class HeadscaleJson : JsonSerializerContext;
