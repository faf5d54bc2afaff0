using System.Text.Json;

namespace Gateway.Sandbox.StandIns;

/// <summary>The part of Headscale's check of a policy that calls meet; its tests of reach are not run.</summary>
internal static class PolicyRules
{
    private static readonly JsonDocumentOptions _huJson = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private static readonly HashSet<string> _sections =
        ["groups", "hosts", "tagOwners", "acls", "autoApprovers", "ssh", "randomizeClientPort", "grants", "nodeAttrs", "tests", "sshTests"];

    /// <summary>What is wrong with a policy; null: nothing that this version looks for.</summary>
    public static string? Problem(string policy, int version)
    {
        if (policy.Length == 0)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(policy, _huJson);
            var root = document.RootElement;
            return root.ValueKind != JsonValueKind.Object ? "no object"
                : version > 26 && root.EnumerateObject().Select(one => one.Name).FirstOrDefault(one => !IsKnown(one, version)) is { } name
                    ? $"unknown field: \"{name}\""
                : Rules(root).Select(rule => Problem(rule, root, version)).FirstOrDefault(problem => problem is not null);
        }
        catch (JsonException e)
        {
            return $"parsing HuJSON: {e.Message}";
        }
    }

    /// <summary>Whether a policy names the owners of a tag.</summary>
    public static bool IsOwned(string tag, string? policy)
    {
        if (policy is not { Length: > 0 })
        {
            return false;
        }

        using var document = JsonDocument.Parse(policy, _huJson);
        return Has(document.RootElement, "tagOwners", tag);
    }

    private static bool IsKnown(string section, int version) => _sections.Contains(section)
        && (version >= 29 || section is not ("tests" or "sshTests" or "grants" or "nodeAttrs" or "randomizeClientPort"));

    private static JsonElement.ArrayEnumerator Rules(JsonElement root) =>
        root.TryGetProperty("acls", out var acls) && acls.ValueKind == JsonValueKind.Array ? acls.EnumerateArray() : default;

    private static string? Problem(JsonElement rule, JsonElement root, int version)
    {
        if (rule.ValueKind != JsonValueKind.Object)
        {
            return "a rule is no object";
        }

        if (rule.TryGetProperty("action", out var action) && action.GetString() != "accept")
        {
            return "invalid action";
        }

        var sources = Texts(rule, "src").ToArray();
        return sources.FirstOrDefault(one => IsUndefined(one, "group:", "groups", root)) is { } group
                ? $"group not defined in policy: \"{group}\""
            : sources.FirstOrDefault(one => IsUndefined(one, "tag:", "tagOwners", root)) is { } tag ? $"src=tag not found: \"{tag}\""
            : version > 26 && Texts(rule, "dst").Any(one => !one.Contains(':', StringComparison.Ordinal)) ? "dst without a port"
            : null;
    }

    private static bool IsUndefined(string source, string prefix, string section, JsonElement root) =>
        source.StartsWith(prefix, StringComparison.Ordinal) && !Has(root, section, source);

    private static bool Has(JsonElement root, string section, string name) =>
        root.TryGetProperty(section, out var members) && members.ValueKind == JsonValueKind.Object && members.TryGetProperty(name, out _);

    private static IEnumerable<string> Texts(JsonElement rule, string name) =>
        rule.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(one => one.GetString() ?? "") : [];
}
