using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>Headscale's v1 API as one version answers it. Paths are split into segments below <c>/api/v1</c>.</summary>
internal sealed class TailnetApi(Tailnet tailnet, int version)
{
    private const string Never = "0001-01-01T00:00:00Z";

    private readonly TailnetJson _json = new(tailnet, version);

    /// <summary>The answer, or null when there is no such operation in this version.</summary>
    public JsonObject? Answer(string method, string[] path, IQueryCollection query, JsonObject body) => (method, path) switch
    {
        ("GET", ["user"]) => ListUsers(query),
        ("POST", ["user"]) => CreateUser(body),
        ("POST", ["user", var id, "rename", var name]) => RenameUser(Id(id), name),
        ("DELETE", ["user", var id]) => DeleteUser(Id(id)),
        ("GET", ["preauthkey"]) => ListKeys(query),
        ("POST", ["preauthkey"]) => CreateKey(body),
        ("POST", ["preauthkey", "expire"]) => ExpireKey(body),
        ("DELETE", ["preauthkey"]) when version >= 28 => DeleteKey(Id(query["id"].ToString())),
        ("GET", ["apikey"]) => new() { ["apiKeys"] = Array(tailnet.ApiKeys.Select(_json.ApiKey)) },
        ("POST", ["apikey"]) => new() { ["apiKey"] = CreateApiKey(Text(body, "expiration")).Key },
        ("POST", ["apikey", "expire"]) =>
            EndApiKey(Text(body, "prefix"), Text(body, "id"), key => key with { Expiration = "2026-01-02T00:00:00Z" }),
        ("DELETE", ["apikey", var prefix]) => EndApiKey(prefix, null, _ => null),
        ("GET", ["policy"]) =>
            new()
            {
                ["policy"] = tailnet.Policy ?? throw new StandInFailure(500, "acl policy not found"),
                ["updatedAt"] = "2026-01-01T00:00:00Z",
            },
        ("PUT", ["policy"]) => new() { ["policy"] = tailnet.Policy = Text(body, "policy"), ["updatedAt"] = "2026-01-01T00:00:00Z" },
        ("POST", ["policy", "check"]) when version >= 29 => [],
        ("GET", ["health"]) when version >= 27 => new() { ["databaseConnectivity"] = true },
        ("POST", ["auth", "register"]) when version >= 29 => Register(Text(body, "user")!),
        ("POST", ["auth", "approve" or "reject"]) when version >= 29 => [],
        ("POST", ["debug", "node"]) => Register(Text(body, "user")!),
        (_, ["node", ..]) => AnswerNode(method, path[1..], query, body),
        _ => null,
    };

    public TailnetApiKey CreateApiKey(string? expiration)
    {
        var id = tailnet.NextId++;
        var key = version < 28 ? $"{Hex(4)[..7]}.{Hex(16)}" : $"hskey-api-{Hex(6)}-{Hex(32)}";
        var made = new TailnetApiKey(id, key, expiration ?? Never);
        tailnet.ApiKeys.Add(made);
        return made;
    }

    /// <summary>0.28 and later take the prefix bare or as lists show it, or the id.</summary>
    private JsonObject EndApiKey(string? prefix, string? id, Func<TailnetApiKey, TailnetApiKey?> change)
    {
        var bare = prefix?.TrimEnd('*').TrimEnd('-').Replace("hskey-api-", "", StringComparison.Ordinal);
        var at = tailnet.ApiKeys.FindIndex(
            one => (id is not null && $"{one.Id}" == id)
                || (bare is { Length: > 0 } && one.Key.Replace("hskey-api-", "", StringComparison.Ordinal)
                    .StartsWith(bare, StringComparison.Ordinal)));
        if (at >= 0)
        {
            var changed = change(tailnet.ApiKeys[at]);
            tailnet.ApiKeys.RemoveAt(at);
            tailnet.ApiKeys.InsertRange(at, changed is null ? [] : [changed]);
        }

        return [];
    }

    public TailnetKey CreateKey(ulong? user, string expiration, IReadOnlyList<string> tags, bool reusable = false, bool ephemeral = false)
    {
        var key = new TailnetKey(
            tailnet.NextId++, version < 28 ? Hex(24) : $"hskey-auth-{Hex(6)}-{Hex(32)}", user,
            expiration)
        { Tags = tags, Reusable = reusable, Ephemeral = ephemeral };
        tailnet.Keys.Add(key);
        return key;
    }

    private JsonObject? AnswerNode(string method, string[] path, IQueryCollection query, JsonObject body) => (method, path) switch
    {
        ("GET", []) =>
            new()
            {
                ["nodes"] = Array(tailnet.Nodes.Where(one => !query.ContainsKey("user")
                || tailnet.User(one.UserId).Name == query["user"]).Select(one => _json.Node(one, inList: true)))
            },
        ("POST", ["register"]) => Register(query["user"].ToString()),
        ("POST", ["backfillips"]) => new() { ["changes"] = new JsonArray() },
        ("GET", [var id]) => Node(tailnet.Node(Id(id))),
        ("DELETE", [var id]) => DeleteNode(Id(id)),
        ("POST", [var id, "expire"]) => Node(tailnet.Replace(tailnet.Node(Id(id)) with { Expiry = ExpiryOf(query, body) })),
        ("POST", [var id, "rename", var name]) => Node(tailnet.Replace(tailnet.Node(Id(id)) with { Name = name })),
        ("POST", [var id, "tags"]) => Node(tailnet.Replace(tailnet.Node(Id(id)) with { Tags = Texts(body, "tags") })),
        ("POST", [var id, "approve_routes"]) => Node(tailnet.Replace(tailnet.Node(Id(id)) with { ApprovedRoutes = Texts(body, "routes") })),
        ("POST", [var id, "user"]) when version < 28 =>
            Node(tailnet.Replace(tailnet.Node(Id(id)) with { UserId = Id(Text(body, "user")) })),
        _ => null,
    };

