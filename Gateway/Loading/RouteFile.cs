using System.Collections.Frozen;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Loading;

/// <summary>Reads <c>routes.yaml</c>. What is not understood completely is not a policy.</summary>
internal static class RouteFile
{
    public const string FileName = "routes.yaml";

    /// <summary>The policy that the product brings along.</summary>
    public static string Shipped()
    {
        using var stream = typeof(RouteFile).Assembly.GetManifestResourceStream(FileName)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The file that is used: the argument, the environment, or beside the configuration. Null: the shipped policy.</summary>
    public static string? Find(string? argument, string? configFile, IReadOnlyDictionary<string, string> environment)
    {
        var beside = Path.Combine(Path.GetDirectoryName(configFile) ?? "", FileName);
        return argument ?? environment.GetValueOrDefault("HEADTOWER_ROUTES") ?? (File.Exists(beside) ? beside : null);
    }

    /// <summary>Reads a policy, whose rows may name these body models; null when there is an error in it.</summary>
    public static RouteTable? Parse(string text, string file, IReadOnlySet<string> bodyModels, Problems problems)
    {
        var before = problems.Errors.Count;
        var root = new YamlMap(YamlTree.Parse(text, file, problems), "", problems);
        if (problems.Errors.Count > before)
        {
            return null;
        }

        var roles = ReadRoles(root);
        var clusters = ReadClusters(root);
        var reader = new RouteRuleReader(bodyModels, clusters);
        var rows = new List<RouteRule>();
        foreach (var map in root.Maps("routes"))
        {
            if (reader.Read(map) is { } row)
            {
                CheckAgainst(rows, row, map);
                rows.Add(row);
            }
        }

        if (!root.Has("routes"))
        {
            root.Complain("routes", "missing; without a row nothing is reachable");
        }

        root.RejectUnknownKeys();
        return problems.Errors.Count == before ? new RouteTable(roles, rows, clusters) : null;
    }

    /// <summary>The row's methods, in the file's own list or all that HTTP has for client rows.</summary>
    public static FrozenSet<string> ReadMethods(YamlMap map)
    {
        var methods = map.Texts("methods") ?? [];
        if (methods.Count == 0)
        {
            map.Complain("methods", "missing; list the methods, such as [GET]");
        }

        foreach (var wrong in methods.Where(one => !RouteRule.AllMethods.Contains(one)))
        {
            map.Complain("methods", $"'{wrong}' is not one of {string.Join(", ", RouteRule.AllMethods.Order())}");
        }

        return methods.ToFrozenSet(StringComparer.Ordinal);
    }

    private static List<Role> ReadRoles(YamlMap root)
    {
        var roles = new List<Role>();
        if (root.Map("roles") is not { } map)
        {
            root.Complain("roles", "missing; list the roles, highest first, each with its capabilities");
            return roles;
        }

        foreach (var name in map.Keys.ToArray())
        {
            var held = new HashSet<Capability>();
            foreach (var word in map.Texts(name) ?? [])
            {
                if (Capabilities.ByName.TryGetValue(word, out var capability))
                {
                    held.Add(capability);
                }
                else
                {
                    map.Complain(name, $"there is no capability '{word}'{Problems.Suggest(word, Capabilities.ByName.Keys)}");
                }
            }

            roles.Add(new Role(name, roles.Count, held));
        }

        if (roles is not [{ IsOwner: true }, ..])
        {
            root.Complain("roles", "the first role must be 'owner': ranks follow the order of the file");
        }

        if (roles.TrueForAll(role => role.Name != Role.MemberName))
        {
            root.Complain("roles", "the role 'member' is missing: it is what someone new gets");
        }

        return roles;
    }

    private static FrozenDictionary<string, Uri> ReadClusters(YamlMap root)
    {
        var clusters = new Dictionary<string, Uri>(StringComparer.Ordinal);
        if (root.Map("clusters") is { } map)
        {
            foreach (var name in map.Keys.ToArray())
            {
                if (name == RouteRule.Headscale)
                {
                    map.Complain(name, "this name belongs to headscale.url in the configuration");
                }
                else if (map.Url(name) is { } url)
                {
                    clusters[name] = url;
                }
            }
        }

        return clusters.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void CheckAgainst(List<RouteRule> rows, RouteRule row, YamlMap map)
    {
        foreach (var other in rows)
        {
            if (other.Id == row.Id)
            {
                map.Complain("id", $"there is another row '{row.Id}'");
            }

            if (other.Methods.Overlaps(row.Methods) && other.Path.Overlaps(row.Path))
            {
                map.Complain("path", $"row '{other.Id}' already answers some of these requests");
            }
        }
    }
}
