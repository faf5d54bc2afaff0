using System.Net;
using System.Text.Json.Serialization;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>
/// A token of the gateway's own, with which a program acts for a person, with at most the token's role. The program has
/// 256 random bits, and here is only their hash.
/// </summary>
internal sealed record Token
{
    /// <summary>What every token begins with.</summary>
    public const string Prefix = "htg_";

    /// <summary>The number by which it is named, rotated and revoked.</summary>
    public required long Id { get; init; }

    /// <summary>SHA-256 of the token, in lower-case hex.</summary>
    public required string Hash { get; init; }

    /// <summary>The hash that it had before it was rotated last; null when it was not.</summary>
    public string? PreviousHash { get; init; }

    /// <summary>Until when the one before counts, too: never longer than it would have.</summary>
    public DateTimeOffset? PreviousUntil { get; init; }

    /// <summary>What it is for, in the words of whoever made it.</summary>
    public required string Name { get; init; }

    /// <summary>Whom it acts for. Their rights are the limit of its own at every moment.</summary>
    public required long PersonId { get; init; }

    /// <summary>The name of the role that it has at most.</summary>
    public required string Role { get; init; }

    /// <summary>The networks that it counts from; empty: from everywhere.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];

    /// <summary>The ids of the rules that it may use; empty: all of its role's.</summary>
    public IReadOnlyList<string> Operations { get; init; } = [];

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was rotated last; null when it was not.</summary>
    public DateTimeOffset? RotatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>To the minute; null when it was never used.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>How the audit names it.</summary>
    [JsonIgnore]
    public string Label => $"{Id} ({Name})";

    /// <summary>How long it counts from when it was made or rotated.</summary>
    [JsonIgnore]
    public TimeSpan Lifetime => ExpiresAt - (RotatedAt ?? CreatedAt);

    /// <summary>Whether it ends within two weeks, and most of its time is over.</summary>
    public bool ExpiresSoon(DateTimeOffset now) =>
        ExpiresAt > now && ExpiresAt - now < TimeSpan.FromDays(14) && ExpiresAt - now < Lifetime / 3;

    /// <summary>Whether it counts from an address.</summary>
    /// <param name="client">Null where the address is not known.</param>
    public bool CountsFrom(IPAddress? client) => Networks.Count == 0 || (client is not null
        && new NetworkList([.. Networks.Select(one => AddressText.ParseNetwork(one, out _)).OfType<IPNetwork>()]).Contains(client));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Token))]
internal sealed partial class TokenJson : JsonSerializerContext;
