using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Gateway.Sandbox.StandIns;

/// <summary>Machines, as one version has them.</summary>
internal sealed partial class TailnetNodes(Tailnet tailnet, int version, TailnetJson json)
{
    private const int LongestName = 63;
    private const string LastSeen = "2026-01-01T00:00:00Z";

    private static readonly string[] _exits = ["0.0.0.0/0", "::/0"];

    private readonly RequestForm _form = new(version);

    /// <summary>The answer; null when the call is about something else.</summary>
    public JsonObject? Answer(TailnetCall call) => call.Method switch
    {
        "ListNodes" => List(call),
        "GetNode" => Get(call),
        "DeleteNode" => Delete(FindFirst(call, version == 26 ? 500 : 404)),
        "RenameNode" => Changed(Find(call, 500), node => node with { Name = NewName(call, node) }),
        "ExpireNode" => Changed(Find(call, 500), node => node with { Expiry = ExpiryOf(call) }),
        "SetTags" => SetTags(call),
        "SetApprovedRoutes" => SetRoutes(call),
        "MoveNode" => Changed(Find(call, 500), node => node with { UserId = NewUser(call) }),
        "BackfillNodeIPs" => call.Query("confirmed") is "true" or "1"
            ? new() { ["changes"] = new JsonArray() } : throw call.Failure(500, 400, "not confirmed, aborting"),
        "DebugCreateNode" => Ask(call),
        "RegisterNode" => Register(call, call.Query("key"), call.Query("user")),
        "AuthRegister" => Register(call, call.Text("authId") ?? "", call.Text("user") ?? ""),
        "AuthApprove" or "AuthReject" => Decide(call),
        _ => null,
    };

    private TailnetNode Find(TailnetCall call, int upTo29) =>
        tailnet.FindNode(_form.Number(call.Path[1])) ?? throw call.Failure(upTo29, 404, "node not found");

    /// <summary>Where Headscale looks before it does anything.</summary>
    private TailnetNode FindFirst(TailnetCall call, int upTo27) =>
        tailnet.FindNode(_form.Number(call.Path[1])) ?? throw new StandInFailure(version < 28 ? upTo27 : 404, "node not found");

    private JsonObject Shown(TailnetNode node) => new() { ["node"] = json.Node(node, inList: false) };

    private JsonObject Changed(TailnetNode node, Func<TailnetNode, TailnetNode> change) => Shown(tailnet.Replace(change(node)));

    /// <summary>0.26 takes the number 0 for any.</summary>
    private JsonObject Get(TailnetCall call) => Shown(version == 26 && _form.Number(call.Path[1]) == 0 && tailnet.Nodes is [var first, ..]
        ? first : FindFirst(call, version == 26 ? 500 : 404));

    private JsonObject List(TailnetCall call)
    {
        var name = call.Query("user");
        var user = name.Length == 0 ? null : Named(name) ?? throw call.Failure(500, 404, "user not found");
        return new()
        {
            ["nodes"] = new JsonArray(
                [.. tailnet.Nodes.Where(one => user is null || one.UserId == user.Id).Select(one => json.Node(one, inList: true))]),
        };
    }

    private TailnetUser? Named(string name) => name.Length == 0 ? null
        : tailnet.Users.FindAll(one => one.Name == name) is [var only] ? only : null;

    private JsonObject Delete(TailnetNode node)
    {
        tailnet.Nodes.Remove(node);
        return [];
    }

    private string NewName(TailnetCall call, TailnetNode node)
    {
        var name = call.Path[3];
        var isGood = name.Length <= LongestName && version switch
        {
            26 => name.Length >= 2 && Name26().IsMatch(name),
            27 or 28 => name.Length >= 2 && Name28().IsMatch(name),
            _ => Label().IsMatch(name),
        };
        if (!isGood)
        {
            throw call.Failure(500, 400, $"renaming node: \"{name}\" is not a valid name");
        }

        // 0.26 compares a name with that of the node itself, too.
        return tailnet.Nodes.Exists(one => one.Name == name && (one.Id != node.Id || version == 26))
            ? throw call.Failure(500, 400, $"node name is not unique: {name}") : name;
    }

    private ulong NewUser(TailnetCall call) =>
        tailnet.FindUser(_form.Number(call.Text("user") ?? "0"))?.Id ?? throw new StandInFailure(500, "user not found");

    /// <summary>0.26 knows no time and no end; 0.29 an end in the query; 0.30 both in the body.</summary>
    private string? ExpiryOf(TailnetCall call)
    {
        var (expiry, isOff) = version >= 30 ? (call.Text("expiry"), call.Flag("disableExpiry"))
            : (call.Query("expiry") is { Length: > 0 } given ? given : null, call.Query("disableExpiry") is "true" or "1");
        return version == 29 && isOff && expiry is not null ? throw new StandInFailure(400, "cannot set both disable_expiry and expiry")
            : isOff ? null : expiry ?? TailnetCall.Now;
    }

