using System.Collections.Frozen;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Loading;

/// <summary>Reads one rule of <c>routes.yaml</c>.</summary>
internal sealed class RouteRuleReader(IReadOnlySet<string> bodyModels, IReadOnlyDictionary<string, Uri> clusters)
{
    /// <summary>The rule, or null when something in it is wrong.</summary>
    public RouteRule? Read(YamlMap map)
    {
        var before = map.Problems.Errors.Count;
        var plane = Word<Plane>(map, "plane", Plane.Api);
        var path = ReadPath(map, plane);
        var rule = path is null ? null : new RouteRule
        {
            Id = map.Text("id", ""),
            Methods = RouteFile.ReadMethods(map),
            Path = path,
            Plane = plane,
            Capability = ReadCapability(map, "capability"),
            Also = ReadAlso(map),
            Own = ReadOwn(map.Map("own")),
            Body = ReadBody(map),
            Query = ReadQuery(map),
            Headers = ReadTypes(map, "headers"),
            Since = map.Number("since", 0, 0, 999),
            Filter = Word<Filter>(map, "filter", Filter.None),
            SparesGatewayKey = map.Flag("spares_gateway_key", false),
            Tunnel = map.Flag("tunnel", false),
            UpgradeOnly = map.Flag("upgrade_only", false),
            Cluster = map.Text("cluster", RouteRule.Headscale),
        };
        if (rule is not null)
        {
            Check(map, rule);
        }

        return map.Problems.Errors.Count == before ? rule : null;
    }

    private void Check(YamlMap map, RouteRule rule)
    {
        if (rule.Id.Length == 0)
        {
            map.Complain("id", "missing; give the rule a name such as nodes.list");
        }

        if (rule is { Plane: Plane.Api, Capability: Capability.None } && !map.Has("capability"))
        {
            map.Complain("capability", "missing; name the capability that the operation needs");
        }

        if (rule is { Plane: Plane.Client }
            && (rule.Capability is not Capability.None || rule.Own is not null || rule.Filter is not Filter.None || rule.Body is not null
                || rule.SparesGatewayKey))
        {
            map.Complain("plane", "nobody is asked who they are on the client plane: capability, own, filter and body do not belong here");
        }

        if (rule.Path.HasRest && (rule.Plane is not Plane.Client || rule.Cluster == RouteRule.Headscale))
        {
            map.Complain("path", "'rest' is for rows of the client plane that lead to another cluster; Headscale's paths are all known");
        }

        if (rule.Tunnel && rule.Plane is not Plane.Client)
        {
            map.Complain("tunnel", "only the client plane has tunnels");
        }

        if (rule.Own is { Scope: OwnScope.List } && rule.Filter is Filter.None)
        {
            map.Complain("own", "a list of own items needs a filter");
        }

        if (rule.Own is { Scope: OwnScope.Node } && !rule.Path.Parameters.Contains("nodeId"))
        {
            map.Complain("own", "the path has no {nodeId:id} whose owner could be looked up");
        }

        if (rule.Cluster != RouteRule.Headscale && !clusters.ContainsKey(rule.Cluster))
        {
            map.Complain("cluster", $"there is no cluster '{rule.Cluster}'{Problems.Suggest(rule.Cluster, clusters.Keys)}");
        }
    }

    private static PathTemplate? ReadPath(YamlMap map, Plane plane)
    {
        if (map.Text("path") is not { } text)
        {
            map.Complain("path", "missing");
            return null;
        }

        var path = PathTemplate.Parse(text, out var complaint);
        if (complaint is not null)
        {
            map.Complain("path", complaint);
        }
        else if (plane is Plane.Client == text.StartsWith("/api/", StringComparison.Ordinal) && !map.Flag("open", false))
        {
            map.Complain("path", "the API plane is what lies under /api/, and nothing else");
            return null;
        }

        return path;
    }

    private static Capability ReadCapability(YamlMap map, string key)
    {
        if (map.Text(key) is not { } word)
        {
            return Capability.None;
        }

        if (!Capabilities.ByName.TryGetValue(word, out var capability))
        {
            map.Complain(key, $"there is no capability '{word}'{Problems.Suggest(word, Capabilities.ByName.Keys)}");
        }

        return capability;
    }

    private static FrozenDictionary<string, Capability> ReadAlso(YamlMap map)
    {
        var also = new Dictionary<string, Capability>(StringComparer.Ordinal);
        if (map.Map("also") is { } section)
        {
            foreach (var argument in section.Keys.ToArray())
            {
                also[argument] = ReadCapability(section, argument);
            }
        }

        return also.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static OwnRule? ReadOwn(YamlMap? map)
    {
        if (map is null)
        {
            return null;
        }

        if (!map.Has("capability"))
        {
            map.Complain("capability", "missing; name the capability that grants the right on one's own");
        }

        var scope = Word<OwnScope>(map, "scope", OwnScope.None);
        if (scope is OwnScope.None)
        {
            map.Complain("scope", "missing; say how ownership is established");
        }

        return new OwnRule(ReadCapability(map, "capability"), scope, map.Texts("without") ?? []);
    }

    private string? ReadBody(YamlMap map)
    {
        var body = map.Text("body");
        if (body is not null && !bodyModels.Contains(body))
        {
            map.Complain("body", $"there is no body model '{body}'{Problems.Suggest(body, bodyModels)}");
        }

        return body;
    }

    /// <summary>Each parameter by its type alone, or as a section with the versions that read it.</summary>
    private static FrozenDictionary<string, QueryParameter> ReadQuery(YamlMap map)
    {
        var query = new Dictionary<string, QueryParameter>(StringComparer.Ordinal);
        if (map.Map("query") is { } section)
        {
            foreach (var name in section.Keys.ToArray())
            {
                query[name] = section.IsMap(name) && section.Map(name) is { } parameter
                    ? new QueryParameter(
                        Word<ParameterType>(parameter, "type", ParameterType.None),
                        parameter.Number("since", 0, 0, 999),
                        parameter.Number("until", int.MaxValue, 0, int.MaxValue),
                        parameter.Flag("ignored_otherwise", false))
                    : new QueryParameter(Word<ParameterType>(section, name, ParameterType.None));
            }
        }

        return query.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static FrozenDictionary<string, ParameterType> ReadTypes(YamlMap map, string key)
    {
        var types = new Dictionary<string, ParameterType>(StringComparer.Ordinal);
        if (map.Map(key) is { } section)
        {
            foreach (var name in section.Keys.ToArray())
            {
                types[name] = Word<ParameterType>(section, name, ParameterType.None);
            }
        }

        return types.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The enum member written in snake case; its zero value cannot be written.</summary>
    private static T Word<T>(YamlMap map, string key, T fallback)
        where T : struct, Enum
    {
        if (map.Text(key) is not { } word)
        {
            return fallback;
        }

        var known = Enum.GetValues<T>().Where(one => !one.Equals(default(T)))
            .ToDictionary(one => SnakeCase.From(one.ToString()), StringComparer.Ordinal);
        if (!known.TryGetValue(word, out var value))
        {
            map.Complain(key, $"'{word}' is not one of {string.Join(", ", known.Keys.Order())}{Problems.Suggest(word, known.Keys)}");
        }

        return value;
    }
}
