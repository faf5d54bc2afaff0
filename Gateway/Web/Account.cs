using System.Text.Json.Serialization;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web;

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
    long Id, string Kind, string? Identity, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt, string? Client, string? UserAgent, bool Current);

/// <summary><c>/api/me</c>.</summary>
internal sealed record MeAnswer(IdentityAnswer Identity, string Role, IReadOnlyList<string> Capabilities, HeadscaleUserAnswer? HeadscaleUser, SessionAnswer? Session);

/// <summary><c>/api/sessions</c>.</summary>
internal sealed record SessionsAnswer(IReadOnlyList<SessionAnswer> Sessions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(SessionsAnswer))]
internal sealed partial class AccountJson : JsonSerializerContext;

/// <summary>One's own account and sessions, as pages and as JSON.</summary>
internal static class Account
{
    public static void MapAccount(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/api/me", MeAsync);
        admin.MapGet("/api/sessions", SessionsAsync);
        admin.MapDelete("/api/sessions/{id:long}", RevokeAsync);
        admin.MapGet("/account", ShowSessionsAsync);
        admin.MapPost("/account/sessions/{id:long}/end", EndAsync);
        admin.MapFallback(UnknownAsync);
    }

    /// <summary>Which pages there are is for those who are signed in.</summary>
    private static async Task<IResult> UnknownAsync(HttpContext context, PageDoor door)
    {
        var (who, refusal) = await door.EnterAsync(context);
        return who is null ? refusal! : PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "There is no such page.", isSignedIn: true);
    }

    private static async Task MeAsync(HttpContext context, JsonDoor door)
    {
        if (await door.EnterAsync(context) is { } me)
        {
            await context.Response.WriteAsJsonAsync(
                new MeAnswer(
                    new(SnakeCase.From(me.Person?.Source.ToString() ?? "ApiKey"), me.Person?.Issuer ?? "", me.Person?.Subject ?? me.Session?.KeyPrefix ?? "", me.Person?.Email, me.Person?.Name),
                    me.Role.Name,
                    [.. me.Role.Held.Select(one => one.Name).Order(StringComparer.Ordinal)],
                    me.User is { } user ? new(user.Id, user.Name) : null,
                    me.Session is { } session ? ToAnswer(session, me.Label, me) : null),
                AccountJson.Default.MeAnswer);
        }
    }

    private static async Task SessionsAsync(HttpContext context, JsonDoor door, Sessions sessions, People people)
    {
        if (await door.EnterAsync(context) is { } me)
        {
            await context.Response.WriteAsJsonAsync(new SessionsAnswer(SeenBy(me, sessions, people)), AccountJson.Default.SessionsAnswer);
        }
    }

    private static async Task RevokeAsync(HttpContext context, long id, JsonDoor door, Sessions sessions, SignInAudit audit)
    {
        if (await door.EnterAsync(context) is { } me)
        {
            context.Response.StatusCode = await TryEndAsync(context, id, me, sessions, audit) ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound;
        }
    }

    private static async Task<IResult> ShowSessionsAsync(HttpContext context, PageDoor door, Sessions sessions, People people, int page = 1, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var shown = Paging.Cut(SeenBy(who, sessions, people), page);
        return PageAnswers.Page<Pages.AccountPage>(
            StatusCodes.Status200OK, ("Shell", door.ShellOf(context, who)), ("Sessions", shown.Rows), ("At", shown.At), ("Pages", shown.Pages), ("Notice", done == "end" ? "The session was ended." : null));
    }

    private static async Task<IResult> EndAsync(HttpContext context, long id, PageDoor door, Sessions sessions, SignInAudit audit)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var back = long.TryParse(form["person"], out var person) ? $"/users/{person}" : "/account";
        return await TryEndAsync(context, id, who, sessions, audit)
            ? Results.Redirect($"{PageAnswers.BasePath(context)}{back}?done=end")
            : PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "There is no such session, or it is somebody else's.", isSignedIn: true);
    }

    /// <summary>Somebody else's session answers like one that is not there.</summary>
    private static async Task<bool> TryEndAsync(HttpContext context, long id, Principal me, Sessions sessions, SignInAudit audit)
    {
        var isDone = sessions.Find(id) is { } session && MayManage(me, session) && await sessions.EndAsync(id);
        await audit.RecordAsync(context, "session.revoke", me.Label, isDone ? "done" : "not_found", isDone ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound, me.Role.Name, $"session {id}");
        return isDone;
    }

    /// <param name="person">Whose sessions; null: all that somebody may end.</param>
    public static SessionAnswer[] SeenBy(Principal me, Sessions sessions, People people, long? person = null) =>
        [.. sessions.All.Where(one => MayManage(me, one) && (person is null || one.PersonId == person)).OrderBy(one => one.Id).Select(one => ToAnswer(one, LabelOf(one, people), me))];

    /// <summary>One's own; everybody's for who may give and take roles.</summary>
    private static bool MayManage(Principal me, Session session) =>
        (me.Person is { } person && session.PersonId == person.Id) || session.Id == me.Session?.Id || me.Role.Has(Capability.AssignRoles);

    private static string LabelOf(Session session, People people) => Person.LabelOf(session, session.PersonId is { } id ? people.Snapshot.Find(id) : null);

    private static SessionAnswer ToAnswer(Session session, string identity, Principal me) => new(
        session.Id, SnakeCase.From(session.Kind.ToString()), identity, session.CreatedAt, session.LastUsedAt, session.ExpiresAt, session.Client, session.UserAgent, session.Id == me.Session?.Id);
}
