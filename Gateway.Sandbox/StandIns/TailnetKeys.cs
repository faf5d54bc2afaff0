using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>Pre-auth keys, as one version has them.</summary>
internal sealed class TailnetKeys(Tailnet tailnet, int version, TailnetJson json)
{
    /// <summary>The answer; null when the call is about something else.</summary>
    public JsonObject? Answer(TailnetCall call) => call.Method switch
    {
        "ListPreAuthKeys" => List(call),
        "CreatePreAuthKey" => Create(call),
        "ExpirePreAuthKey" => Expire(call),
        "DeletePreAuthKey" => Delete(call, IdOf(call.Query("id"))),
        _ => null,
    };

    public TailnetKey Create(ulong? user, string expiration, IReadOnlyList<string> tags, bool reusable, bool ephemeral)
    {
        var value = version < 28 ? TailnetApi.Hex(24) : $"hskey-auth-{TailnetApi.Hex(6)}-{TailnetApi.Hex(32)}";
        var key = new TailnetKey(tailnet.NewId<TailnetKey>(), value, user, expiration)
        {
            Tags = [.. tags.Order(StringComparer.Ordinal)],
            Reusable = reusable,
            Ephemeral = ephemeral,
        };
        tailnet.Keys.Add(key);
        return key;
    }

    /// <summary>Up to 0.27 a user must be named; since 0.28 everybody's keys come, whoever is named.</summary>
    private JsonObject List(TailnetCall call)
    {
        var all = tailnet.Keys.AsEnumerable();
        if (version < 28)
        {
            var user = tailnet.FindUser(IdOf(call.Query("user"))) ?? throw new StandInFailure(500, "user not found");
            all = all.Where(one => one.UserId == user.Id);
        }

        return new() { ["preAuthKeys"] = new JsonArray([.. all.Select(one => json.Key(one, isCreation: false))]) };
    }

    private JsonObject Create(TailnetCall call)
    {
        var (tags, id) = (call.Texts("aclTags"), IdOf(call.Text("user")));
        call.CheckTags(tags, upTo29: 400);
        if (id == 0 && (version < 28 || tags.Length == 0))
        {
            throw call.Failure(500, 400, version < 28 ? "user not found" : "auth-key must be either tagged or owned by user");
        }

        ulong? user = id == 0 ? null : (tailnet.FindUser(id) ?? throw call.Failure(500, 404, "user not found")).Id;
        var key = Create(user, call.Text("expiration") ?? TailnetCall.Never, tags, call.Flag("reusable"), call.Flag("ephemeral"));
        return new() { ["preAuthKey"] = json.Key(key, isCreation: true) };
    }

    /// <summary>0.28 and 0.29 say yes to a number that no key has.</summary>
    private JsonObject Expire(TailnetCall call)
    {
        var at = version < 28
            ? tailnet.Keys.FindIndex(one => one.Key == call.Text("key"))
            : tailnet.Keys.FindIndex(one => one.Id == IdOf(call.Text("id")));
        if (at < 0 && version is < 28 or >= 30)
        {
            throw call.Failure(500, 404, "AuthKey not found");
        }

        if (version < 28 && tailnet.Keys[at].UserId != IdOf(call.Text("user")))
        {
            throw new StandInFailure(500, "preauth key does not belong to user");
        }

        if (at >= 0)
        {
            tailnet.Keys[at] = tailnet.Keys[at] with { Expiration = TailnetCall.Now };
        }

        return [];
    }

    private JsonObject Delete(TailnetCall call, ulong id) =>
        tailnet.Keys.RemoveAll(one => one.Id == id) == 0 && version >= 30
            ? throw call.Failure(500, 404, "auth-key not found: record not found") : [];

    /// <summary>0.30 reads numbers only here.</summary>
    private static ulong IdOf(string? text) => text is not { Length: > 0 } ? 0
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
        : throw new StandInFailure(400, "invalid id") { Cause = $"strconv.ParseUint: parsing \"{text}\": invalid syntax" };
}
