using Gateway.Audit;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Activity;
using Gateway.Web.Layout;
using Gateway.Web.Machines;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Home;

/// <summary>The way of a first owner: from an empty Headscale to a connected device and other people.</summary>
/// <param name="MayCreateUser">Whether they may create a Headscale user.</param>
/// <param name="Proposal">A name for it.</param>
/// <param name="FirstDevice">The name of a device that has connected; null for none.</param>
/// <param name="HasOthers">Whether anybody else has signed in.</param>
/// <param name="Address">The address of these pages.</param>
/// <param name="Done">How many of the three steps are done.</param>
public sealed record FirstSteps(bool MayCreateUser, string Proposal, string? FirstDevice, bool HasOthers, string Address, int Done)
{
    /// <summary>Whether any device has connected.</summary>
    public bool HasDevices => FirstDevice is not null;
}

/// <summary>How many machines there are of what one looks for first.</summary>
public sealed record MachineCounts(int All, int Online, int Waiting, int Expiring);

/// <summary>Something that waits for the reader.</summary>
/// <param name="Text">What it is.</param>
/// <param name="Href">Where it is mended, below the base path.</param>
/// <param name="Action">What the way there is called.</param>
public sealed record Attention(string Text, string Href, string Action);

/// <summary>What the first page tells of the whole tailnet, as far as its reader may see it.</summary>
/// <param name="Start">First steps; null where there are none left.</param>
/// <param name="Counts">Of machines; null for who sees only their own.</param>
/// <param name="Refusals">In the last 24 hours; null for who does not read the audit.</param>
/// <param name="Attention">What waits.</param>
/// <param name="Recent">The last changes.</param>
public sealed record Overview(
    FirstSteps? Start, MachineCounts? Counts, int? Refusals, IReadOnlyList<Attention> Attention, IReadOnlyList<Sentence> Recent);

/// <summary>Makes the overview of the first page.</summary>
internal sealed class Dashboard(People people, AccessTokens tokens, AuditReader audit, HeadscaleCalls calls, TimeProvider clock)
{
    private const int Most = 8;

    /// <summary>The overview for somebody.</summary>
    /// <param name="machines">The machines that they see; null for none.</param>
    public async Task<Overview> OfAsync(HttpContext context, Principal principal, Machine[]? machines)
    {
        var (now, table) = (clock.GetUtcNow(), RequestContext.Of(context).Configuration.Table);
        var (seesAll, readsAudit) = (principal.Role.Has(Capability.ReadMachines), principal.Role.Has(Capability.ReadAudit));
        return new(
            StartOf(context, principal, machines),
            seesAll && machines is { Length: > 0 } ? CountsOf(machines, now) : null,
            readsAudit ? (await AuditEndpoints.HoursAsync(audit, now, context.RequestAborted)).Sum() : null,
            AttentionOf(principal, machines ?? [], table, now),
            readsAudit ? await AuditEndpoints.NewestAsync(context, audit, people, 6) : []);
    }

    /// <summary>For the owner, until a device is connected and somebody else has come; null for everybody else.</summary>
    private FirstSteps? StartOf(HttpContext context, Principal principal, Machine[]? machines)
    {
        if (principal is not { Role.IsOwner: true, Person: { } owner })
        {
            return null;
        }

        var (first, others) = (machines?.FirstOrDefault()?.Name, people.Snapshot.Everyone.Count > 1);
        var steps = new[] { principal.User is not null, first is not null, others }.Count(one => one);
        return steps == 3 ? null : new(
            calls.Can(context, principal, "users.create", Ownership.Foreign), UserNames.ProposalFor(owner), first, others,
            RequestContext.Of(context).Configuration.Settings.Server.PagesAddress, steps);
    }

    private static MachineCounts CountsOf(Machine[] all, DateTimeOffset now) => new(
        all.Length, all.Count(one => one.IsOnline), all.Count(one => one.WaitingRoutes.Count > 0), all.Count(one => one.ExpiresSoon(now)));

    /// <summary>What the reader can mend, the most urgent first.</summary>
    private Attention[] AttentionOf(Principal principal, Machine[] all, RouteTable table, DateTimeOffset now)
    {
        var (found, waiting) = (new List<Attention>(), RankRules.Waiting(principal, people, table).ToArray());
        found.AddRange(waiting.Where(one => one.Claim is not null)
            .Select(one => new Attention(T("{0} says which Headscale user is theirs", one.DisplayName), $"/users/{one.Id}", T("Review"))));
        found.AddRange(waiting.Where(one => one.AskedForAccess is not null)
            .Select(one => new Attention(T("{0} asks for access", one.DisplayName), "/users", T("Give a role"))));
        if (principal.Role.Has(Capability.ApproveRoutes))
        {
            found.AddRange(all.Where(one => one.WaitingRoutes.Count > 0)
                .Select(one => new Attention(
                    T("{0} offers {1}", one.Name, string.Join(", ", one.WaitingRoutes)), $"/machines/{one.Id}", T("Review"))));
        }

        found.AddRange(all.Where(one => one.ExpiresSoon(now)).OrderBy(one => one.Expiry)
            .Select(one => new Attention(
                T("The key of {0} ends {1}", one.Name, Moments.Of(one.Expiry!.Value, now)), $"/machines/{one.Id}", T("Look"))));
        found.AddRange(tokens.All.Where(one => one.PersonId == principal.Person?.Id && one.ExpiresSoon(now)).OrderBy(one => one.ExpiresAt)
            .Select(one => new Attention(T("Your token {0} ends {1}", one.Name, Moments.Of(one.ExpiresAt, now)), "/tokens", T("Look"))));
        return [.. found.Take(Most)];
    }
}