    /// <summary>Since 0.28 a tag must have an owner, and a node that is tagged stays so.</summary>
    private JsonObject SetTags(TailnetCall call)
    {
        var tags = call.Texts("tags");
        call.CheckTags(tags, upTo29: 500);
        var node = FindFirst(call, 400);
        if (version >= 28 && tags.Length == 0)
        {
            throw new StandInFailure(400, "cannot remove all tags from a node - tagged nodes must have at least one tag");
        }

        if (version >= 28 && tailnet.IsFresh && tags.Any(one => !PolicyRules.IsOwned(one, tailnet.Policy)))
        {
            throw call.Failure(400, 400, $"requested tags [{string.Join(' ', tags)}] are invalid or not permitted");
        }

        return Changed(node, one => one with { Tags = version == 27 ? tags : [.. tags.Distinct().Order(StringComparer.Ordinal)] });
    }

    /// <summary>One exit route stands for both.</summary>
    private JsonObject SetRoutes(TailnetCall call)
    {
        var routes = call.Texts("routes");
        CheckRoutes(call, routes);
        var node = Find(call, 400);
        return Changed(node, one => one with
        {
            ApprovedRoutes = [.. routes.SelectMany(route => _exits.Contains(route) ? _exits : [route]).Distinct()
                .Order(StringComparer.Ordinal)],
        });
    }

    private static void CheckRoutes(TailnetCall call, IEnumerable<string> routes)
    {
        if (routes.FirstOrDefault(one => one.Split('/') is not [var address, var bits] || !IPAddress.TryParse(address, out _)
            || !byte.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out _)) is { } wrong)
        {
            throw call.Failure(500, 400, $"parsing route: netip.ParsePrefix(\"{wrong}\"): no '/'");
        }
    }

    /// <summary>As if a machine had come to be let in.</summary>
    private JsonObject Ask(TailnetCall call)
    {
        var user = UserOf(call, call.Text("user") ?? "");
        var (id, name, routes) = (call.Text("key") ?? "", call.Text("name"), call.Texts("routes"));
        CheckId(call, id, 500);
        CheckRoutes(call, routes);
        tailnet.Requests.Add(new(id, user.Name, name ?? "", routes));
        return Shown(new(0, "", user.Id)
        {
            Host = name ?? "",
            Addresses = [],
            IsOnline = false,
            LastSeen = TailnetCall.Never,
            Expiry = TailnetCall.Never,
            CreatedAt = TailnetCall.Never,
            RegisterMethod = "REGISTER_METHOD_UNSPECIFIED",
            AvailableRoutes = routes,
        });
    }

    private TailnetUser UserOf(TailnetCall call, string name) => Named(name)
        ?? throw (name.Length == 0 ? call.Failure(500, 500, "expected exactly one user") : call.Failure(500, 404, "user not found"));

    private void CheckId(TailnetCall call, string id, int upTo29)
    {
        if (tailnet.IsFresh && (version < 29 ? id.Length != 24 : !id.StartsWith("hskey-authreq-", StringComparison.Ordinal)))
        {
            throw call.Failure(upTo29, 400, "auth ID has invalid prefix: expected prefix \"hskey-authreq-\"");
        }
    }

    /// <summary>A seeded tailnet lets any machine in.</summary>
    private JsonObject Register(TailnetCall call, string id, string user)
    {
        CheckId(call, id, 500);
        var owner = UserOf(call, user);
        var request = tailnet.Requests.Find(one => one.Id == id)
            ?? (!tailnet.IsFresh ? new(id, user, "registered-node", [])
                : throw call.Failure(500, 404, "node not found in registration cache"));
        tailnet.Requests.Remove(request);
        var number = tailnet.NewId<TailnetNode>();
        var node = new TailnetNode(number, UniqueName(request.Name), owner.Id)
        {
            Host = request.Name,
            Addresses = AddressesOf(number),
            IsOnline = !tailnet.IsFresh,
            LastSeen = version == 26 ? TailnetCall.Never : LastSeen,
            Expiry = TailnetCall.Never,
            RegisterMethod = "REGISTER_METHOD_CLI",
            AvailableRoutes = version < 29 ? request.Routes : [],
        };
        tailnet.Nodes.Add(node);
        return Shown(node);
    }

    /// <summary>0.26 leaves the second address out.</summary>
    private string[] AddressesOf(ulong number)
    {
        number += version == 26 && number > 1 && tailnet.IsFresh ? 1u : 0u;
        return [$"100.64.0.{number % 250}", $"fd7a:115c:a1e0::{number:x}"];
    }

    private string UniqueName(string name) => !tailnet.Nodes.Exists(one => one.Name == name) ? name
        : version < 29 ? $"{name}-{TailnetApi.Hex(4)}"
        : Enumerable.Range(1, int.MaxValue).Select(at => $"{name}-{at}").First(one => !tailnet.Nodes.Exists(node => node.Name == one));

    private JsonObject Decide(TailnetCall call)
    {
        var id = call.Text("authId") ?? "";
        CheckId(call, id, 400);
        return tailnet.IsFresh ? throw new StandInFailure(404, $"no pending auth session for auth_id {id}") : [];
    }

    [GeneratedRegex(@"^[a-z0-9.-]+\z")]
    private static partial Regex Name26();

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\z")]
    private static partial Regex Name28();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\z")]
    private static partial Regex Label();
}
