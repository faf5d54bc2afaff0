using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using static Gateway.Web.Layout.Texts;

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
        ["rename"] = Noop("The device has its new name."),
        ["expire"] = Noop("The device was signed out. It must sign in again before it can connect."),
        ["delete"] = Noop("The device was deleted."),
        ["tags"] = Noop("The tags were set."),
        ["user"] = Noop("The device has its new owner."),
        ["register"] = Noop("The device is registered. It connects within seconds."),
        ["routes"] = Noop("The routes were saved."),
    };

    /// <summary>Who sees machines at all.</summary>
    public static Capability[] Readers { get; } = [Capability.ReadMachines, Capability.ReadOwnMachines];

    public static void MapMachines(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/machines", ListAsync).RequireCapability(Readers).Performs("nodes.list");
        admin.MapGet("/machines.csv", DownloadAsync).RequireCapability(Readers).TakesTokens(alsoLimited: true).Performs("nodes.list");
        admin.MapGet("/machines/{id}", ShowAsync).RequireCapability(Readers).Performs("nodes.get");
        admin.MapPost("/machines/{id}/{action}", ActAsync).RequireCapability(Readers).TakesForm()
            .Performs(route => OperationOf($"{route["action"]}", "", FormCollection.Empty)?.Rule ?? "page");
        admin.MapSelection();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream, TimeProvider clock,
        int page = 1, string? done = null, int count = 0)
    {
        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        var (all, now, filter) = (Machine.AllIn(answer, BaseDomainOf(context)), clock.GetUtcNow(), MachineFilter.Of(context.Request.Query));
        var shown = Paging.Cut(filter.Apply(all, principal.User?.Id, now), page);
        Func<Machine, bool> May(string rule) => machine => calls.Can(context, principal, rule, OwnershipOf(machine, principal));
        return PageResults.Page<MachinesPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Machines", shown.Rows),
            ("Total", shown.Total),
            ("Filter", filter),
            ("Kinds", filter.KindsOf(all, now)),
            ("Owners", OwnersIn(all)),
            ("Tags", all.SelectMany(one => one.Tags).Distinct().Order(StringComparer.Ordinal).ToArray()),
            ("Selections", SelectionEndpoints.OfferedTo(context, principal, calls, upstream)),
            ("MayExpire", May("nodes.expire")),
            ("MayRename", May("nodes.rename")),
            ("MayDelete", May("nodes.delete")),
            ("State", StateOf(all, answer.Decision.View is View.All)),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("OwnId", principal.User?.Id),
            ("SeesAll", answer.Decision.View is View.All),
            ("Notice", SelectionEndpoints.NoticeOf(done, count) ?? NoticeOf(done)),
            ("Now", now));
    }

    /// <summary>What the list shows, for spreadsheets.</summary>
    private static async Task<IResult> DownloadAsync(HttpContext context, Principal principal, HeadscaleCalls calls, TimeProvider clock)
    {
        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        var (all, now) = (Machine.AllIn(answer, BaseDomainOf(context)), clock.GetUtcNow());
        var rows = MachineFilter.Of(context.Request.Query).Apply(all, principal.User?.Id, now).Select(one => (IEnumerable<string?>)
        [
            one.Id, one.Name, one.HostName, one.Owner, string.Join(' ', one.Addresses), one.StatusAt(now), Csv.Time(one.LastSeen),
            Csv.Time(one.Created), Csv.Time(one.Expiry), string.Join(' ', one.Tags), string.Join(' ', one.ApprovedRoutes),
            string.Join(' ', one.WaitingRoutes), one.FullName,
        ]);
        return Csv.Of(
            ["id", "name", "host_name", "owner", "addresses", "status", "last_seen", "created", "expires", "tags", "routes",
                "waiting_routes", "full_name"],
            rows);
    }

    /// <summary>The domain of the tailnet; null where it is not known.</summary>
    public static string? BaseDomainOf(HttpContext context) => RequestContext.Of(context).Configuration.Settings.Headscale.BaseDomain;

    private static UserChoice[] OwnersIn(IEnumerable<Machine> all) =>
        [.. all.Where(one => one.OwnerId is not null).DistinctBy(one => one.OwnerId).Select(one => new UserChoice(one.OwnerId!, one.Owner))
            .OrderBy(one => one.Name, StringComparer.OrdinalIgnoreCase)];

    private static string StateOf(Machine[] all, bool seesAll)
    {
        var people = all.Where(one => one.OwnerId is not null).Select(one => one.OwnerId).Distinct().Count();
        var online = all.Count(one => one.IsOnline);
        return !seesAll ? Plural(all.Length, "{0} device of your own, {1} online", "{0} devices of your own, {1} online", online)
            : people > 1 ? Plural(
                all.Length, "{0} device of {2} people, {1} online", "{0} devices of {2} people, {1} online", online, people)
            : Plural(all.Length, "{0} device, {1} online", "{0} devices, {1} online", online);
    }

    private static string? NoticeOf(string? done) => _done.GetValueOrDefault(done ?? "") is { } text ? T(text) : null;

    private static Ownership OwnershipOf(Machine machine, Principal principal) =>
        machine.OwnerId is not null && machine.OwnerId == principal.User?.Id ? Ownership.Own : Ownership.Foreign;

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream,
        UserDirectory directory, People people, TimeProvider clock, string id, string? done = null)
    {
        var answer = await calls.SendAsync(context, principal, Operation.GetNode(id));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        var machine = Machine.Of(json.RootElement.GetProperty("node"), BaseDomainOf(context));
        var owners = await OwnersAsync(context, machine, principal, calls, upstream, directory);
        return PageResults.Page<MachinePage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Machine", machine),
            ("Actions", ActionsOn(context, machine, principal, calls) with { Owners = owners }),
            ("OwnerPage", OwnerPageOf(context, machine, principal, people)),
            ("Activity", principal.Role.Has(Capability.ReadAudit)
                ? $"{PageResults.BasePath(context)}/audit?show=all&device={machine.Id}" : null),
            ("Notice", NoticeOf(done)),
            ("Now", clock.GetUtcNow()));
    }

    /// <summary>The page of the person that the machine belongs to, for those who may see people.</summary>
    private static string? OwnerPageOf(HttpContext context, Machine machine, Principal principal, People people) =>
        principal.Role.Has(Capability.ReadUsers) && machine.OwnerId is { } owner
            ? people.Snapshot.Everyone.FirstOrDefault(one => one.Link?.HeadscaleUserId == owner) is { } person
                ? $"{PageResults.BasePath(context)}/users/{person.Id}"
                : $"{PageResults.BasePath(context)}/users/headscale/{owner}"
            : null;

    private static MachineActions ActionsOn(HttpContext context, Machine machine, Principal principal, HeadscaleCalls calls)
    {
        var ownership = OwnershipOf(machine, principal);
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
            return PageResults.NotFound(context, T("There is no such page."));
        }

        var answer = await calls.SendAsync(context, principal, operation);
        return answer.IsDone
            ? Results.Redirect(
                $"{PageResults.BasePath(context)}/machines{(action == "delete" ? "" : $"/{Uri.EscapeDataString(id)}")}?done={action}")
            : PageResults.Explain(context, principal, answer);
    }

    /// <summary>The operation behind a button of the page; null when there is no such button.</summary>
    public static Operation? OperationOf(string action, string id, IFormCollection form) => action switch
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
