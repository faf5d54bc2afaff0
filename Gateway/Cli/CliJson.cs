using System.Text.Json.Serialization;

namespace Gateway.Cli;

/// <summary>A person as listed by <c>gateway users --json</c>.</summary>
internal sealed record PersonLine(
    long Id, string Source, string Issuer, string Subject, string? Name, string? Email, string Role,
    string? HeadscaleUser, string? LinkSource, DateTimeOffset CreatedAt)
{
    /// <summary>Whether the address may find a Headscale user.</summary>
    public bool EmailIsTrusted { get; init; }

    /// <summary>What the role followed from; null when people give it.</summary>
    public string? RoleNote { get; init; }

    /// <summary>Why there is no link; only where one person is shown.</summary>
    public string? WhyUnlinked { get; init; }
}

/// <summary>A session as listed by <c>gateway sessions --json</c>.</summary>
internal sealed record SessionLine(
    long Id, string Kind, string Identity, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt, string? Client, string? UserAgent);

/// <summary>An entry as printed by <c>gateway audit --json</c>, one object per line.</summary>
internal sealed record AuditLine(
    long Id, DateTimeOffset At, string RequestId, string Kind, string? Actor, string? Role, string? HeadscaleUser, string? Row,
    string Method, string Path, string Reason, int? Status, string? Client, double? DurationMs, string? Detail);

/// <summary>What <c>gateway explain --json</c> says.</summary>
internal sealed record Explanation(
    bool Allowed, string Reason, int Status, string? Row, string? Lacks, string View, string Text, UpstreamLine? Upstream);

/// <summary>The call that would be sent.</summary>
internal sealed record UpstreamLine(string Method, string Target, string? Body);

/// <summary>What <c>gateway check --json</c> says.</summary>
internal sealed record CheckLine(bool Ok, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<PersonLine>))]
[JsonSerializable(typeof(IReadOnlyList<SessionLine>))]
[JsonSerializable(typeof(PersonLine))]
[JsonSerializable(typeof(AuditLine))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(CheckLine))]
internal sealed partial class CliJson : JsonSerializerContext;
