using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Gateway.Audit;
using Gateway.Documents;
using Gateway.Edge;
using Gateway.Identity;
using Gateway.Policy;

namespace Gateway.Web.Control;

/// <summary>What a verb on the command line asks of the gateway.</summary>
/// <param name="Verb">Such as <c>users.list</c>.</param>
/// <param name="Account">Whose account at the machine it runs under, for the audit.</param>
/// <param name="Arguments">By name.</param>
internal sealed record ControlRequest(string Verb, string Account, IReadOnlyDictionary<string, string> Arguments)
{
    /// <summary>What is to be restored.</summary>
    public IReadOnlyList<Document>? Documents { get; init; }

    public string? this[string name] => Arguments.GetValueOrDefault(name);
}

/// <summary>What the gateway says.</summary>
/// <param name="Error">Why it was not done; null when it was.</param>
/// <param name="Result">What was asked for, as the verb prints it.</param>
internal sealed record ControlAnswer(string? Error, JsonElement? Result)
{
    /// <summary>What somebody should know although it was done.</summary>
    public string? Note { get; init; }

    public static ControlAnswer Done { get; } = new(null, null);

    public static ControlAnswer Fail(string error) => new(error, null);

    /// <summary>What was asked for.</summary>
    public static ControlAnswer Of<T>(T value, JsonTypeInfo<T> type) => new(null, JsonSerializer.SerializeToElement(value, type));
}

/// <summary>A person as the command line shows them.</summary>
internal sealed record PersonLine(
    long Id, string Identity, string Source, string Issuer, string Subject, string? Name, string? Email, string Role,
    string? HeadscaleUser, string? LinkSource, DateTimeOffset CreatedAt)
{
    /// <summary>Whether the address may find a Headscale user.</summary>
    public bool EmailIsTrusted { get; init; }

    /// <summary>What the role followed from; null when people give it.</summary>
    public string? RoleNote { get; init; }

    /// <summary>Whether the role was given by hand and stays.</summary>
    public bool RoleIsPinned { get; init; }

    /// <summary>Why there is no link; only where one person is shown.</summary>
    public string? WhyUnlinked { get; init; }
}

/// <summary>A session as the command line shows it.</summary>
internal sealed record SessionLine(
    long Id, string Kind, string Identity, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt, string? Client,
        string? UserAgent);

/// <summary>A token of the gateway's own as the command line shows it.</summary>
/// <param name="Person">Whom it acts for.</param>
internal sealed record TokenLine(
    long Id, string Name, string Person, string Role, IReadOnlyList<string> Networks, IReadOnlyList<string> Operations,
    DateTimeOffset CreatedAt, DateTimeOffset? RotatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt)
{
    /// <summary>The token itself, where it was made just now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Token { get; init; }

    public static TokenLine Of(Token one, string person) => new(
        one.Id, one.Name, person, one.Role, one.Networks, one.Operations, one.CreatedAt, one.RotatedAt, one.ExpiresAt, one.LastUsedAt);
}

/// <summary>An audit entry as the command line prints it, one object per line.</summary>
internal sealed record AuditEntryLine(
    long Id, DateTimeOffset At, string RequestId, string Kind, string? Actor, string? Role, string? HeadscaleUser, string? Row,
    string Method, string Path, string Reason, int? Status, string? Client, double? DurationMs, string? Detail)
{
    public string? Before { get; init; }

    public string? After { get; init; }

    /// <summary>How many it stands for.</summary>
    public long Count { get; init; } = 1;

    public DateTimeOffset? Last { get; init; }

    /// <summary>The token of a program that acted for them; null for none.</summary>
    public string? Token { get; init; }

    public static AuditEntryLine Of(AuditEntry entry) => new(
        entry.Id, entry.At, entry.RequestId, SnakeCase.From(entry.Kind.ToString()), entry.Actor, entry.Role, entry.HeadscaleUser, entry.Row,
        entry.Method, entry.Path, entry.Reason, entry.Status, entry.Client, entry.Duration, entry.Detail)
    {
        Before = entry.Before,
        After = entry.After,
        Count = entry.Count,
        Last = entry.Last,
        Token = entry.Token,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
[JsonSerializable(typeof(PersonLine))]
[JsonSerializable(typeof(IReadOnlyList<PersonLine>))]
[JsonSerializable(typeof(IReadOnlyList<SessionLine>))]
[JsonSerializable(typeof(TokenLine))]
[JsonSerializable(typeof(IReadOnlyList<TokenLine>))]
[JsonSerializable(typeof(IReadOnlyList<AuditEntryLine>))]
[JsonSerializable(typeof(AuditEntryLine))]
[JsonSerializable(typeof(AuditVerification))]
[JsonSerializable(typeof(Arrival))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(IReadOnlyList<Document>))]
internal sealed partial class ControlJson : JsonSerializerContext;
