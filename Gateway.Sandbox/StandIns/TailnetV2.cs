using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>The part of Tailscale's API that Headscale 0.30 has. Paths are split into segments below <c>/api/v2</c>.</summary>
internal sealed class TailnetV2(Tailnet tailnet, TailnetApi v1)
{
    /// <summary>The answer, or null when there is no such operation.</summary>
    public JsonObject? Answer(HttpContext context, string[] path, string body) => (context.Request.Method, path) switch
    {
        ("GET", ["tailnet", "-", "devices"]) => new JsonObject { ["devices"] = Array(tailnet.Nodes.Select(Device)) },
        (_, ["device", var id, ..]) => AnswerDevice(context.Request.Method, path[2..], tailnet.Node(Id(id)), body),
        ("GET", ["tailnet", "-", "keys"]) => new JsonObject { ["keys"] = Array(tailnet.Keys.Select(key => Key(key, isNew: false))) },
        ("POST", ["tailnet", "-", "keys"]) => CreateKey(Parse(body)),
        ("GET", ["tailnet", "-", "keys", var id]) => Key(FindKey(id), isNew: false),
        ("DELETE", ["tailnet", "-", "keys", var id]) => tailnet.Keys.Remove(FindKey(id)) ? new JsonObject() : null,
        (_, ["tailnet", "-", "acl"]) => AnswerPolicy(context, body),
        ("GET", ["tailnet", "-", "settings"]) => new JsonObject { ["devicesApprovalOn"] = false, ["devicesKeyDurationDays"] = 180 },
        ("PATCH", ["tailnet", "-", "settings"]) => throw new StandInFailure(501, "not implemented"),
        ("GET", ["tailnet", "-", "users"]) => new JsonObject { ["users"] = Array(tailnet.Users.Select(User)) },
        ("GET", ["users", var id]) => User(tailnet.User(Id(id))),
        ("POST", ["oauth", "token"]) =>
            new JsonObject
            {
                ["access_token"] = $"hskey-oauthtok-{new string('b', 12)}-{new string('c', 64)}",
                ["token_type"] = "Bearer",
                ["expires_in"] = 3600,
                ["scope"] = "all:read",
            },
        _ => null,
    };

    private JsonObject? AnswerDevice(string method, string[] rest, TailnetNode node, string body)
    {
        switch (method, rest)
        {
            case ("GET", []):
                return Device(node);
            case ("DELETE", []):
                tailnet.Nodes.Remove(node);
                return new JsonObject();
            case ("GET", ["routes"]):
                return new JsonObject { ["advertisedRoutes"] = new JsonArray(), ["enabledRoutes"] = TailnetJson.List(node.ApprovedRoutes) };
            case ("POST", ["routes"]):
                node = tailnet.Replace(node with { ApprovedRoutes = Texts(Parse(body)["routes"]) });
                return new JsonObject { ["advertisedRoutes"] = new JsonArray(), ["enabledRoutes"] = TailnetJson.List(node.ApprovedRoutes) };
            case ("POST", ["name"]):
                tailnet.Replace(node with { Name = Parse(body)["name"]!.GetValue<string>() });
                return new JsonObject();
            case ("POST", ["tags"]):
                tailnet.Replace(node with { Tags = Texts(Parse(body)["tags"]) });
                return new JsonObject();
            case ("POST", ["authorized" or "key"]):
                return new JsonObject();
            default:
                return null;
        }
    }

    /// <summary>The document as it was written, under an entity tag that changes are checked against.</summary>
    private JsonObject AnswerPolicy(HttpContext context, string body)
    {
        if (context.Request.Method == "POST")
        {
            if (context.Request.Headers.IfMatch is [{ } expected] && expected != Etag() && expected != "*")
            {
                throw new StandInFailure(412, "precondition failed");
            }

            tailnet.Policy = body;
        }

        context.Response.Headers.ETag = Etag();
        context.Items["document"] = tailnet.Policy;
        return new JsonObject();

        string Etag() => $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(tailnet.Policy ?? "")))}\"";
    }

    private JsonObject CreateKey(JsonObject body)
    {
        if (body["keyType"]?.GetValue<string>() == "client")
        {
            return new JsonObject
            {
                ["id"] = "5f0c",
                ["keyType"] = "client",
                ["key"] = "hskey-client-5f0c-" + new string('a', 64),
                ["scopes"] = body["scopes"]?.DeepClone(),
                ["tags"] = body["tags"]?.DeepClone(),
            };
        }

        return Key(v1.CreateKey(null, "2036-01-01T00:00:00Z", Texts(body["capabilities"]?["devices"]?["create"]?["tags"])), isNew: true);
    }

    private TailnetKey FindKey(string id) => tailnet.Keys.Find(one => Text(one.Id) == id) ?? throw new StandInFailure(404, "key not found");

    private JsonObject Device(TailnetNode node) => new()
    {
        ["addresses"] = new JsonArray($"100.64.0.{node.Id % 250}"),
        ["name"] = node.Name,
        ["id"] = Text(node.Id),
        ["nodeId"] = Text(node.Id),
        ["authorized"] = true,
        ["user"] = node.Tags.Count > 0 ? "tagged-devices" : tailnet.User(node.UserId).Name,
        ["tags"] = TailnetJson.List(node.Tags),
        ["hostname"] = node.Name,
    };

    private static JsonObject Key(TailnetKey key, bool isNew)
    {
        var json = new JsonObject
        {
            ["id"] = Text(key.Id),
            ["keyType"] = "auth",
            ["created"] = "2026-01-01T00:00:00Z",
            ["expires"] = key.Expiration,
            ["invalid"] = false,
            ["capabilities"] = new JsonObject
            {
                ["devices"] = new JsonObject
                {
                    ["create"] = new JsonObject
                    {
                        ["reusable"] = key.Reusable,
                        ["tags"] = TailnetJson.List(key.Tags)
                    }
                }
            },
            ["tags"] = TailnetJson.List(key.Tags),
        };
        if (key.UserId is { } user)
        {
            json["userId"] = Text(user);
        }

        if (isNew)
        {
            json["key"] = key.Key;
        }

        return json;
    }

    private static JsonObject User(TailnetUser user) => new()
    {
        ["id"] = Text(user.Id),
        ["displayName"] = user.DisplayName,
        ["loginName"] = user.Email.Length > 0 ? user.Email : user.Name,
        ["type"] = "member",
        ["role"] = "member",
        ["status"] = "active",
    };

    private static JsonObject Parse(string body) => body.Length == 0 ? [] : JsonNode.Parse(body)!.AsObject();

    private static JsonArray Array(IEnumerable<JsonNode> items) => new([.. items]);

    private static string[] Texts(JsonNode? list) => list is JsonArray array ? [.. array.Select(one => one!.GetValue<string>())] : [];

    private static string Text(ulong id) => id.ToString(CultureInfo.InvariantCulture);

    private static ulong Id(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw new StandInFailure(404, "not found");
}
