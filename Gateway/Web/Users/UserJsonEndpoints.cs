using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Account;
using Gateway.Web.Layout;

namespace Gateway.Web.Users;

/// <summary>A person as JSON.</summary>
internal sealed record PersonAnswer(
    long Id, string Identity, string Source, string Issuer, string Subject, string? Name, string? Email, string Role,
        HeadscaleUserAnswer? HeadscaleUser, string? LinkedBy, HeadscaleUserAnswer? Claim, DateTimeOffset CreatedAt, bool MayChange,
            string? RoleNote, string? WhyUnlinked)
{
    /// <summary>Whether the role was given by hand and stays.</summary>
    public bool RoleIsPinned { get; init; }
}

/// <summary><c>/api/users</c>.</summary>
internal sealed record PeopleAnswer(IReadOnlyList<PersonAnswer> Users);

/// <summary>What a change says: a role, or a Headscale user; nothing where neither is meant.</summary>
internal sealed record PersonChangeBody(string? Role, string? HeadscaleUser);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(PeopleAnswer))]
[JsonSerializable(typeof(PersonChangeBody))]
internal sealed partial class PeopleJson : JsonSerializerContext;

/// <summary>People as JSON, under the rules of the pages.</summary>
internal static class UserJsonEndpoints
{
    public static void MapUserJson(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/api/users", ListAsync).RequireCapability(Capability.ReadUsers).TakesTokens();
        admin.MapGet("/api/users/{id:long}", ShowAsync).RequireCapability(Capability.ReadUsers).TakesTokens();
        admin.MapPost("/api/users/{id:long}/{action}", ChangeAsync).RequireCapability(Capability.SignedIn).TakesJson();
        admin.MapPost("/api/me/{action}", ChangeMyselfAsync).RequireCapability(Capability.SignedIn).TakesJson();
    }

    private static async Task ListAsync(HttpContext context, Principal me, People people, UserDirectory directory)
    {
        var (users, table) = (await directory.GetAsync(context.RequestAborted), RequestContext.Of(context).Configuration.Table);
        var answer = new PeopleAnswer([.. people.Snapshot.Everyone.Select(person => ToAnswer(person, me, users, table))]);
        await context.Response.WriteAsJsonAsync(answer, PeopleJson.Default.PeopleAnswer);
    }

    private static async Task ShowAsync(
        HttpContext context, long id, Principal me, People people, UserDirectory directory, PrincipalResolver principals)
    {
        await (people.Snapshot.Find(id) is null
            ? ErrorAnswers.WriteProblemAsync(context, StatusCodes.Status404NotFound, "there is no such person")
            : AnswerAsync(context, id, me, people, directory, principals));
    }

    private static async Task ChangeAsync(
        HttpContext context, long id, string action, Principal me, People people, UserDirectory directory, PrincipalResolver principals,
        PersonChanges changes)
    {
        if (people.Snapshot.Find(id) is not { } person || !PersonChanges.ByOthers.Contains(action))
        {
            await ErrorAnswers.WriteProblemAsync(context, StatusCodes.Status404NotFound, "there is no such person, or no such action");
            return;
        }

        if (await ReadAsync(context) is { } body && await ApplyAsync(context, me, person, action, body, changes))
        {
            await AnswerAsync(context, id, me, people, directory, principals);
        }
    }

    private static async Task ChangeMyselfAsync(HttpContext context, string action, Principal me, PersonChanges changes)
    {
        if (me.Person is not { } person || !PersonChanges.ByThemselves.Contains(action))
        {
            await ErrorAnswers.WriteProblemAsync(
                context, StatusCodes.Status404NotFound, "there is no such action, or you are signed in with an API key, which is nobody's");
            return;
        }

        if (await ReadAsync(context) is { } body && await ApplyAsync(context, me, person, action, body, changes))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static async Task<bool> ApplyAsync(
        HttpContext context, Principal me, Person person, string action, PersonChangeBody body, PersonChanges changes)
    {
        var changed = await changes.ApplyAsync(
            PageResults.OriginOf(context), me, person, action, (action == "role" ? body.Role : body.HeadscaleUser) ?? "",
                context.RequestAborted);
        if (changed.Complaint is { } complaint)
        {
            await ErrorAnswers.WriteProblemAsync(context, changed.Status, complaint.English());
        }

        return changed.Complaint is null;
    }

    /// <summary>The body; null after an answer that says what is wrong with it. None at all says nothing.</summary>
    private static async Task<PersonChangeBody?> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength is null or 0 && context.Request.Headers.TransferEncoding.Count == 0)
        {
            return new(null, null);
        }

        try
        {
            return context.Request.HasJsonContentType()
                ? await context.Request.ReadFromJsonAsync(PeopleJson.Default.PersonChangeBody, context.RequestAborted) ?? new(null, null)
                : throw new JsonException("the body must be application/json");
        }
        catch (JsonException e)
        {
            await ErrorAnswers.WriteProblemAsync(context, StatusCodes.Status400BadRequest, e.Message);
            return null;
        }
    }

    private static async Task AnswerAsync(
        HttpContext context, long id, Principal me, People people, UserDirectory directory, PrincipalResolver principals)
    {
        if (people.Snapshot.Find(id) is not { } person)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        var (users, configuration) = (await directory.GetAsync(context.RequestAborted), RequestContext.Of(context).Configuration);
        var why = principals.WhyUnlinked(person, users, configuration.Settings)?.English();
        var answer = ToAnswer(person, me, users, configuration.Table, why);
        await context.Response.WriteAsJsonAsync(answer, PeopleJson.Default.PersonAnswer);
    }

    private static PersonAnswer ToAnswer(Person one, Principal me, UserSnapshot users, RouteTable table, string? whyUnlinked = null) => new(
        one.Id, one.Label, SnakeCase.From(
            one.Source.ToString()), one.Issuer, one.Subject, one.Name, one.Email, one.Role, ToAnswer(one.Link, users),
        one.Link is { Source: var source } ? SnakeCase.From(source.ToString()) : null, ToAnswer(one.Claim, users), one.CreatedAt,
            RankRules.Complaint(me, one, table) is null, one.RoleNote, whyUnlinked)
    {
        RoleIsPinned = one.RoleIsPinned,
    };

    private static HeadscaleUserAnswer? ToAnswer(UserLink? link, UserSnapshot users) =>
        link is null ? null : new(link.HeadscaleUserId, users.Find(link.HeadscaleUserId)?.Name ?? "");
}
