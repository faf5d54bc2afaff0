using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Settings;

namespace Gateway.Web;

/// <summary>A Headscale API key as pages show it: never the key itself.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Prefix">Its public beginning.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expiration">When it ends; null: never.</param>
/// <param name="LastSeen">When it was used last, where Headscale says so.</param>
/// <param name="IsGateway">Whether the gateway itself works with it.</param>
public sealed record ApiKeyRow(string Id, string Prefix, DateTimeOffset? Created, DateTimeOffset? Expiration, DateTimeOffset? LastSeen, bool IsGateway);

/// <summary>Headscale's own API keys, each of which is total control.</summary>
internal static class ApiKeyPages
{
    private const string Target = "/api/v1/apikey";

    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal) { ["expire"] = "The API key was expired.", ["delete"] = "The API key was deleted." };

    public static void MapApiKeys(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/apikeys", ListAsync);
        admin.MapPost("/apikeys", CreateAsync);
        admin.MapPost("/apikeys/{action}", ActAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageDoor door, PageCalls calls, OneTimeSecretCookie once, TimeProvider clock, int page = 1, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var request = RequestContext.Of(context);
        var answer = await calls.SendAsync(context, request, who, "GET", Target);
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        ApiKeyRow[] keys = [.. json.RootElement.GetProperty("apiKeys").EnumerateArray().Select(one => Of(one, request.Configuration.Settings.Headscale.ApiKey)).OrderByDescending(one => one.Expiration)];
        var shown = Paging.Cut(keys, page, perPage: 25);
        return PageAnswers.Page<Pages.ApiKeysPage>(
            StatusCodes.Status200OK, ("Shell", door.ShellOf(context, who)), ("Keys", shown.Rows), ("At", shown.At), ("Pages", shown.Pages), ("Fresh", once.Take(context, "apikey")), ("Notice", _done.GetValueOrDefault(done ?? "")), ("Now", clock.GetUtcNow()));
    }

    private static ApiKeyRow Of(JsonElement key, Secret? own) => new(
        key.Text("id"), key.Text("prefix"), key.Time("createdAt"), key.Time("expiration"), key.Time("lastSeen"), own is not null && ApiKeyFormat.IsListedAs(own.Reveal(), key.Text("prefix")));

    private static async Task<IResult> CreateAsync(HttpContext context, PageDoor door, PageCalls calls, OneTimeSecretCookie once, TimeProvider clock)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var body = new JsonObject { ["expiration"] = Expiration.FromForm(form, clock) };
        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "POST", Target, body.ToJsonString());
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        once.Keep(context, "apikey", json.RootElement.GetProperty("apiKey").GetString()!);
        return Results.Redirect($"{PageAnswers.BasePath(context)}/apikeys");
    }

    private static async Task<IResult> ActAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream, string action)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        if (action is not ("expire" or "delete"))
        {
            return PageAnswers.Failure(context, StatusCodes.Status404NotFound, "Not found", "There is no such action.", isSignedIn: true);
        }

        // From 0.28 on a prefix is masked in lists, and the id tells keys apart.
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (id, prefix, byId) = (form["id"].ToString(), form["prefix"].ToString(), upstream.Assumed.HasTagOwnership);
        var answer = action == "delete"
            ? await calls.SendAsync(context, RequestContext.Of(context), who, "DELETE", $"{Target}/{Uri.EscapeDataString(ApiKeyFormat.BareOf(prefix))}")
            : await calls.SendAsync(context, RequestContext.Of(context), who, "POST", $"{Target}/expire", new JsonObject { [byId ? "id" : "prefix"] = byId ? id : prefix }.ToJsonString());
        return answer.IsDone ? Results.Redirect($"{PageAnswers.BasePath(context)}/apikeys?done={action}") : PageDoor.Explain(context, who, answer);
    }
}
