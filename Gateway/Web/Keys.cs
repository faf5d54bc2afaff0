using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Web;

/// <summary>A Headscale user as forms offer it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">Its name.</param>
public sealed record UserChoice(string Id, string Name)
{
    /// <summary>So many are offered on one page; its forms take any other by its id, too.</summary>
    private const int Most = 500;

    internal static UserChoice[] Of(IEnumerable<HeadscaleUser> users) => [.. users.Take(Most).Select(one => new UserChoice(one.Id, one.Label))];
}

/// <summary>Pre-auth keys: one's own, or everybody's for those who may make them for everybody.</summary>
internal static class Keys
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal) { ["create"] = "The key was made.", ["expire"] = "The key was expired." };

    public static void MapKeys(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/keys", ListAsync);
        admin.MapPost("/keys", CreateAsync);
        admin.MapPost("/keys/expire", ExpireAsync);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream, UserDirectory directory, OneTimeSecretCookie once, TimeProvider clock, string? user = null, int page = 1, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        // Up to 0.27 keys are listed for one user at a time.
        var (request, version) = (RequestContext.Of(context), upstream.Assumed);
        var everybody = who.Role.Has(Capability.GenerateAuthkeys);
        var choices = everybody ? UserChoice.Of((await directory.GetAsync(context.RequestAborted)).Users) : [];
        var chosen = (everybody ? user : null) ?? who.User?.Id ?? choices.FirstOrDefault()?.Id;
        var answer = await calls.SendAsync(context, request, who, "GET", "/api/v1/preauthkey" + (version.HasTagOwnership ? "" : $"?user={Uri.EscapeDataString(chosen ?? "")}"));
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        var now = clock.GetUtcNow();
        PreAuthKey[] keys = [.. json.RootElement.GetProperty("preAuthKeys").EnumerateArray().Select(PreAuthKey.Of).OrderBy(one => one.StatusAt(now) != "valid").ThenByDescending(one => one.Expiration)];
        var shown = Paging.Cut(keys, page);
        return PageAnswers.Page<Pages.KeysPage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("Keys", shown.Rows),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("OwnId", who.User?.Id),
            ("Users", choices),
            ("Chosen", chosen),
            ("IsPerUser", !version.HasTagOwnership && everybody),
            ("MayCreate", everybody || (who.User is not null && who.Role.Has(Capability.GenerateOwnAuthkeys))),
            ("MayTag", everybody && who.Role.Has(Capability.UseTags)),
            ("MayExpire", everybody || who.Role.Has(Capability.GenerateOwnAuthkeys)),
            ("Fresh", once.Take(context, "key")),
            ("LoginServer", Connect.LoginServer(request)),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", now));
    }

    private static async Task<IResult> CreateAsync(HttpContext context, PageDoor door, PageCalls calls, OneTimeSecretCookie once, TimeProvider clock)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var tags = form["tags"].ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var body = new JsonObject
        {
            ["user"] = form["user"].ToString() is { Length: > 0 } user ? user : who.User?.Id,
            ["reusable"] = form["reusable"] == "true",
            ["ephemeral"] = form["ephemeral"] == "true",
            ["expiration"] = Expiration.FromForm(form, clock),
        };
        if (tags.Length > 0)
        {
            body["aclTags"] = new JsonArray([.. tags.Select(one => (JsonNode)one)]);
        }

        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "POST", "/api/v1/preauthkey", body.ToJsonString());
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        once.Keep(context, "key", json.RootElement.GetProperty("preAuthKey").GetProperty("key").GetString()!);
        return Results.Redirect($"{PageAnswers.BasePath(context)}/keys?done=create");
    }

    private static async Task<IResult> ExpireAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var body = upstream.Assumed.HasTagOwnership
            ? new JsonObject { ["id"] = form["id"].ToString() }
            : new JsonObject { ["user"] = form["user"].ToString(), ["key"] = form["key"].ToString() };
        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "POST", "/api/v1/preauthkey/expire", body.ToJsonString());
        return answer.IsDone ? Results.Redirect($"{PageAnswers.BasePath(context)}/keys?done=expire") : PageDoor.Explain(context, who, answer);
    }
}
