using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Connect;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using Gateway.Web.Machines;

namespace Gateway.Web.Home;

/// <summary>Where somebody stands on the way to a connected device.</summary>
/// <param name="IsPerson">Whether it is a person, who can have a Headscale user.</param>
/// <param name="Claim">The Headscale user that they asked for; null for none.</param>
/// <param name="MayClaim">Whether they may say which one is theirs.</param>
/// <param name="IsBelieved">Whether that is believed without anybody's confirmation.</param>
/// <param name="Choices">The Headscale users to choose from; empty: the name has to be typed.</param>
public sealed record Standing(bool IsPerson, string? Claim, bool MayClaim, bool IsBelieved, IReadOnlyList<UserChoice> Choices);

/// <summary>The first page: who somebody is, and what is missing until their first device is connected.</summary>
internal static class HomeEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["claim"] = "Your request is stored. Whoever may confirm it sees it on their first page.",
        ["linked"] = "You are linked.",
        ["withdraw"] = "Your request was withdrawn.",
    };

    public static void MapHome(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/", ShowAsync).RequireCapability(Capability.SignedIn);
        admin.MapPost("/claim", ClaimAsync).RequireCapability(Capability.SignedIn).TakesForm();
        admin.MapPost("/claim/withdraw", WithdrawAsync).RequireCapability(Capability.SignedIn).TakesForm();
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, People people, UserDirectory directory,
        UpstreamMonitor upstream, TimeProvider clock, string? done = null)
    {
        var request = RequestContext.Of(context);
        var (machines, trouble) = await OwnMachinesAsync(context, calls, principal);
        return PageResults.Page<HomePage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Identity", principal.Label),
            ("HasAccess", principal.Role.Held.Count > 0),
            ("RoleNote", principal.Person?.RoleNote),
            ("WhyUnlinked", principal.WhyUnlinked?.Value),
            ("Standing", await StandingOfAsync(principal, people, directory, request.Configuration.Settings.SelfClaim,
                context.RequestAborted)),
            ("Machines", machines),
            ("Device", ConnectEndpoints.DeviceOf(context, principal, calls, upstream)),
            ("Asking", CountClaimsFor(principal, people, request.Configuration.Table)),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Error", trouble),
            ("Now", clock.GetUtcNow()));
    }

    /// <summary>How many people wait for an answer that they may give.</summary>
    private static int CountClaimsFor(Principal principal, People people, RouteTable table) =>
        people.Snapshot.Everyone.Count(one => one.Claim is not null && RankRules.Complaint(principal, one, table) is null);

    private static async Task<Standing> StandingOfAsync(
        Principal principal, People people, UserDirectory directory, SelfClaim rule, CancellationToken cancel)
    {
        if (principal is not { Person: { } person, User: null })
        {
            return new(principal.Person is not null, null, false, false, []);
        }

        var users = await directory.GetAsync(cancel);
        return new(
            true,
            person.Claim is { } claim ? users.Find(claim.HeadscaleUserId)?.Label ?? claim.HeadscaleUserId : null,
            rule is not SelfClaim.Off,
            rule is SelfClaim.Open,
            SeesUsers(principal, rule) ? UserChoice.Of(FreeFor(person, people, users)) : []);
    }

    /// <summary>Their own machines as far as their role lets them see those; null where it does not, or there can be none.</summary>
    private static async Task<(IReadOnlyList<Machine>? Machines, string? Trouble)> OwnMachinesAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal)
    {
        if (principal.User is not { NameIsUnique: true } user
            || !(principal.Role.Has(Capability.ReadMachines) || principal.Role.Has(Capability.ReadOwnMachines)))
        {
            return (null, null);
        }

        var answer = await calls.SendAsync(context, principal, Operation.ListNodes(user.Name));
        if (!answer.IsDone)
        {
            return (null, "Your machines cannot be shown now: "
                + (answer.Complaint ?? Refusals.TextOf(PageResults.RefusalOf(principal, answer))));
        }

        using var json = answer.Parse();
        return ([.. json.RootElement.GetProperty("nodes").EnumerateArray().Select(Machine.Of).Where(one => one.OwnerId == user.Id)], null);
    }

    private static async Task<IResult> ClaimAsync(
        HttpContext context, Principal principal, PersonChanges changes, People people, UserDirectory directory)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var rule = RequestContext.Of(context).Configuration.Settings.SelfClaim;
        var (id, name) = (form["user"].ToString(), form["name"].ToString().Trim());
        var meant = FreeFor(principal.Person, people, await directory.GetAsync(context.RequestAborted))
            .Where(one => id.Length > 0 && SeesUsers(principal, rule) ? one.Id == id : name.Length > 0 && one.Name == name).Take(2)
                .ToArray();
        return await ChangeAsync(
            context, principal, changes, "claim", meant is [var only] ? only.Id : "", rule is SelfClaim.Open ? "linked" : "claim");
    }

    private static async Task<IResult> WithdrawAsync(HttpContext context, Principal principal, PersonChanges changes)
    {
        return await ChangeAsync(context, principal, changes, "withdraw", "", "withdraw");
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext context, Principal principal, PersonChanges changes, string action, string value, string done)
    {
        if (principal.Person is not { } person)
        {
            return PageResults.Failure(
                context, StatusCodes.Status403Forbidden, "Not possible",
                "You are signed in with an API key, which belongs to no Headscale user.");
        }

        var changed = await changes.ApplyAsync(PageResults.OriginOf(context), principal, person, action, value, context.RequestAborted);
        return changed.Complaint is null
            ? Results.Redirect($"{PageResults.HomePath(context)}?done={done}")
            : PageResults.Failure(context, changed.Status, "Nothing was changed", changed.Complaint);
    }

    /// <summary>Names of users are for those who may read them, and for everybody where everybody may take one.</summary>
    private static bool SeesUsers(Principal principal, SelfClaim rule) =>
        rule is SelfClaim.Open || (rule is SelfClaim.Approval && principal.Role.Has(Capability.ReadUsers));

    /// <summary>The Headscale users that somebody could ask for.</summary>
    private static IEnumerable<HeadscaleUser> FreeFor(Person? person, People people, UserSnapshot users) =>
        person is null ? [] : users.Users.Where(one => one.IsLocal && !people.Snapshot.IsClaimed(one.Id, person));
}
