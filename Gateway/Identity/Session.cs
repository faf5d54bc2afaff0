using System.Text.Json.Serialization;

namespace Gateway.Identity;

/// <summary>How a session was begun.</summary>
internal enum SessionKind
{
    None = 0,

    /// <summary>A person signed in with the provider.</summary>
    Oidc,

    /// <summary>Somebody showed a Headscale API key.</summary>
    ApiKey,
}

/// <summary>A sign-in that lasts. The cookie holds a random id, and here is only its hash.</summary>
internal sealed record Session
{
    /// <summary>The number by which people and administrators revoke it.</summary>
    public required long Id { get; init; }

    /// <summary>SHA-256 of the cookie's value, in lower-case hex.</summary>
    public required string Hash { get; init; }

    public required SessionKind Kind { get; init; }

    /// <summary>The person; null for an API key, which belongs to nobody.</summary>
    public long? PersonId { get; init; }

    /// <summary>The public prefix of the API key.</summary>
    public string? KeyPrefix { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>To the minute.</summary>
    public required DateTimeOffset LastUsedAt { get; init; }

    /// <summary>Where it was begun from.</summary>
    public string? Client { get; init; }

    /// <summary>The browser, cut at 256 characters.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The provider's own session, which it names when it ends it.</summary>
    public string? ProviderSession { get; init; }

    /// <summary>The ID token for signing out at the provider, protected; null when that is off.</summary>
    public string? ProtectedIdToken { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Session))]
internal sealed partial class SessionJson : JsonSerializerContext;
