using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Connect;
using Gateway.Web.Layout;

namespace Gateway.Web.Keys;

/// <summary>A Headscale user as forms offer it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">Its name.</param>
public sealed record UserChoice(string Id, string Name)
{
    /// <summary>So many are offered on one page; its forms take any other by its id, too.</summary>
    private const int Most = 500;

    internal static UserChoice[] Of(IEnumerable<HeadscaleUser> users) =>
        [.. users.Take(Most).Select(one => new UserChoice(one.Id, one.Label))];
}

/// <summary>Pre-auth keys: one's own, or everybody's for those who may make them for everybody.</summary>
internal static class KeyEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["create"] = "The key was made.",
        ["expire"] = "The key was expired.",
    };

    /// <summary>Who sees pre-auth keys at all.</summary>
    public static Capability[] Readers { get; } = [Capability.GenerateAuthkeys, Capability.GenerateOwnAuthkeys];

    public static void MapKeys(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/keys", ListAsync).RequireCapability(Readers).Performs("keys.list");
        admin.MapPost("/keys", CreateAsync).RequireCapability(Readers).TakesForm().Performs("keys.create");
        admin.MapPost("/keys/expire", ExpireAsync).RequireCapability(Readers).TakesForm().Performs("keys.expire");
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream,
            UserDirectory directory, OneTimeSecretCookie once, TimeProvider clock, string? user = null, int page = 1, string? done = null)
    {
        // Up to 0.27 keys are listed for one user at a time.
        var (request, version) = (RequestContext.Of(context), upstream.Assumed);
        var everybody = principal.Role.Has(Capability.GenerateAuthkeys);
        var choices = everybody ? UserChoice.Of((await directory.GetAsync(context.RequestAborted)).Users) : [];
        var chosen = (everybody ? user : null) ?? principal.User?.Id ?? choices.FirstOrDefault()?.Id;
        var answer = await calls.SendAsync(context, principal, Operation.ListKeys(version, chosen ?? ""));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        var now = clock.GetUtcNow();
        var shown = Paging.Cut(KeysOf(answer, now), page);
        return PageResults.Page<KeysPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Keys", shown.Rows),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("OwnId", principal.User?.Id),
            ("Users", choices),
            ("Chosen", chosen),
            ("IsPerUser", !version.HasTagOwnership && everybody),
            ("MayCreate", everybody || (principal.User is not null && principal.Role.Has(Capability.GenerateOwnAuthkeys))),
            ("MayTag", everybody && principal.Role.Has(Capability.UseTags)),
            ("MayExpire", everybody || principal.Role.Has(Capability.GenerateOwnAuthkeys)),
            ("Fresh", once.Take(context, principal, "key")),
            ("LoginServer", ConnectEndpoints.LoginServer(request)),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", now));
    }

    /// <summary>What can still be used comes first, and of that what lasts longest.</summary>
    private static PreAuthKey[] KeysOf(ApiResponse answer, DateTimeOffset now)
    {
        using var json = answer.Parse();
        return [.. json.RootElement.GetProperty("preAuthKeys").EnumerateArray().Select(PreAuthKey.Of)
            .OrderBy(one => one.StatusAt(now) != "valid").ThenByDescending(one => one.Expiration)];
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, OneTimeSecretCookie once, TimeProvider clock)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var tags = form["tags"].ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var user = form["user"].ToString() is { Length: > 0 } chosen ? chosen : principal.User?.Id;
        var operation = Operation.CreateKey(
            user, form["reusable"] == "true", form["ephemeral"] == "true", Expiration.FromForm(form, clock), tags);
        var answer = await calls.SendAsync(context, principal, operation);
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        once.Keep(context, principal, "key", json.RootElement.GetProperty("preAuthKey").GetProperty("key").GetString()!);
        return Results.Redirect($"{PageResults.BasePath(context)}/keys?done=create");
    }

    private static async Task<IResult> ExpireAsync(HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var operation = Operation.ExpireKey(upstream.Assumed, form["id"].ToString(), form["user"].ToString(), form["key"].ToString());
        var answer = await calls.SendAsync(context, principal, operation);
        return answer.IsDone
            ? Results.Redirect($"{PageResults.BasePath(context)}/keys?done=expire")
            : PageResults.Explain(context, principal, answer);
    }
}
