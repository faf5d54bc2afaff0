using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web;

/// <summary>What a page offers to do with one machine.</summary>
/// <param name="Rename">Giving it another name.</param>
/// <param name="Expire">Signing it out of the tailnet.</param>
/// <param name="Delete">Deleting it.</param>
/// <param name="Tag">Setting its tags.</param>
/// <param name="Route">Approving its routes.</param>
/// <param name="Owners">Whom it can be given to; empty where it cannot.</param>
public sealed record MachineActions(bool Rename, bool Expire, bool Delete, bool Tag, bool Route, IReadOnlyList<UserChoice> Owners);

/// <summary>The machines of a person, or of everybody, and what may be done with them.</summary>
internal static class Machines
{
    /// <summary>What was done, as the page says it after the form was sent.</summary>
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["rename"] = "The machine has its new name.",
        ["expire"] = "The machine was signed out of the tailnet.",
        ["delete"] = "The machine was deleted.",
        ["tags"] = "The tags were set.",
        ["user"] = "The machine has its new owner.",
        ["register"] = "The device is registered. It connects within seconds.",
        ["routes"] = "The routes were approved.",
    };

    public static void MapMachines(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/machines", ListAsync);
        admin.MapGet("/machines/{id}", ShowAsync);
        admin.MapPost("/machines/{id}/{action}", ActAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageDoor door, PageCalls calls, TimeProvider clock, string? q = null, int page = 1, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "GET", "/api/v1/node");
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        var search = q?.Trim() ?? "";
        Machine[] found =
        [
            .. json.RootElement.GetProperty("nodes").EnumerateArray().Select(Machine.Of)
                .Where(one => search.Length == 0 || one.Matches(search))
                .OrderByDescending(one => one.OwnerId is not null && one.OwnerId == who.User?.Id).ThenBy(one => one.Name, StringComparer.OrdinalIgnoreCase).ThenBy(one => one.Id, StringComparer.Ordinal),
        ];
        var shown = Paging.Cut(found, page);
        return PageAnswers.Page<Pages.MachinesPage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("Machines", shown.Rows),
            ("Total", shown.Total),
            ("Search", search),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("OwnId", who.User?.Id),
            ("SeesAll", answer.Decision.View is View.All),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", clock.GetUtcNow()));
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream, UserDirectory directory, TimeProvider clock, string id, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var request = RequestContext.Of(context);
        var answer = await calls.SendAsync(context, request, who, "GET", $"/api/v1/node/{Segment(id)}");
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        var machine = Machine.Of(json.RootElement.GetProperty("node"));
        return PageAnswers.Page<Pages.MachinePage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("Machine", machine),
            ("Actions", ActionsOn(machine, request, who, calls) with { Owners = await OwnersAsync(machine, request, who, calls, upstream, directory, context.RequestAborted) }),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", clock.GetUtcNow()));
    }

    private static MachineActions ActionsOn(Machine machine, RequestContext request, Principal who, PageCalls calls)
    {
        var isOwn = machine.OwnerId is not null && machine.OwnerId == who.User?.Id;
        bool Offers(string method, string rest, string body = "") => calls.Offers(request, who, method, $"/api/v1/node/{machine.Id}{rest}", isOwn, body);
        return new(Offers("POST", "/rename/name"), Offers("POST", "/expire"), Offers("DELETE", ""), Offers("POST", "/tags", """{"tags":["tag:a"]}"""), Offers("POST", "/approve_routes", """{"routes":[]}"""), []);
    }

    /// <summary>From 0.28 on a machine keeps its owner; tags are what takes it away from one.</summary>
    private static async Task<IReadOnlyList<UserChoice>> OwnersAsync(
        Machine machine, RequestContext request, Principal who, PageCalls calls, UpstreamMonitor upstream, UserDirectory directory, CancellationToken cancel) =>
        upstream.Assumed.HasTagOwnership || !who.Role.Has(Capability.ReadUsers) || !calls.Offers(request, who, "POST", $"/api/v1/node/{machine.Id}/user", isOwn: false, """{"user":"1"}""")
            ? []
            : UserChoice.Of((await directory.GetAsync(cancel)).Users.Where(one => one.Id != machine.OwnerId));

    private static async Task<IResult> ActAsync(HttpContext context, PageDoor door, PageCalls calls, string id, string action)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var node = $"/api/v1/node/{Segment(id)}";
        var (method, target, body) = action switch
        {
            "rename" => ("POST", $"{node}/rename/{Segment(form["name"].ToString().Trim())}", ""),
            "expire" => ("POST", $"{node}/expire", ""),
            "delete" => ("DELETE", node, ""),
            "tags" => ("POST", $"{node}/tags", Body("tags", form["tags"].ToString().Split([' ', ',', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))),
            "user" => ("POST", $"{node}/user", new JsonObject { ["user"] = form["user"].ToString() }.ToJsonString()),
            "routes" => ("POST", $"{node}/approve_routes", Body("routes", form["route"].OfType<string>())),
            _ => ("", "", ""),
        };
        if (method.Length == 0)
        {
            return PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "There is no such page.", isSignedIn: true);
        }

        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, method, target, body);
        return answer.IsDone
            ? Results.Redirect($"{PageAnswers.BasePath(context)}/machines{(action == "delete" ? "" : $"/{Segment(id)}")}?done={action}")
            : PageDoor.Explain(context, who, answer);
    }

    private static string Segment(string text) => Uri.EscapeDataString(text);

    private static string Body(string name, IEnumerable<string> values) => new JsonObject { [name] = new JsonArray([.. values.Select(one => (JsonNode)one)]) }.ToJsonString();
}
