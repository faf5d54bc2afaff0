using System.Text.Json.Serialization;
using Gateway.Edge;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Gateway.Web.SignIn;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Account;

/// <summary>Who is calling.</summary>
internal sealed record IdentityAnswer(string Source, string Issuer, string Subject, string? Email, string? Name);

/// <summary>The linked Headscale user.</summary>
internal sealed record HeadscaleUserAnswer(string Id, string Name);

/// <summary>A session as its owner and administrators see it.</summary>
/// <param name="Id">The number by which it is ended.</param>
/// <param name="Kind">oidc or api_key.</param>
/// <param name="Identity">Whose it is.</param>
/// <param name="CreatedAt">When it was begun.</param>
/// <param name="LastUsedAt">When it was used last, to the minute.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="Client">The address it was begun from.</param>
/// <param name="UserAgent">The browser, in its own words.</param>
/// <param name="Current">Whether it is the one that asks.</param>
public sealed record SessionAnswer(
    long Id, string Kind, string? Identity, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt, string? Client,
        string? UserAgent, bool Current);

/// <summary><c>/api/me</c>.</summary>
/// <param name="Capabilities">What the role may do.</param>
/// <param name="Reserved">What the role has in Headplane, and what nothing asks for here.</param>
internal sealed record MeAnswer(
    IdentityAnswer Identity, string Role, IReadOnlyList<string> Capabilities, IReadOnlyList<string> Reserved,
    HeadscaleUserAnswer? HeadscaleUser, SessionAnswer? Session)
{
    /// <summary>The token that a program asks with; null for people.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OwnTokenAnswer? Token { get; init; }
}

/// <summary>The token that a program asks with.</summary>
/// <param name="Operations">The ids of the rules that it may use; empty: all of its role's.</param>
internal sealed record OwnTokenAnswer(long Id, string Name, DateTimeOffset ExpiresAt, IReadOnlyList<string> Operations);

/// <summary><c>/api/sessions</c>.</summary>
internal sealed record SessionsAnswer(IReadOnlyList<SessionAnswer> Sessions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(SessionsAnswer))]
internal sealed partial class AccountJson : JsonSerializerContext;

/// <summary>One's own account and sessions, as pages and as JSON.</summary>
internal static class AccountEndpoints
{
    public static void MapAccount(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/api/me", MeAsync).RequireCapability(Capability.SignedIn).TakesTokens(alsoLimited: true);
        admin.MapGet("/api/sessions", SessionsAsync).RequireCapability(Capability.SignedIn);
        admin.MapDelete("/api/sessions/{id:long}", RevokeAsync).RequireCapability(Capability.SignedIn).TakesJson();
        admin.MapGet("/account", ShowSessions).RequireCapability(Capability.SignedIn);
        admin.MapPost("/account/sessions/{id:long}/end", EndAsync).RequireCapability(Capability.SignedIn).TakesForm();
        admin.MapFallback(Unknown).RequireCapability(Capability.SignedIn);
    }

    /// <summary>Which pages there are is for those who are signed in.</summary>
    private static RazorComponentResult Unknown(HttpContext context) => PageResults.NotFound(context, T("There is no such page."));

    private static Task MeAsync(HttpContext context, Principal me, ConfigurationMonitor monitor)
    {
        var held = me.Role.Held.OrderBy(capability => capability.Name, StringComparer.Ordinal)
            .ToLookup(monitor.Current.Table.Reserved.Contains, capability => capability.Name);
        return context.Response.WriteAsJsonAsync(
            new MeAnswer(
                IdentityOf(me),
                me.Role.Name,
                [.. held[false]],
                [.. held[true]],
                me.User is { } user ? new(user.Id, user.Name) : null,
                me.Session is { } session ? ToAnswer(session, me.Label, me) : null)
            {
                Token = me.Token is { Token: var token } ? new(token.Id, token.Name, token.ExpiresAt, token.Operations) : null,
            },
            AccountJson.Default.MeAnswer);
    }