    private JsonObject DeleteNode(ulong id)
    {
        tailnet.Nodes.Remove(tailnet.Node(id));
        return [];
    }

    private JsonObject ListUsers(IQueryCollection query) => new()
    {
        ["users"] = Array(tailnet.Users
            .Where(
                one => (!query.ContainsKey("name") || one.Name == query["name"])
                    && (!query.ContainsKey("email") || one.Email == query["email"])
                        && (!query.ContainsKey("id") || one.Id == Id(query["id"].ToString())))
            .Select(_json.User)),
    };

    private JsonObject CreateUser(JsonObject body)
    {
        var user = new TailnetUser(
            tailnet.NextId++, Text(body, "name") ?? "", Text(body, "email") ?? "", "", Text(body, "displayName") ?? "");
        tailnet.Users.Add(user);
        return new() { ["user"] = _json.User(user) };
    }

    private JsonObject RenameUser(ulong id, string name)
    {
        var user = tailnet.User(id) with { Name = name };
        tailnet.Users[tailnet.Users.FindIndex(one => one.Id == id)] = user;
        return new() { ["user"] = _json.User(user) };
    }

    private JsonObject DeleteUser(ulong id)
    {
        if (tailnet.Nodes.Exists(one => one.UserId == id))
        {
            throw new StandInFailure(version >= 30 ? 400 : 500, "user not empty: node(s) found");
        }

        tailnet.Keys.RemoveAll(one => one.UserId == id);
        tailnet.Users.Remove(tailnet.User(id));
        return [];
    }

    /// <summary>Up to 0.27 a user must be named; since 0.28 everybody's keys come, whoever is named.</summary>
    private JsonObject ListKeys(IQueryCollection query)
    {
        var all = tailnet.Keys.AsEnumerable();
        if (version < 28)
        {
            var user = query.ContainsKey("user")
                ? tailnet.User(Id(query["user"].ToString())) : throw new StandInFailure(500, "user not found");
            all = all.Where(one => one.UserId == user.Id);
        }

        return new() { ["preAuthKeys"] = Array(all.Select(one => _json.Key(one, isCreation: false))) };
    }

    private JsonObject CreateKey(JsonObject body)
    {
        var tags = Texts(body, "aclTags");
        ulong? user = Text(body, "user") is { Length: > 0 } id ? tailnet.User(Id(id)).Id : null;
        if (user is null && (version < 28 || tags.Length == 0))
        {
            throw new StandInFailure(404, "user not found");
        }

        var key = CreateKey(user, Text(body, "expiration") ?? Never, tags, Flag(body, "reusable"), Flag(body, "ephemeral"));
        return new() { ["preAuthKey"] = _json.Key(key, isCreation: true) };
    }

    /// <summary>Up to 0.29 an unknown id is no error.</summary>
    private JsonObject ExpireKey(JsonObject body)
    {
        var at = version < 28
            ? tailnet.Keys.FindIndex(one => one.Key == Text(body, "key") && one.UserId == Id(Text(body, "user")))
            : tailnet.Keys.FindIndex(one => one.Id == Id(Text(body, "id")));
        if (at >= 0)
        {
            tailnet.Keys[at] = tailnet.Keys[at] with { Expiration = "2026-01-02T00:00:00Z" };
        }
        else if (version is < 28 or >= 30)
        {
            throw new StandInFailure(404, "AuthKey not found");
        }

        return [];
    }

    private JsonObject DeleteKey(ulong id)
    {
        if (tailnet.Keys.RemoveAll(one => one.Id == id) == 0 && version >= 30)
        {
            throw new StandInFailure(404, "AuthKey not found");
        }

        return [];
    }

    private JsonObject Register(string user)
    {
        var node = new TailnetNode(tailnet.NextId++, "registered-node", tailnet.UserNamed(user).Id);
        tailnet.Nodes.Add(node);
        return Node(node);
    }

    private string? ExpiryOf(IQueryCollection query, JsonObject body)
    {
        var (expiry, isOff) = version >= 30
            ? (Text(body, "expiry"), Flag(body, "disableExpiry"))
            : (query["expiry"].FirstOrDefault(), query["disableExpiry"] == "true");
        return isOff ? null : (version >= 27 ? expiry : null) ?? "2026-01-02T00:00:00Z";
    }

    private JsonObject Node(TailnetNode node) => new() { ["node"] = _json.Node(node, inList: false) };

    private static JsonArray Array(IEnumerable<JsonNode> items) => new([.. items]);

    private static string? Text(JsonObject body, string name) => body[name] is JsonValue value ? value.ToString() : null;

    private static bool Flag(JsonObject body, string name) => body[name] is JsonValue value && value.GetValue<bool>();

    private static string[] Texts(JsonObject body, string name) =>
        body[name] is JsonArray list ? [.. list.Select(one => one!.ToString())] : [];

    private static ulong Id(string? text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        ? id
        : throw new StandInFailure(400, $"strconv.ParseUint: parsing \"{text}\": invalid syntax");

    private static string Hex(int bytes) => RandomNumberGenerator.GetHexString(bytes * 2, lowercase: true);
}
