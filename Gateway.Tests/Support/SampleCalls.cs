using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Support;

/// <summary>A request that a row answers, and what it must become upstream.</summary>
internal sealed record SampleCall(string Method, string Target, string? Body);

/// <summary>Makes one call for every row of the policy, on own or on foreign things, from the row's own description.</summary>
internal sealed class SampleCalls(HeadscaleStandIn headscale)
{
    /// <summary>Headscale deletes no user who still has nodes.</summary>
    public const ulong UserWithoutNodes = 50;

    public SampleCall For(RouteRule row, ulong userId)
    {
        var user = headscale.Tailnet.User(userId);
        var node = headscale.Tailnet.Nodes.First(one => one.UserId == userId && one.Tags.Count == 0);
        var key = headscale.Tailnet.Keys.First(one => one.UserId == userId);
        var path = row.Path.Write(row.Path.Parameters.ToDictionary(name => name, name => name switch
        {
            "nodeId" => $"{node.Id}",
            "newName" => "renamed",
            "prefix" => ApiKeyFormat.PrefixOf(SpareApiKey().Key)!,
            "keyId" => $"{key.Id}",
            "id" when row.Id == "users.delete" => $"{UserWithoutNodes}",
            _ => $"{userId}",
        }));
        var query = row.Id switch
        {
            "nodes.register" => $"?key=hskey-authreq-0123&user={user.Name}",
            "keys.list" when headscale.Version < 28 => $"?user={userId}",
            "keys.delete" => $"?id={key.Id}",
            "nodes.backfill_ips" => "?confirmed=true",
            _ => "",
        };
        var body = row.Body switch
        {
            null or "expire_node" => null,
            "policy_document" => "// for people\n{\"acls\":[],}",
            _ => Body(row, user, key).ToJsonString(),
        };
        return new(row.Methods.Single(), path + query, body);
    }

    /// <summary>A key that nothing depends on; an earlier call may have ended the last one.</summary>
    private TailnetApiKey SpareApiKey()
    {
        const ulong number = 900;
        var key = headscale.Version < 28 ? $"5ba4e00.{new string('5', 32)}" : $"hskey-api-{new string('5', 12)}-{new string('6', 64)}";
        headscale.Tailnet.ApiKeys.RemoveAll(one => one.Id == number);
        headscale.Tailnet.ApiKeys.Add(new(number, key, "2036-01-01T00:00:00Z"));
        return headscale.Tailnet.ApiKeys[^1];
    }

    /// <summary>All members that this version has and that need no further capability, in the order of the model.</summary>
    private JsonObject Body(RouteRule row, TailnetUser user, TailnetKey key)
    {
        var body = new JsonObject();
        foreach (var field in Bodies.All[row.Body!].Fields.Where(one => one.IsIn(new HeadscaleVersion(headscale.Version))
            && !row.Also.ContainsKey(one.Name) && (row.Id != "apikeys.expire" || one.Name == "prefix")))
        {
            var at = body;
            var names = field.Name.Split('.');
            foreach (var name in names[..^1])
            {
                at = (at[name] ??= new JsonObject()).AsObject();
            }

            at[names[^1]] = (field.Name, field.Type) switch
            {
                ("user", FieldType.Id) => $"{user.Id}",
                ("user", _) => user.Name,
                ("id", _) => $"{key.Id}",
                ("key", _) => key.Key,
                ("policy", _) => "{}",
                ("prefix", _) => ApiKeyFormat.PrefixOf(SpareApiKey().Key),
                (_, FieldType.Time) => "2036-01-01T00:00:00Z",
                ("authorized", _) => true,
                (_, FieldType.Flag) => false,
                (_, FieldType.List) => new JsonArray(field.Name == "tags" ? "tag:new" : "10.0.0.0/24"),
                (_, FieldType.Number) => 86400,
                _ => field.OneOf?[0] ?? "text",
            };
        }

        return body;
    }
}
