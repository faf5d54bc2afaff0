using System.Text.Json.Nodes;
using Gateway.Policy;

namespace Gateway.Loading;

/// <summary>The JSON schema of <c>routes.yaml</c>, written from the types that the reader knows.</summary>
internal static class RouteSchema
{
    /// <summary>The schema.</summary>
    /// <param name="bodyModels">The names of the body models.</param>
    public static JsonObject Make(IEnumerable<string> bodyModels) => new()
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "routes.yaml",
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = new JsonArray("roles", "routes"),
        ["properties"] = new JsonObject
        {
            ["roles"] = Described("Each role with its capabilities, highest first.", MapOf(ListOf(Capabilities()))),
            ["clusters"] = Described("Further upstreams by name.", MapOf(Text())),
            ["routes"] = new JsonObject { ["type"] = "array", ["items"] = Rule(bodyModels) },
        },
    };

    private static JsonObject Rule(IEnumerable<string> bodyModels) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = new JsonArray("id", "methods", "path"),
        ["properties"] = new JsonObject
        {
            ["id"] = Described("The name of the operation, such as nodes.list.", Text()),
            ["methods"] = ListOf(OneOf(RouteRule.AllMethods.Order(StringComparer.Ordinal))),
            ["path"] = Described("Literal segments and {name:type}.", Text()),
            ["plane"] = WordOf<Plane>(),
            ["capability"] = Capabilities(),
            ["also"] = Described("Arguments that demand one more capability.", MapOf(Capabilities())),
            ["own"] = new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = false,
                ["properties"] = new JsonObject
                {
                    ["capability"] = Capabilities(),
                    ["scope"] = WordOf<OwnScope>(),
                    ["without"] = ListOf(Text()),
                },
            },
            ["body"] = OneOf(bodyModels.Order(StringComparer.Ordinal)),
            ["query"] = MapOf(new JsonObject { ["anyOf"] = new JsonArray(WordOf<ParameterType>(), Parameter()) }),
            ["headers"] = MapOf(WordOf<ParameterType>()),
            ["since"] = Described("First minor version of Headscale that has the operation.", Number()),
            ["filter"] = WordOf<Filter>(),
            ["spares_gateway_key"] = Flag(),
            ["tunnel"] = Flag(),
            ["upgrade_only"] = Flag(),
            ["open"] = Described("A path under /api that Headscale opens to anybody.", Flag()),
            ["cluster"] = Text(),
        },
    };

    private static JsonObject Parameter() => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject
        {
            ["type"] = WordOf<ParameterType>(),
            ["since"] = Number(),
            ["until"] = Number(),
            ["ignored_otherwise"] = Flag(),
        },
    };

    private static JsonObject Capabilities() => OneOf(Policy.Capabilities.ByName.Keys.Order(StringComparer.Ordinal));

    private static JsonObject WordOf<T>()
        where T : struct, Enum =>
            OneOf(Enum.GetValues<T>().Where(value => !value.Equals(default(T))).Select(value => SnakeCase.From(value.ToString())));

    private static JsonObject OneOf(IEnumerable<string> words) =>
        new() { ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };

    private static JsonObject ListOf(JsonObject items) => new() { ["type"] = "array", ["items"] = items };

    private static JsonObject MapOf(JsonObject values) => new() { ["type"] = "object", ["additionalProperties"] = values };

    private static JsonObject Text() => new() { ["type"] = "string" };

    private static JsonObject Number() => new() { ["type"] = "integer", ["minimum"] = 0 };

    private static JsonObject Flag() => new() { ["type"] = "boolean" };

    private static JsonObject Described(string words, JsonObject schema)
    {
        schema["description"] = words;
        return schema;
    }
}
