using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.HeadscaleUsers;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using Gateway.Web.Machines;
using Gateway.Web.Users;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Search;

/// <summary>Something that was found.</summary>
/// <param name="Href">Its page.</param>
/// <param name="Name">What it is called.</param>
/// <param name="About">What tells it apart from others of its name.</param>
public sealed record SearchHit(string Href, string Name, params IReadOnlyList<string> About);

/// <summary>What was found of one kind.</summary>
/// <param name="Title">What such things are called.</param>
/// <param name="Icon">The name of their icon.</param>
/// <param name="All">The page that lists every one that was found.</param>
/// <param name="Total">How many were found.</param>
/// <param name="Hits">The first of them.</param>
public sealed record SearchKind(string Title, string Icon, string All, int Total, IReadOnlyList<SearchHit> Hits);

/// <summary>One search for everything that somebody may see: devices, people, Headscale users and keys.</summary>
internal static class SearchEndpoints
{
    /// <summary>Who has anything to search.</summary>
    public static Capability[] Readers { get; } = [.. MachineEndpoints.Readers, .. KeyEndpoints.Readers, Capability.ReadUsers];

    public static void MapSearch(this IEndpointRouteBuilder admin) => admin.MapGet("/search", ShowAsync).RequireCapability(Readers);

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream, People people,
        UserDirectory directory, KeyNotes notes, string? q = null)
    {
        var (search, kinds, complaint) = (q?.Trim() ?? "", new List<SearchKind>(), (string?)null);
        if (search.Length > 0)
        {
            if (MachineEndpoints.Readers.Any(principal.Role.Has))
            {
                var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
                complaint = answer.IsDone ? null : PageResults.ComplaintOf(principal, answer);
                kinds.AddRange(answer.IsDone ? [DevicesIn(context, answer, search)] : []);
            }

            kinds.AddRange(principal.Role.Has(Capability.ReadUsers)
                ? await PeopleAsync(context, principal, people, directory, search) : []);

            // Up to 0.27 keys are listed for one user at a time.
            if (KeyEndpoints.Readers.Any(principal.Role.Has)
                && await upstream.VersionAsync(context.RequestAborted) is { HasTagOwnership: true } version)
            {
                var answer = await calls.SendAsync(context, principal, Operation.ListKeys(version, ""));
                kinds.AddRange(answer.IsDone ? [KeysIn(context, answer, notes, search)] : []);
            }
        }

        return PageResults.Page<SearchPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Search", search),
            ("Kinds", kinds.Where(one => one.Total > 0).ToArray()),
            ("Complaint", complaint),
            ("Activity", principal.Role.Has(Capability.ReadAudit) ? Address(context, "audit", search) + "&show=all" : null));
    }

    private static SearchKind DevicesIn(HttpContext context, ApiResponse answer, string search)
    {
        var found = Machine.AllIn(answer, MachineEndpoints.BaseDomainOf(context)).Where(one => one.Matches(search));
        return KindOf(context, T("Devices"), "device", "machines", search, found, one => new(
            $"{PageResults.BasePath(context)}/machines/{one.Id}", one.Name,
            [one.OwnerId is null ? T(one.Owner) : one.Owner, .. one.Addresses.Take(1)]));
    }

    private static async Task<SearchKind[]> PeopleAsync(
        HttpContext context, Principal principal, People people, UserDirectory directory, string search)
    {
        var at = PageResults.BasePath(context);
        var users = await directory.GetAsync(context.RequestAborted);
        var rows = UserEndpoints.RowsOf(people, users, principal, RequestContext.Of(context).Configuration.Table);
        return
        [
            KindOf(context, T("People"), "people", "users", search, rows.Where(one => one.Matches(search)), one => new(
                $"{at}/users/{one.Id}", one.Name, one.Address ?? one.Identity)),
            KindOf(context, T("Headscale users"), "role", "users/headscale", search,
                HeadscaleUserEndpoints.RowsOf(people, users).Where(one => one.Matches(search)), one => new(
                    $"{at}/users/headscale/{one.Id}", one.Label, one.Person ?? T("linked to nobody"))),
        ];
    }

    private static SearchKind KeysIn(HttpContext context, ApiResponse answer, KeyNotes notes, string search) =>
        KindOf(context, T("Keys"), "key", "keys", search, KeyEndpoints.KeysOf(answer, notes).Where(one => one.Matches(search)), one => new(
            Address(context, "keys", one.Description ?? one.Shown), one.Description ?? one.Shown,
            one.OwnerId is null ? T(one.Owner) : one.Owner));

    /// <summary>Whatever is called exactly that comes first.</summary>
    private static SearchKind KindOf<T>(
        HttpContext context, string title, string icon, string page, string search, IEnumerable<T> found, Func<T, SearchHit> hitOf)
    {
        const int PerKind = 8;
        var all = found.Select(hitOf).OrderByDescending(one => one.Name.Equals(search, StringComparison.OrdinalIgnoreCase))
            .ThenBy(one => one.Name, StringComparer.OrdinalIgnoreCase).ToArray();
        return new(title, icon, Address(context, page, search), all.Length, all[..Math.Min(all.Length, PerKind)]);
    }

    private static string Address(HttpContext context, string page, string search) =>
        $"{PageResults.BasePath(context)}/{page}?q={Uri.EscapeDataString(search)}";
}
