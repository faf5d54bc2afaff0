using System.Text.Json;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;

namespace Gateway.Web;

/// <summary>Where somebody stands on the way to a connected device.</summary>
/// <param name="IsPerson">Whether it is a person, who can have a Headscale user.</param>
/// <param name="Claim">The Headscale user that they asked for; null for none.</param>
/// <param name="MayClaim">Whether they may say which one is theirs.</param>
/// <param name="IsBelieved">Whether that is believed without anybody's confirmation.</param>
/// <param name="Choices">The Headscale users to choose from; empty: the name has to be typed.</param>
public sealed record Standing(bool IsPerson, string? Claim, bool MayClaim, bool IsBelieved, IReadOnlyList<UserChoice> Choices);

/// <summary>The first page: who somebody is, and what is missing until their first device is connected.</summary>
internal static class Overview
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["claim"] = "Your request is stored. Whoever may confirm it sees it on their first page.",
        ["linked"] = "You are linked.",
        ["withdraw"] = "Your request was withdrawn.",
    };

    public static void MapOverview(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/", ShowAsync);
        admin.MapPost("/claim", ClaimAsync);
        admin.MapPost("/claim/withdraw", WithdrawAsync);
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PageDoor door, PageCalls calls, People people, UserDirectory directory, UpstreamMonitor upstream, TimeProvider clock, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var request = RequestContext.Of(context);
        var (machines, trouble) = await OwnMachinesAsync(context, calls, who);
        return PageAnswers.Page<Pages.HomePage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("Identity", who.Label),
            ("HasAccess", who.Role.Held.Count > 0),
            ("RoleNote", who.Person?.RoleNote),
            ("WhyUnlinked", who.WhyUnlinked?.Value),
            ("Standing", await StandingOfAsync(who, people, directory, request.Configuration.Settings.SelfClaim, context.RequestAborted)),
            ("Machines", machines),
            ("Device", Connect.DeviceOf(request, who, calls, upstream)),
            ("Asking", people.Snapshot.Everyone.Count(one => one.Claim is not null && RankRules.Complaint(who, one, request.Configuration.Table) is null)),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Error", trouble),
            ("Now", clock.GetUtcNow()));
    }

    private static async Task<Standing> StandingOfAsync(Principal who, People people, UserDirectory directory, SelfClaim rule, CancellationToken cancel)
    {
        if (who is not { Person: { } person, User: null })
        {
            return new(who.Person is not null, null, false, false, []);
        }

        var users = await directory.GetAsync(cancel);
        return new(
            true,
            person.Claim is { } claim ? users.Find(claim.HeadscaleUserId)?.Label ?? claim.HeadscaleUserId : null,
            rule is not SelfClaim.Off,
            rule is SelfClaim.Open,
            SeesUsers(who, rule) ? UserChoice.Of(FreeFor(person, people, users)) : []);
    }

    /// <summary>Their own machines as far as their role lets them see those; null where it does not, or there can be none.</summary>
    private static async Task<(IReadOnlyList<Machine>? Machines, string? Trouble)> OwnMachinesAsync(HttpContext context, PageCalls calls, Principal who)
    {
        if (who.User is not { NameIsUnique: true } user || !(who.Role.Has(Capability.ReadMachines) || who.Role.Has(Capability.ReadOwnMachines)))
        {
            return (null, null);
        }

        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "GET", $"/api/v1/node?user={Uri.EscapeDataString(user.Name)}");
        if (!answer.IsDone)
        {
            return (null, "Your machines cannot be shown now: " + (answer.Complaint ?? Edge.Refusals.TextOf(new(answer.Decision.Reason, who.Role.Name, answer.Decision.Lacks, answer.Decision.Detail))));
        }

        using var json = JsonDocument.Parse(answer.Json);
        return ([.. json.RootElement.GetProperty("nodes").EnumerateArray().Select(Machine.Of).Where(one => one.OwnerId == user.Id)], null);
    }

    private static async Task<IResult> ClaimAsync(HttpContext context, PageDoor door, PersonChanges changes, People people, UserDirectory directory)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var rule = RequestContext.Of(context).Configuration.Settings.SelfClaim;
        var (id, name) = (form["user"].ToString(), form["name"].ToString().Trim());
        var meant = FreeFor(who.Person, people, await directory.GetAsync(context.RequestAborted))
            .Where(one => id.Length > 0 && SeesUsers(who, rule) ? one.Id == id : name.Length > 0 && one.Name == name).Take(2).ToArray();
        return await ChangeAsync(context, who, changes, "claim", meant is [var only] ? only.Id : "", rule is SelfClaim.Open ? "linked" : "claim");
    }

    private static async Task<IResult> WithdrawAsync(HttpContext context, PageDoor door, PersonChanges changes)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        return who is null ? refusal! : await ChangeAsync(context, who, changes, "withdraw", "", "withdraw");
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, Principal who, PersonChanges changes, string action, string value, string done)
    {
        if (who.Person is not { } person)
        {
            return PageAnswers.Failure(context, StatusCodes.Status403Forbidden, "Not possible", "You are signed in with an API key, which belongs to no Headscale user.", isSignedIn: true);
        }

        var changed = await changes.ApplyAsync(PageAnswers.OriginOf(context), who, person, action, value, context.RequestAborted);
        return changed.Complaint is null
            ? Results.Redirect($"{PageAnswers.HomePath(context)}?done={done}")
            : PageAnswers.Failure(context, changed.Status, "Nothing was changed", changed.Complaint, isSignedIn: true);
    }

    /// <summary>Names of users are for those who may read them, and for everybody where everybody may take one.</summary>
    private static bool SeesUsers(Principal who, SelfClaim rule) => rule is SelfClaim.Open || (rule is SelfClaim.Approval && who.Role.Has(Capability.ReadUsers));

    /// <summary>The Headscale users that somebody could ask for.</summary>
    private static IEnumerable<HeadscaleUser> FreeFor(Person? person, People people, UserSnapshot users) =>
        person is null ? [] : users.Users.Where(one => one.IsLocal && !people.Snapshot.IsClaimed(one.Id, person));
}
