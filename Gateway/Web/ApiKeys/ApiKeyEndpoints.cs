using System.Text.Json;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Layout;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.ApiKeys;

/// <summary>A Headscale API key as pages show it: never the key itself.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Prefix">Its public beginning.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expiration">When it ends; null: never.</param>
/// <param name="LastSeen">When it was used last, where Headscale says so.</param>
/// <param name="IsGateway">Whether the gateway itself works with it.</param>
public sealed record ApiKeyRow(
    string Id, string Prefix, DateTimeOffset? Created, DateTimeOffset? Expiration, DateTimeOffset? LastSeen, bool IsGateway);

/// <summary>Headscale's own API keys, each of which is total control.</summary>
internal static class ApiKeyEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["expire"] = Noop("The API key was expired."),
        ["delete"] = Noop("The API key was deleted."),
    };

    public static void MapApiKeys(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/apikeys", ListAsync).RequireCapability(Capability.ManageApiKeys).Performs("apikeys.list");
        admin.MapPost("/apikeys", CreateAsync).RequireCapability(Capability.ManageApiKeys).TakesForm().Performs("apikeys.create");
        admin.MapPost("/apikeys/{action}", ActAsync).RequireCapability(Capability.ManageApiKeys).TakesForm()
            .Performs(route => $"apikeys.{route["action"]}");
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, OneTimeSecretCookie once, TimeProvider clock,
        int page = 1, string? done = null)
    {
        var request = RequestContext.Of(context);
        var answer = await calls.SendAsync(context, principal, Operation.ListApiKeys());
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        ApiKeyRow[] keys = [.. json.RootElement.GetProperty("apiKeys").EnumerateArray()
            .Select(one => Of(one, request.Configuration.Settings.Headscale.ApiKey)).OrderByDescending(one => one.Expiration)];
        var shown = Paging.Cut(keys, page, perPage: 25);
        return PageResults.Page<ApiKeysPage>(
            StatusCodes.Status200OK, ("Layout", layout.For(context, principal)), ("Keys", shown.Rows), ("At", shown.At),
                ("Pages", shown.Pages), ("Fresh", once.Take(context, principal, "apikey")),
                    ("Notice", _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null), ("Now", clock.GetUtcNow()));
    }

    private static ApiKeyRow Of(JsonElement key, Secret? own) => new(
        key.Text("id"), key.Text("prefix"), key.Time("createdAt"), key.Time("expiration"), key.Time("lastSeen"), own is not null
            && ApiKeyFormat.IsListedAs(own.Reveal(), key.Text("prefix")));

    private static async Task<IResult> CreateAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, OneTimeSecretCookie once, TimeProvider clock)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var answer = await calls.SendAsync(context, principal, Operation.CreateApiKey(Expiration.FromForm(form, clock)));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        once.Keep(context, principal, "apikey", json.RootElement.GetProperty("apiKey").GetString()!);
        return Results.Redirect($"{PageResults.BasePath(context)}/apikeys");
    }

    private static async Task<IResult> ActAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream, string action)
    {
        if (action is not ("expire" or "delete"))
        {
            return PageResults.NotFound(context, T("There is no such action."));
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (id, prefix) = (form["id"].ToString(), form["prefix"].ToString());
        var operation = action == "delete" ? Operation.DeleteApiKey(prefix)
            : Operation.ExpireApiKey(await upstream.VersionAsync(context.RequestAborted), id, prefix);
        var answer = await calls.SendAsync(context, principal, operation);
        return answer.IsDone
            ? Results.Redirect($"{PageResults.BasePath(context)}/apikeys?done={action}")
            : PageResults.Explain(context, principal, answer);
    }
}
