using System.Text.Json;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>Says in words what a change is about, for the audit: an id alone tells nobody which device it was.</summary>
internal sealed class ChangeSubjects(HeadscaleClient client, UserDirectory directory, OwnerLookup owners)
{
    private const int LongestName = 64;

    /// <summary>What a call names, as it was before; null when it names nothing, or that could not be found out.</summary>
    public async ValueTask<string?> DescribeAsync(RouteRule rule, Call call, CancellationToken cancel)
    {
        try
        {
            if (call.Path.TryGetValue("nodeId", out var nodeId))
            {
                return (owners.RecentNode(nodeId) ?? await client.DescribeNodeAsync(nodeId, cancel)) is { } node
                    ? $"node {nodeId} {Cut(node.GivenName)}{(node.User is { } owner ? $" of {Cut(owner.Name)}" : "")}"
                    : null;
            }

            var userId = rule.Path.Parameters.Intersect(["oldId", "id"]).Select(name => call.Path[name]).FirstOrDefault();
            return userId is not null && (await directory.GetAsync(cancel)).Find(userId) is { } user ? $"user {Cut(user.Label)}" : null;
        }
        catch (HeadscaleException)
        {
            // The call itself will meet the same trouble and say so.
            return null;
        }
    }

    /// <summary>What an answer says came to be; null when it says nothing of the kind. No key is ever part of it.</summary>
    public static string? MadeBy(ReadOnlySpan<byte> answer)
    {
        try
        {
            var reader = new Utf8JsonReader(answer);
            using var json = JsonDocument.ParseValue(ref reader);
            var root = json.RootElement;
            return root.ValueKind is not JsonValueKind.Object ? null
                : root.Thing("node") is { } node ? $"node {node.Text("id")} {Cut(node.Text("givenName"))}"
                : root.Thing("user") is { } user ? $"user {user.Text("id")} {Cut(user.Text("name"))}"
                : root.Thing("preAuthKey") is { } key ? $"key {key.Text("id")}"
                : root.Text("apiKey") is { Length: > 0 } apiKey && ApiKeyFormat.PrefixOf(apiKey) is { } prefix ? $"API key {prefix}"
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Cut(string text) => text.Length > LongestName ? text[..LongestName] : text;
}
