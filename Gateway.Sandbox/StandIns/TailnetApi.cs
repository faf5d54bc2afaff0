using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>Headscale's v1 API as one version answers it: users, policy and API keys; the rest in parts of its own.</summary>
internal sealed class TailnetApi(Tailnet tailnet, int version)
{
    private readonly TailnetJson _json = new(tailnet, version);
    private readonly RequestForm _form = new(version);

    /// <summary>The answer, or null when there is no such operation in this version.</summary>
    /// <param name="path">The segments below <c>/api/v1</c>.</param>
    /// <exception cref="StandInFailure">The version refuses it.</exception>
    public JsonObject? Answer(string verb, string[] path, string query, string? type, string body)
    {
        if (_form.Find(verb, path) is not { } method)
        {
            return null;
        }

        path = version >= 30 ? [.. path.Select(Uri.UnescapeDataString)] : path;
        var call = new TailnetCall(method.Name, path, _form.ReadQuery(method, path, query), _form.ReadBody(method, type, body), version);
        return AnswerUsers(call) ?? AnswerPolicy(call) ?? AnswerApiKeys(call)
            ?? new TailnetKeys(tailnet, version, _json).Answer(call)
            ?? new TailnetNodes(tailnet, version, _json).Answer(call);
    }

    public TailnetApiKey CreateApiKey(string? expiration)
    {
        var id = tailnet.NewId<TailnetApiKey>();
        var key = version < 28 ? $"{Hex(4)[..7]}.{Hex(16)}" : $"hskey-api-{Hex(6)}-{Hex(32)}";
        var made = new TailnetApiKey(id, key, expiration ?? TailnetCall.Never);
        tailnet.ApiKeys.Add(made);
        return made;
    }

    public TailnetKey CreateKey(ulong? user, string expiration, IReadOnlyList<string> tags, bool reusable = false,
        bool ephemeral = false) => new TailnetKeys(tailnet, version, _json).Create(user, expiration, tags, reusable, ephemeral);

    /// <summary>Random text, two characters for a byte.</summary>
    public static string Hex(int bytes) => RandomNumberGenerator.GetHexString(bytes * 2, lowercase: true);

    private JsonObject? AnswerUsers(TailnetCall call) => call.Method switch
    {
        "ListUsers" => ListUsers(call),
        "CreateUser" => CreateUser(call),
        "RenameUser" => RenameUser(UserOf(call), call.Path[3], call),
        "DeleteUser" => DeleteUser(UserOf(call), call),
        _ => null,
    };

    private TailnetUser UserOf(TailnetCall call) =>
        tailnet.FindUser(_form.Number(call.Path[1])) ?? throw call.Failure(500, 404, "user not found");

    /// <summary>Of several conditions the name counts, then the address, then the number; an empty one is none.</summary>
    private JsonObject ListUsers(TailnetCall call)
    {
        var (name, email, id) = (call.Query("name"), call.Query("email"), call.Query("id"));
        var found = name.Length > 0 ? tailnet.Users.Where(one => one.Name == name)
            : email.Length > 0 ? tailnet.Users.Where(one => one.Email == email)
            : id.Length > 0 && _form.Number(id) is > 0 and var number ? tailnet.Users.Where(one => one.Id == number)
            : tailnet.Users;
        return new() { ["users"] = new JsonArray([.. found.Select(_json.User)]) };
    }

    private JsonObject CreateUser(TailnetCall call)
    {
        var name = call.Text("name") ?? "";
        CheckUserName(name, call);
        if (tailnet.Users.Exists(one => one.Name == name))
        {
            throw new StandInFailure(version >= 30 && name.Length > 0 ? 409 : 500, "creating user: UNIQUE constraint failed: users.name")
            {
                Code = version == 26 ? 2 : 13,
                Cause = name.Length > 0 ? null : "UNIQUE constraint failed: users.name",
            };
        }

        var user = new TailnetUser(tailnet.NewId<TailnetUser>(), name, call.Text("email") ?? "", "", call.Text("displayName") ?? "")
        {
            PictureUrl = call.Text("pictureUrl") ?? "",
        };
        tailnet.Users.Add(user);
        return new() { ["user"] = _json.User(user) };
    }

