using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Gateway.Sandbox.StandIns;

/// <summary>The part of Tailscale's API that Headscale 0.30 has. Paths are split into segments below <c>/api/v2</c>.</summary>
internal sealed class TailnetV2(Tailnet tailnet, TailnetApi v1)
{
    private static readonly string _hex = new('a', 64);

    /// <summary>The answer, or null when there is no such operation.</summary>
    public JsonObject? Answer(HttpContext context, string[] path, string body) => (context.Request.Method, path) switch
    {
        (_, ["tailnet", not "-", ..]) => throw new StandInFailure(404, "tailnet not found"),
        ("GET", ["tailnet", "-", "devices"]) => new JsonObject { ["devices"] = Array(tailnet.Nodes.Select(Device)) },
        (_, ["device", var id, ..]) => AnswerDevice(
            context.Request.Method, path[2..], tailnet.FindNode(Id(id)) ?? throw new StandInFailure(404, "device not found"), body),
        ("GET", ["tailnet", "-", "keys"]) => new JsonObject { ["keys"] = Array(tailnet.Keys.Select(key => Key(key, isNew: false))) },
        ("POST", ["tailnet", "-", "keys"]) => CreateKey(Parse(body)),
        ("GET", ["tailnet", "-", "keys", var id]) => Key(FindKey(id), isNew: false),
        ("DELETE", ["tailnet", "-", "keys", var id]) => tailnet.Keys.Remove(FindKey(id)) ? new JsonObject() : null,
        (_, ["tailnet", "-", "acl"]) => AnswerPolicy(context, body),
        ("GET", ["tailnet", "-", "settings"]) => Settings(),
        ("PATCH", ["tailnet", "-", "settings"]) => throw new StandInFailure(501, "updating tailnet settings is not supported by Headscale"),
        ("GET", ["tailnet", "-", "users"]) => new JsonObject
        {
            ["users"] = Array(tailnet.Users.Where(_ => context.Request.Query["type"].ToString() is "" or "member").Select(User)),
        },
        ("GET", ["users", var id]) => User(
            tailnet.FindUser(Id(id)) ?? throw new StandInFailure(404, "looking up user") { Cause = "user not found" }),
        ("POST", ["oauth", "token"]) =>
            Token(QueryHelpers.ParseQuery(body)),
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
                var routes = Texts(Parse(body)["routes"]);
                Refuse(routes.Any(one => !one.Contains('/', StringComparison.Ordinal)), "parsing route", "no '/'");
                node = tailnet.Replace(node with { ApprovedRoutes = routes });
                return new JsonObject { ["advertisedRoutes"] = new JsonArray(), ["enabledRoutes"] = TailnetJson.List(node.ApprovedRoutes) };
            case ("POST", ["name"]):
                var name = Parse(body)["name"]?.GetValue<string>() ?? throw Missing("name", "");
                Refuse(name.Contains(' ', StringComparison.Ordinal), "renaming device", "given name is not a valid DNS label");
                tailnet.Replace(node with { Name = name });
                return new JsonObject();
            case ("POST", ["tags"]):
                var tags = Texts(Parse(body)["tags"]);
                Refuse(tags.Any(one => !one.StartsWith("tag:", StringComparison.Ordinal)), "setting device tags", "tags are invalid");
                tailnet.Replace(node with { Tags = tags });
                return new JsonObject();
            case ("POST", ["authorized"]) when !Parse(body)["authorized"]!.GetValue<bool>():
                throw new StandInFailure(400, "Headscale does not support de-authorizing a device; delete or expire it instead");
            case ("POST", ["authorized" or "key"]):
                return new JsonObject();
            default:
                return null;
        }
    }

    private static void Refuse(bool isWrong, string what, string cause)
    {
        if (isWrong)
        {
            throw new StandInFailure(400, what) { Cause = cause };
        }
    }

    private static StandInFailure Missing(string name, string at) =>
        new(422, "validation failed") { Cause = $"expected required property {name} to be present (body{at})" };

    private static JsonObject Settings() => new()
    {
        ["aclsExternallyManagedOn"] = false,
        ["aclsExternalLink"] = "",
        ["devicesApprovalOn"] = false,
        ["devicesAutoUpdatesOn"] = false,
        ["devicesKeyDurationDays"] = 0,
        ["usersApprovalOn"] = false,
        ["usersRoleAllowedToJoinExternalTailnets"] = "none",
        ["networkFlowLoggingOn"] = false,
        ["regionalRoutingOn"] = false,
        ["postureIdentityCollectionOn"] = false,
        ["httpsEnabled"] = false,
    };

    /// <summary>A token for a client that this Headscale made, with its scopes; a seeded tailnet knows every client.</summary>
    private JsonObject Token(Dictionary<string, StringValues> form)
    {
        var scopes = tailnet.Clients.GetValueOrDefault($"{form.GetValueOrDefault("client_secret")}");
        if (scopes is null && tailnet.IsFresh)
        {
            throw new StandInFailure(401, "invalid_client");
        }

        var token = $"hskey-oauthtok-{new string('b', 12)}-{new string('c', 64)}";
        tailnet.Tokens[token] = scopes ?? "all:read";
        return new() { ["access_token"] = token, ["token_type"] = "Bearer", ["expires_in"] = 3600, ["scope"] = tailnet.Tokens[token] };
    }

    /// <summary>The document as it was written, under an entity tag that changes are checked against.</summary>
    private JsonObject AnswerPolicy(HttpContext context, string body)
    {
        if (context.Request.Method == "POST")
        {
            if (context.Request.Headers.IfMatch is [{ } expected] && expected != Etag() && expected != "*")
            {
                throw new StandInFailure(412, "precondition failed, invalid old hash");
            }

            Refuse(PolicyRules.Problem(body, 30) is not null, "setting policy", PolicyRules.Problem(body, 30) ?? "");
            tailnet.Policy = body;
        }

        context.Response.Headers.ETag = Etag();
        context.Items["document"] = tailnet.Policy;
        context.Response.ContentType = context.Request.Headers.Accept == "application/hujson" ? "application/hujson" : "application/json";
        return new JsonObject();

        string Etag() => $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(tailnet.Policy ?? "")))}\"";
    }

    private JsonObject CreateKey(JsonObject body)
    {
        if (body["keyType"]?.GetValue<string>() == "client")
        {
            return Client(body);
        }

        var create = body["capabilities"]?["devices"]?["create"] ?? throw new StandInFailure(
            400, "an auth key without tags must be created with a user-owned API key");
        foreach (var name in (string[])["ephemeral", "preauthorized", "reusable", "tags"])
        {
            _ = create[name] ?? (tailnet.IsFresh ? throw Missing(name, ".capabilities.devices.create") : null);
        }

        var seconds = body["expirySeconds"]?.GetValue<long>();
        var key = Key(
            v1.CreateKey(
                null, "2036-01-01T00:00:00Z", Texts(create["tags"]), create["reusable"]?.GetValue<bool>() ?? false,
                create["ephemeral"]?.GetValue<bool>() ?? false), isNew: true);
        if (body["description"] is { } description)
        {
            key["description"] = description.DeepClone();
        }

        if (seconds is { } given)
        {
            key["expirySeconds"] = given;
        }

        return key;
    }

    private JsonObject Client(JsonObject body)
    {
        var id = TailnetApi.Hex(6);
        var secret = $"hskey-client-{id}-{TailnetApi.Hex(32)}";
        tailnet.Clients[secret] = string.Join(' ', Texts(body["scopes"]));
        var client = new JsonObject
        {
            ["id"] = id,
            ["keyType"] = "client",
            ["key"] = secret,
            ["created"] = "2026-01-01T00:00:00Z",
            ["invalid"] = false,
            ["capabilities"] = Capabilities(isReusable: false, isEphemeral: false, isPreauthorized: false, null),
            ["scopes"] = body["scopes"]?.DeepClone(),
        };
        foreach (var name in (string[])["description", "tags"])
        {
            if (body[name] is { } value)
            {
                client[name] = value.DeepClone();
            }
        }

        return client;
    }

    private static JsonObject Capabilities(bool isReusable, bool isEphemeral, bool isPreauthorized, JsonArray? tags) => new()
    {
        ["devices"] = new JsonObject
        {
            ["create"] = new JsonObject
            {
                ["reusable"] = isReusable,
                ["ephemeral"] = isEphemeral,
                ["preauthorized"] = isPreauthorized,
                ["tags"] = tags,
            },
        },
    };

    private TailnetKey FindKey(string id) =>
        tailnet.Keys.Find(one => Text(one.Id) == id) ?? throw new StandInFailure(404, "auth key not found");

    private JsonObject Device(TailnetNode node) => new()
    {
        ["addresses"] = TailnetJson.List(node.Addresses),
        ["name"] = node.Name,
        ["id"] = Text(node.Id),
        ["nodeId"] = Text(node.Id),
        ["authorized"] = true,
        ["user"] = node.Tags.Count > 0 ? "tagged-devices" : tailnet.User(node.UserId).Name,
        ["tags"] = TailnetJson.List(node.Tags),
        ["keyExpiryDisabled"] = false,
        ["created"] = node.CreatedAt,
        ["expires"] = node.Expiry ?? TailnetCall.Never,
        ["hostname"] = node.Host,
        ["isEphemeral"] = false,
        ["lastSeen"] = node.LastSeen ?? TailnetCall.Never,
        ["machineKey"] = "mkey:" + _hex,
        ["nodeKey"] = "nodekey:" + _hex,
        ["os"] = "",
        ["clientVersion"] = "",
        ["updateAvailable"] = false,
    };

    private static JsonObject Key(TailnetKey key, bool isNew)
    {
        var json = new JsonObject
        {
            ["id"] = Text(key.Id),
            ["keyType"] = "auth",
            ["created"] = "2026-01-01T00:00:00Z",
            ["expires"] = key.Expiration,
            ["invalid"] = key.Expiration == TailnetCall.Never,
            ["capabilities"] = Capabilities(key.Reusable, key.Ephemeral, isPreauthorized: true, TailnetJson.List(key.Tags)),
        };
        if (key.Tags.Count > 0)
        {
            json["tags"] = TailnetJson.List(key.Tags);
        }

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

    private JsonObject User(TailnetUser user)
    {
        var json = new JsonObject
        {
            ["id"] = Text(user.Id),
            ["displayName"] = user.DisplayName.Length > 0 ? user.DisplayName : user.Name,
            ["loginName"] = user.Email.Length > 0 ? user.Email : user.Name,
            ["profilePicUrl"] = user.PictureUrl,
            ["tailnetId"] = "1",
            ["created"] = "2026-01-01T00:00:00Z",
            ["type"] = "member",
            ["role"] = "member",
            ["status"] = "active",
            ["deviceCount"] = tailnet.Nodes.Count(one => one.UserId == user.Id && one.Tags.Count == 0),
        };
        if (tailnet.Nodes.Exists(one => one.UserId == user.Id && one.Tags.Count == 0))
        {
            json["lastSeen"] = "2026-01-01T00:00:00Z";
        }

        json["currentlyConnected"] = false;
        return json;
    }

    private static JsonObject Parse(string body) => body.Length == 0 ? [] : JsonNode.Parse(body)!.AsObject();

    private static JsonArray Array(IEnumerable<JsonNode> items) => new([.. items]);

    private static string[] Texts(JsonNode? list) => list is JsonArray array ? [.. array.Select(one => one!.GetValue<string>())] : [];

    private static string Text(ulong id) => id.ToString(CultureInfo.InvariantCulture);

    private static ulong Id(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
            : throw new StandInFailure(404, "device not found");
}
