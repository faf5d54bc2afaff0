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
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Home;

/// <summary>Where somebody stands on the way to a connected device.</summary>
/// <param name="IsPerson">Whether it is a person, who can have a Headscale user.</param>
/// <param name="Claim">The Headscale user that they asked for; null for none.</param>
/// <param name="MayClaim">Whether they may say which one is theirs.</param>
/// <param name="IsBelieved">Whether that is believed without anybody's confirmation.</param>
/// <param name="Choices">The Headscale users to choose from; empty: the name has to be typed.</param>
public sealed record Standing(bool IsPerson, string? Claim, bool MayClaim, bool IsBelieved, IReadOnlyList<UserChoice> Choices)
{
    /// <summary>How the audit names them.</summary>
    public string Identity { get; init; } = "";

    /// <summary>Whether their role may do anything.</summary>
    public bool HasAccess { get; init; }

    /// <summary>Whether they asked for a role and wait.</summary>
    public bool AsksForAccess { get; init; }

    /// <summary>What their role follows from; null when people give it.</summary>
    public string? RoleNote { get; init; }

    /// <summary>Why they are linked to nobody; null when they are, and where nobody asks.</summary>
    public string? WhyUnlinked { get; init; }
}

/// <summary>The first page: who somebody is, and what is missing until their first device is connected.</summary>
internal static class HomeEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["claim"] = Noop("Request sent. Administrators see it on their overview."),
        ["linked"] = Noop("You are connected to your Headscale user."),
        ["ask"] = Noop("Request sent. Administrators see it on their overview."),
        ["withdraw"] = Noop("Your request was withdrawn."),
    };

    public static void MapHome(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/", ShowAsync).RequireCapability(Capability.SignedIn);
        admin.MapPost("/ask", AskAsync).RequireCapability(Capability.SignedIn).TakesForm();
        admin.MapPost("/start/user", CreateOwnAsync).RequireCapability(Capability.WriteUsers).TakesForm().Performs("users.create");
        admin.MapPost("/claim", ClaimAsync).RequireCapability(Capability.SignedIn).TakesForm();
        admin.MapPost("/claim/withdraw", WithdrawAsync).RequireCapability(Capability.SignedIn).TakesForm();
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, People people, UserDirectory directory,
        UpstreamMonitor upstream, Dashboard dashboard, TimeProvider clock, string? done = null)
    {
        var (found, trouble) = await MachinesAsync(context, calls, principal);
        return PageResults.Page<HomePage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Overview", await dashboard.OfAsync(context, principal, found)),
            ("Standing", (await StandingOfAsync(context, principal, people, directory)) with
            {
                Identity = principal.Label,
                HasAccess = principal.Role.Held.Count > 0,
                AsksForAccess = principal.Person?.AskedForAccess is not null,
                RoleNote = principal.Person?.RoleNote,
                WhyUnlinked = principal.WhyUnlinked?.Value is { } why ? T(why) : null,
            }),
            ("Machines", OwnOf(principal, found)),
            ("Device", ConnectEndpoints.DeviceOf(context, principal, calls, upstream)),
            ("Notice", _done.GetValueOrDefault(done ?? "") is { } text ? T(text) : null),
            ("Error", trouble),
            ("Now", clock.GetUtcNow()));
    }

    private static Machine[]? OwnOf(Principal principal, Machine[]? seen) =>
        principal.User is { } user && seen is not null ? Array.FindAll(seen, one => one.OwnerId == user.Id) : null;

    private static async Task<Standing> StandingOfAsync(
        HttpContext context, Principal principal, People people, UserDirectory directory)
    {
        if (principal is not { Person: { } person, User: null })
        {
            return new(principal.Person is not null, null, false, false, []);
        }

        var rule = PersonChanges.RuleFor(principal, RequestContext.Of(context).Configuration.Settings);
        var users = await directory.GetAsync(context.RequestAborted);
        return new(
            true,
            person.Claim is { } claim ? users.Find(claim.HeadscaleUserId)?.Label ?? claim.HeadscaleUserId : null,
            rule is not SelfClaim.Off,
            rule is SelfClaim.Open,
            SeesUsers(principal, rule) ? UserChoice.Of(FreeFor(person, people, users)) : []);
    }

    /// <summary>The machines that their role lets them see; null where there can be none, or none are known now.</summary>
    private static async Task<(Machine[]? Machines, string? Trouble)> MachinesAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal)
    {
        if (!principal.Role.Has(Capability.ReadMachines)
            && !(principal.User is not null && principal.Role.Has(Capability.ReadOwnMachines)))
        {
            return (null, null);
        }

        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        return answer.IsDone
            ? (Machine.AllIn(answer), null)
            : (null, T("Devices cannot be shown now: {0}", PageResults.ComplaintOf(principal, answer)));
    }

    private static Task<IResult> AskAsync(HttpContext context, Principal principal, PersonChanges changes) =>
        ChangeAsync(context, principal, changes, "ask", "", "ask");

    /// <summary>Creates the owner's Headscale user and links them: two changes under one reference.</summary>
    private static async Task<IResult> CreateOwnAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, PersonChanges changes, UserDirectory directory)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var answer = await calls.SendAsync(context, principal, Operation.CreateUser(form["name"].ToString().Trim(), "", ""));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        directory.Invalidate();
        using var json = answer.Parse();
        return await ChangeAsync(
            context, principal, changes, "claim", json.RootElement.GetProperty("user").Text("id"), "linked");
    }

    private static async Task<IResult> ClaimAsync(
        HttpContext context, Principal principal, PersonChanges changes, People people, UserDirectory directory)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var rule = PersonChanges.RuleFor(principal, RequestContext.Of(context).Configuration.Settings);
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
                context, StatusCodes.Status403Forbidden, T("Not possible"),
                T("You are signed in with an API key, which belongs to no Headscale user."));
        }

        var changed = await changes.ApplyAsync(PageResults.OriginOf(context), principal, person, action, value, context.RequestAborted);
        return changed.Complaint is null
            ? Results.Redirect($"{PageResults.HomePath(context)}?done={done}")
            : PageResults.Failure(context, changed.Status, T("Nothing was changed"), T(changed.Complaint));
    }

    /// <summary>Names of users are for those who may read them, and for everybody where everybody may take one.</summary>
    private static bool SeesUsers(Principal principal, SelfClaim rule) =>
        rule is SelfClaim.Open || (rule is SelfClaim.Approval && principal.Role.Has(Capability.ReadUsers));

    /// <summary>The Headscale users that somebody could ask for.</summary>
    private static IEnumerable<HeadscaleUser> FreeFor(Person? person, People people, UserSnapshot users) =>
        person is null ? [] : users.Users.Where(one => one.IsLocal && !people.Snapshot.IsClaimed(one.Id, person));
}
