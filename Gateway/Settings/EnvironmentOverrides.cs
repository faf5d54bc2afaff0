
namespace Gateway.Settings;

/// <summary>
/// <c>HEADTOWER_SERVER__BASE_URL</c> overrides <c>server.base_url</c>; Headplane's prefix is accepted too. Names without
/// a double underscore are not settings: Kubernetes puts <c>HEADTOWER_PORT</c> there for a service of that name.
/// </summary>
internal static class EnvironmentOverrides
{
    private static readonly string[] _prefixes = ["HEADPLANE_", "HEADTOWER_"];
    private static readonly string[] _foreign =
    [
        "AGENT_", "BASE_PATH", "BIND", "DB_PATH", "OIDC_", "SECRET", "SESSION_SECRET", "UPDATE_CHECK", "VERSION_URL",
    ];

    public static void Apply(YamlValue.Mapping root, IReadOnlyDictionary<string, string> environment, Problems problems)
    {
        NameForeign(environment, problems);
        foreach (var prefix in _prefixes)
        {
            // An empty variable is none: it takes nothing away that the file says.
            foreach (var (name, value) in environment.Where(one => IsSetting(one.Key, prefix)
                && SecretFiles.WithoutNewline(one.Value).Length > 0).OrderBy(one => one.Key, StringComparer.Ordinal))
            {
                Set(root, name[prefix.Length..].ToLowerInvariant().Split("__"), value, $"environment {name}", problems);
            }
        }
    }

    /// <summary>
    /// What the product called Headtower reads, and the gateway does not; other names with one underscore are often Kubernetes' own.
    /// </summary>
    private static void NameForeign(IReadOnlyDictionary<string, string> environment, Problems problems)
    {
        foreach (var name in environment.Keys.Where(one => !one.Contains("__", StringComparison.Ordinal)
            && _foreign.Any(start => one.StartsWith("HEADTOWER_" + start, StringComparison.Ordinal))).Order(StringComparer.Ordinal))
        {
            problems.Warn(
                $"environment {name}",
                "this is a variable of another product and not used by the gateway; its own are written like HEADTOWER_SERVER__BASE_URL");
        }
    }

    private static bool IsSetting(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && name.AsSpan(prefix.Length).Contains("__", StringComparison.Ordinal);

    private static void Set(YamlValue.Mapping root, string[] path, string value, string where, Problems problems)
    {
        var map = root;
        foreach (var part in path[..^1])
        {
            if (!map.Members.TryGetValue(part, out var next) || next is YamlValue.Scalar { Text: null })
            {
                map.Members[part] = next = YamlValue.Mapping.Empty(where);
                map.KeyPlaces[part] = where;
            }

            if (next is not YamlValue.Mapping inner)
            {
                problems.Add(where, $"'{part}' is not a section");
                return;
            }

            map = inner;
        }

        map.Members[path[^1]] = new YamlValue.Scalar(SecretFiles.WithoutNewline(value), where, FromEnvironment: true);
        map.KeyPlaces[path[^1]] = where;
    }
}
