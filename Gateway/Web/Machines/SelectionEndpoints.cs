using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Machines;

/// <summary>What is done with several machines at once: one confirmation, one reference in the audit, each judged by itself.</summary>
internal static class SelectionEndpoints
{
    /// <summary>What a page lists, and somewhat more.</summary>
    private const int Most = 200;

    private static readonly (string Action, string Label, string Rule)[] _actions =
        [("expire", Noop("Sign out"), "nodes.expire"), ("tags", Noop("Set tags"), "nodes.set_tags"),
            ("user", Noop("Change owner"), "nodes.move"), ("delete", Noop("Delete"), "nodes.delete")];

    public static void MapSelection(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/machines/selected", ConfirmAsync).RequireCapability(MachineEndpoints.Readers).TakesForm().Performs("nodes.list");
        admin.MapPost("/machines/selected/{action}", ActAsync).RequireCapability(MachineEndpoints.Readers).TakesForm()
            .Performs(route => _actions.FirstOrDefault(one => one.Action == $"{route["action"]}").Rule ?? "page");
    }

    /// <summary>The actions that somebody may do with machines, their own at least.</summary>
    public static (string Value, string Label)[] OfferedTo(
        HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream) =>
        [.. _actions.Where(one => one.Action != "user" || !upstream.Assumed.HasTagOwnership)
            .Where(one => calls.Can(context, principal, one.Rule, Ownership.Own)
                || calls.Can(context, principal, one.Rule, Ownership.Foreign))
            .Select(one => (one.Action, T(one.Label)))];

    /// <summary>What the list says afterwards; null where it was something else.</summary>
    public static string? NoticeOf(string? done, int count) => done is "selected"
        ? Plural(count, "Done with 1 device.", "Done with {0} devices.")
        : null;

    private static bool IsForSeveral(string action) => Array.Exists(_actions, one => one.Action == action);

    private static async Task<IResult> ConfirmAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UserDirectory directory)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var action = form["task"].ToString();
        if (!IsForSeveral(action))
        {
            return PageResults.NotFound(context, T("There is no such page."));
        }

        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        var chosen = form["id"].OfType<string>().Take(Most).ToHashSet(StringComparer.Ordinal);
        var machines = Array.FindAll(Machine.AllIn(answer), one => chosen.Contains(one.Id));
        if (machines.Length == 0)
        {
            return PageResults.Failure(
                context, StatusCodes.Status400BadRequest, T("Nothing is selected"),
                T("Select the devices first: each has a box in front of it."));
        }

        return PageResults.Page<SelectionPage>(
            StatusCodes.Status200OK, ("Layout", layout.For(context, principal)), ("Machines", machines), ("Action", action),
            ("Owners", action is "user" && principal.Role.Has(Capability.ReadUsers)
                ? UserChoice.Of((await directory.GetAsync(context.RequestAborted)).Users) : []));
    }

    private static async Task<IResult> ActAsync(HttpContext context, Principal principal, HeadscaleCalls calls, string action)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var ids = form["id"].OfType<string>().Distinct(StringComparer.Ordinal).Take(Most).ToArray();
        var (done, failed) = (0, new List<string>());
        foreach (var id in ids)
        {
            // A name or routes are for one device alone.
            if (!IsForSeveral(action) || MachineEndpoints.OperationOf(action, id, form) is not { } operation)
            {
                return PageResults.NotFound(context, T("There is no such page."));
            }

            var answer = await calls.SendAsync(context, principal, operation);
            if (answer.IsDone)
            {
                done++;
            }
            else
            {
                failed.Add($"{id}: {PageResults.ComplaintOf(principal, answer)}");
            }
        }

        return failed.Count == 0
            ? Results.Redirect($"{PageResults.BasePath(context)}/machines?done=selected&count={done}")
            : PageResults.Failure(
                context, StatusCodes.Status409Conflict, T("{0} of {1} done", done, ids.Length),
                T("These were not changed – {0}", $"{string.Join("; ", failed.Take(10))}{(failed.Count > 10 ? " …" : "")}"));
    }
}