    private static IdentityAnswer IdentityOf(Principal me) => me.Person is { } person
        ? new(SnakeCase.From(person.Source.ToString()), person.Issuer, person.Subject, person.Email, person.Name)
        : new(SnakeCase.From(nameof(SessionKind.ApiKey)), "", me.Session?.KeyPrefix ?? "", null, null);

    private static Task SessionsAsync(HttpContext context, Principal me, Sessions sessions, People people) =>
        context.Response.WriteAsJsonAsync(new SessionsAnswer(SeenBy(context, me, sessions, people)), AccountJson.Default.SessionsAnswer);

    private static async Task<IResult> RevokeAsync(
        HttpContext context, long id, Principal me, Sessions sessions, People people, SignInAudit audit) =>
        await TryEndAsync(context, id, me, sessions, people, audit) ? Results.NoContent() : Results.NotFound();

    private static RazorComponentResult ShowSessions(
        HttpContext context, Principal principal, PageLayout layout, Sessions sessions, People people, TimeProvider clock, int page = 1,
        string? done = null)
    {
        var shown = Paging.Cut(
            [.. SeenBy(context, principal, sessions, people).OrderByDescending(one => one.Current)
                .ThenByDescending(one => one.LastUsedAt)],
            page);
        return PageResults.Page<AccountPage>(
            StatusCodes.Status200OK, ("Layout", layout.For(context, principal)), ("Sessions", shown.Rows), ("At", shown.At),
                ("Pages", shown.Pages), ("Identity", principal.Label), ("Now", clock.GetUtcNow()),
                ("Notice", done == "end" ? T("The session was ended.") : null));
    }

    private static async Task<IResult> EndAsync(
        HttpContext context, long id, Principal principal, Sessions sessions, People people, SignInAudit audit)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var back = long.TryParse(form["person"], out var person) ? $"/users/{person}" : "/account";
        return await TryEndAsync(context, id, principal, sessions, people, audit)
            ? Results.Redirect($"{PageResults.BasePath(context)}{back}?done=end")
            : PageResults.NotFound(context, T("There is no such session, or it is somebody else's."));
    }

    /// <summary>Somebody else's session answers like one that is not there.</summary>
    private static async Task<bool> TryEndAsync(
        HttpContext context, long id, Principal me, Sessions sessions, People people, SignInAudit audit)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        var isDone = sessions.Find(id) is { } session && MayManage(me, session, people, table) && await sessions.EndAsync(id);
        await audit.RecordAsync(
            context, "session.revoke", me.Label, isDone ? "done" : "not_found",
            isDone ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound, me.Role.Name, $"session {id}");
        return isDone;
    }

    /// <param name="person">Whose sessions; null: all that somebody may end.</param>
    public static SessionAnswer[] SeenBy(HttpContext context, Principal me, Sessions sessions, People people, long? person = null)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        return [.. sessions.All.Where(one => (person is null || one.PersonId == person) && MayManage(me, one, people, table))
            .OrderBy(one => one.Id).Select(one => ToAnswer(one, LabelOf(one, people), me))];
    }

    /// <summary>One's own; for who may give and take roles, those of whoever is below them.</summary>
    private static bool MayManage(Principal me, Session session, People people, RouteTable table) =>
        (me.Person is { } person && session.PersonId == person.Id) || session.Id == me.Session?.Id
        || (me.Role.Has(Capability.AssignRoles)
            && (session.PersonId is not { } id ? me.Role.Has(Capability.ManageApiKeys)
                : people.Snapshot.Find(id) is not { } other || RankRules.Complaint(me, other, table) is null));

    private static string LabelOf(Session session, People people) =>
        Person.LabelOf(session, session.PersonId is { } id ? people.Snapshot.Find(id) : null);

    private static SessionAnswer ToAnswer(Session session, string identity, Principal me) => new(
        session.Id, SnakeCase.From(session.Kind.ToString()), identity, session.CreatedAt, session.LastUsedAt, session.ExpiresAt,
            session.Client, session.UserAgent, session.Id == me.Session?.Id);
}