    /// <summary>Since 0.27 a name may be anything.</summary>
    private void CheckUserName(string name, TailnetCall call)
    {
        if (version == 26 && (name.Length < 2 || char.IsDigit(name[0]) || name.Count(one => one == '@') > 1
            || name.Any(one => !char.IsLetterOrDigit(one) && !"-._@".Contains(one, StringComparison.Ordinal))))
        {
            throw call.Failure(500, 400, $"username '{name}' is invalid");
        }
    }

    private JsonObject RenameUser(TailnetUser user, string name, TailnetCall call)
    {
        CheckUserName(name, call);
        if (tailnet.Users.Exists(one => one.Id != user.Id && one.Name == name))
        {
            throw call.Failure(500, 500, "updating user: UNIQUE constraint failed: users.name");
        }

        user = user with { Name = name };
        tailnet.Users[tailnet.Users.FindIndex(one => one.Id == user.Id)] = user;
        return new() { ["user"] = _json.User(user) };
    }

    private JsonObject DeleteUser(TailnetUser user, TailnetCall call)
    {
        if (tailnet.Nodes.Exists(one => one.UserId == user.Id))
        {
            throw call.Failure(500, 400, "user not empty: node(s) found");
        }

        tailnet.Keys.RemoveAll(one => one.UserId == user.Id);
        tailnet.Users.Remove(user);
        return [];
    }

    private JsonObject? AnswerPolicy(TailnetCall call) => call.Method switch
    {
        "GetPolicy" => PolicyOf(
            tailnet.Policy ?? throw NoPolicy()),
        "SetPolicy" => PolicyOf(tailnet.Policy = Checked(call, isSet: true)),
        "CheckPolicy" => Checked(call, isSet: false) is null ? null : [],
        "Health" => new() { ["databaseConnectivity"] = true },
        _ => null,
    };

    private StandInFailure NoPolicy() => version < 30 ? new(500, "loading ACL from database: acl policy not found")
        : new(500, "loading ACL from database") { Cause = "acl policy not found" };

    private string Checked(TailnetCall call, bool isSet)
    {
        var policy = call.Text("policy") ?? "";
        return PolicyRules.Problem(policy, version) is { } problem
            ? throw call.Failure(isSet ? 500 : 400, 400, $"parsing policy: {problem}") : policy;
    }

    private static JsonObject PolicyOf(string policy) => new() { ["policy"] = policy, ["updatedAt"] = "2026-01-01T00:00:00Z" };

    private JsonObject? AnswerApiKeys(TailnetCall call) => call.Method switch
    {
        "ListApiKeys" => new() { ["apiKeys"] = new JsonArray([.. tailnet.ApiKeys.Select(_json.ApiKey)]) },
        "CreateApiKey" => new() { ["apiKey"] = CreateApiKey(call.Text("expiration")).Key },
        "ExpireApiKey" => EndApiKey(call, call.Text("prefix") ?? "", call.Text("id") ?? "", isDeletion: false),
        "DeleteApiKey" => EndApiKey(call, call.Path[1], call.Query("id"), isDeletion: true),
        _ => null,
    };

    /// <summary>Since 0.28 a key is named by its prefix, bare or as lists show it, or by its number.</summary>
    private JsonObject EndApiKey(TailnetCall call, string prefix, string id, bool isDeletion)
    {
        if (version >= 28 && prefix.Length > 0 == id.Length > 0)
        {
            throw new StandInFailure(400, id.Length > 0 ? "provide either id or prefix, not both" : "must provide id or prefix");
        }

        var bare = Bare(prefix.TrimEnd('*').TrimEnd('-'));
        var at = tailnet.ApiKeys.FindIndex(one => id.Length > 0 && version >= 28
            ? one.Id.ToString(CultureInfo.InvariantCulture) == id
            : bare.Length > 0 && Bare(one.Key).StartsWith(bare, StringComparison.Ordinal));
        if (at < 0)
        {
            throw call.Failure(500, 404, "getting api key: record not found");
        }

        var key = tailnet.ApiKeys[at];
        tailnet.ApiKeys.RemoveAt(at);
        if (!isDeletion)
        {
            tailnet.ApiKeys.Insert(at, key with { Expiration = TailnetCall.Now });
        }

        return [];

        static string Bare(string key) => key.Replace("hskey-api-", "", StringComparison.Ordinal);
    }
}
