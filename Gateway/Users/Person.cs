using System.Text.Json.Serialization;
using Gateway.Identity;

namespace Gateway.Users;

/// <summary>Who made a link. Automatic matching never overwrites what an administrator did.</summary>
internal enum LinkSource
{
    None = 0,
    Auto,
    Claim,
    Admin,
}

/// <summary>A link to a Headscale user.</summary>
/// <param name="HeadscaleUserId">Headscale's id.</param>
/// <param name="Fingerprint">What the user was when the link was made; another one with the same id is somebody else.</param>
/// <param name="Source">Who made it.</param>
internal sealed record UserLink(string HeadscaleUserId, string Fingerprint, LinkSource Source)
{
    /// <summary>The fingerprint of a link made while Headscale could not be asked; the first user seen with the id is taken.</summary>
    public const string Unpinned = "unpinned";
}

/// <summary>Someone the gateway knows: an identity, a role, and perhaps a Headscale user.</summary>
internal sealed record Person
{
    /// <summary>The gateway's own number.</summary>
    public required long Id { get; init; }

    public required Source Source { get; init; }

    public required string Issuer { get; init; }

    public required string Subject { get; init; }

    public string? Name { get; init; }

    public string? Email { get; init; }

    /// <summary>Whether the address may find a Headscale user, by what was known at the last sign-in.</summary>
    public bool EmailIsTrusted { get; init; }

    public string? Picture { get; init; }

    /// <summary>The name of the role as stored; the policy says what it may do.</summary>
    public required string Role { get; init; }

    /// <summary>What the role followed from when the source last decided it; null when people give it.</summary>
    public string? RoleNote { get; init; }

    /// <summary>
    /// Whether somebody gave the role by hand: then no source changes it, as long as <c>roles.manual</c> is <c>pinned</c>.
    /// </summary>
    public bool RoleIsPinned { get; init; }

    public UserLink? Link { get; init; }

    /// <summary>Whether an administrator took the link away: then nothing but an administrator links them again.</summary>
    public bool IsKeptUnlinked { get; init; }

    /// <summary>The Headscale user that they say is theirs, until somebody confirms or declines it. It gives no rights.</summary>
    public UserLink? Claim { get; init; }

    /// <summary>When they asked for a role, as long as nobody has given them one.</summary>
    public DateTimeOffset? AskedForAccess { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How people and the audit name whoever a session belongs to.</summary>
    /// <param name="person">The session's person, if still there.</param>
    public static string LabelOf(Session session, Person? person) =>
        session.PersonId is { } id ? person?.Label ?? $"person {id}" : $"key:{session.KeyPrefix}";

    /// <summary>What pages call them.</summary>
    [JsonIgnore]
    public string DisplayName => Name ?? Email ?? Subject;

    [JsonIgnore]
    public Profile Profile => new(Name, Email, EmailIsTrusted, Picture, RoleNote);

    /// <summary>How people and the audit name this identity.</summary>
    [JsonIgnore]
    public string Label => Source is Source.Proxy && Issuer.Length == 0 ? $"proxy:{Subject}" : $"{Source.Name}:{Issuer}#{Subject}";
}

/// <summary>What a source says about somebody besides who they are.</summary>
internal sealed record Profile(string? Name, string? Email, bool EmailIsTrusted, string? Picture, string? RoleNote)
{
    /// <summary>What is said now; what is not said now stays as it was.</summary>
    public Profile With(Caller caller, string? roleNote) => new(
        caller.Name ?? caller.UserName ?? Name, caller.Email ?? Email, caller.Email is null ? EmailIsTrusted : caller.EmailIsTrusted,
            caller.Picture ?? Picture, roleNote);
}

/// <summary>Someone who is not stored yet.</summary>
internal sealed record NewPerson(Source Source, string Issuer, string Subject, string? Name, string? Email, string? Picture, string Role)
{
    public bool EmailIsTrusted { get; init; }

    public static NewPerson Of(Caller caller, string role) =>
        new(
            caller.Source, caller.Issuer, caller.Subject, caller.Name ?? caller.UserName, caller.Email, caller.Picture,
            role)
        { EmailIsTrusted = caller.EmailIsTrusted };
}

/// <summary>Who becomes owner without anybody's doing.</summary>
internal enum OwnerRule
{
    /// <summary>Nobody.</summary>
    Never = 0,

    /// <summary>The first person ever stored.</summary>
    WhenFirst,

    /// <summary>This person, as long as there is no owner.</summary>
    WhenThereIsNone,
}

/// <summary>How a change to a person ended.</summary>
internal enum Change
{
    None = 0,
    Done,

    /// <summary>There is no such person.</summary>
    NoSuchPerson,

    /// <summary>There is no such token.</summary>
    NoSuchToken,

    /// <summary>The person has as many tokens as one may have.</summary>
    TooManyTokens,

    /// <summary>The Headscale user is linked to somebody else.</summary>
    Claimed,

    /// <summary>The owner can only hand ownership over.</summary>
    IsOwner,

    /// <summary>Somebody is owner already.</summary>
    OwnerExists,

    /// <summary>This identity is stored already.</summary>
    Exists,

    /// <summary>An administrator decided otherwise, and automation leaves that alone.</summary>
    Decided,
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Person))]
internal sealed partial class PersonJson : JsonSerializerContext;
