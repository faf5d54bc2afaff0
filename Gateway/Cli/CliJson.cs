using System.Text.Json.Serialization;

using Gateway.Policy;

namespace Gateway.Cli;

/// <summary>What <c>gateway explain --json</c> says.</summary>
internal sealed record Explanation(
    bool Allowed, string Reason, int Status, string? Row, string? Lacks, string View, string Text, UpstreamLine? Upstream,
    IReadOnlyList<RuleCheck> Checks);

/// <summary>The call that would be sent.</summary>
internal sealed record UpstreamLine(string Method, string Target, string? Body);

/// <summary>What <c>gateway check --json</c> says.</summary>
internal sealed record CheckLine(bool Ok, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings);

/// <summary>What <c>gateway doctor --json</c> says of each step.</summary>
internal sealed record DoctorLine(string What, string Result, string Advice);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(CheckLine))]
[JsonSerializable(typeof(DoctorLine))]
internal sealed partial class CliJson : JsonSerializerContext;
