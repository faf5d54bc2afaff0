using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Keys;
using Gateway.Web.Layout;

namespace Gateway.Web.Machines;

/// <summary>What a page offers to do with one machine.</summary>
/// <param name="Rename">Giving it another name.</param>
/// <param name="Expire">Signing it out of the tailnet.</param>
/// <param name="Delete">Deleting it.</param>
/// <param name="Tag">Setting its tags.</param>
/// <param name="Route">Approving its routes.</param>
/// <param name="Owners">Whom it can be given to; empty where it cannot.</param>
public sealed record MachineActions(bool Rename, bool Expire, bool Delete, bool Tag, bool Route, IReadOnlyList<UserChoice> Owners);

/// <summary>The machines of a person, or of everybody, and what may be done with them.</summary>
internal static class MachineEndpoints
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

    /// <summary>Who sees machines at all.</summary>
    public static Capability[] Readers { get; } = [Capability.ReadMachines, Capability.ReadOwnMachines];

    public static void MapMachines(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/machines", ListAsync).RequireCapability(Readers).Performs("nodes.list");
        admin.MapGet("/machines/{id}", ShowAsync).RequireCapability(Readers).Performs("nodes.get");
        admin.MapPost("/machines/{id}/{action}", ActAsync).RequireCapability(Readers).TakesForm()
            .Performs(route => OperationOf($"{route["action"]}", "", FormCollection.Empty)?.Rule ?? "page");
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, TimeProvider clock, string? q = null,
        int page = 1, string? done = null)
    {
        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        var search = q?.Trim() ?? "";
        Machine[] found =
        [
            .. json.RootElement.GetProperty("nodes").EnumerateArray().Select(Machine.Of)
                .Where(one => search.Length == 0 || one.Matches(search))
                .OrderByDescending(
                    one => one.OwnerId is not null && one.OwnerId == principal.User?.Id).ThenBy(
                        one => one.Name, StringComparer.OrdinalIgnoreCase)
                    .ThenBy(one => one.Id, StringComparer.Ordinal),
        ];
        var shown = Paging.Cut(found, page);
        return PageResults.Page<MachinesPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Machines", shown.Rows),
            ("Total", shown.Total),
            ("Search", search),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("OwnId", principal.User?.Id),
            ("SeesAll", answer.Decision.View is View.All),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", clock.GetUtcNow()));
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream,
        UserDirectory directory, TimeProvider clock, string id, string? done = null)
    {
        var answer = await calls.SendAsync(context, principal, Operation.GetNode(id));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        var machine = Machine.Of(json.RootElement.GetProperty("node"));
        var owners = await OwnersAsync(context, machine, principal, calls, upstream, directory);
        return PageResults.Page<MachinePage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Machine", machine),
            ("Actions", ActionsOn(context, machine, principal, calls) with { Owners = owners }),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", clock.GetUtcNow()));
    }

    private static MachineActions ActionsOn(HttpContext context, Machine machine, Principal principal, HeadscaleCalls calls)
    {
        var ownership = machine.OwnerId is not null && machine.OwnerId == principal.User?.Id ? Ownership.Own : Ownership.Foreign;
        bool Can(string rule) => calls.Can(context, principal, rule, ownership);
        return new(Can("nodes.rename"), Can("nodes.expire"), Can("nodes.delete"), Can("nodes.set_tags"), Can("nodes.approve_routes"), []);
    }

    /// <summary>From 0.28 on a machine keeps its owner; tags are what takes it away from one.</summary>
    private static async Task<IReadOnlyList<UserChoice>> OwnersAsync(
        HttpContext context, Machine machine, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream, UserDirectory directory)
    {
        var canMove = !upstream.Assumed.HasTagOwnership && principal.Role.Has(Capability.ReadUsers)
            && calls.Can(context, principal, "nodes.move", Ownership.Foreign);
        return canMove
            ? UserChoice.Of((await directory.GetAsync(context.RequestAborted)).Users.Where(user => user.Id != machine.OwnerId))
            : [];
    }

    private static async Task<IResult> ActAsync(HttpContext context, Principal principal, HeadscaleCalls calls, string id, string action)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (OperationOf(action, id, form) is not { } operation)
        {
            return PageResults.NotFound(context, "There is no such page.");
        }

        var answer = await calls.SendAsync(context, principal, operation);
        return answer.IsDone
            ? Results.Redirect(
                $"{PageResults.BasePath(context)}/machines{(action == "delete" ? "" : $"/{Uri.EscapeDataString(id)}")}?done={action}")
            : PageResults.Explain(context, principal, answer);
    }

    /// <summary>The operation behind a button of the page; null when there is no such button.</summary>
    private static Operation? OperationOf(string action, string id, IFormCollection form) => action switch
    {
        "rename" => Operation.RenameNode(id, form["name"].ToString().Trim()),
        "expire" => Operation.ExpireNode(id),
        "delete" => Operation.DeleteNode(id),
        "tags" => Operation.SetTags(id, form["tags"].ToString().Split([' ', ',', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)),
        "user" => Operation.MoveNode(id, form["user"].ToString()),
        "routes" => Operation.ApproveRoutes(id, [.. form["route"].OfType<string>()]),
        _ => null,
    };
}
