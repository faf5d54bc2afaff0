using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Connect;
using Gateway.Web.Layout;
using Gateway.Web.Machines;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Keys;

/// <summary>A Headscale user as forms offer it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">Its name.</param>
public sealed record UserChoice(string Id, string Name)
{
    /// <summary>So many are listed on one page; where there are more, forms ask for a number.</summary>
    internal const int Most = 100;

    internal static UserChoice[] Of(IEnumerable<HeadscaleUser> users) =>
        [.. users.Take(Most + 1).Select(one => new UserChoice(one.Id, one.Label))];
}

/// <summary>Pre-auth keys: one's own, or everybody's for those who may make them for everybody.</summary>
internal static class KeyEndpoints
{
    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal)
    {
        ["create"] = Noop("The key was made."),
        ["undescribed"] = Noop("The key was made. What it is for could not be stored."),
        ["expire"] = Noop("The key was expired."),
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
        UserDirectory directory, OneTimeSecretCookie once, KeyNotes notes, TimeProvider clock, string? user = null, string? q = null,
        string kind = "", int page = 1, string? done = null)
    {
        // Up to 0.27 keys are listed for one user at a time.
        var (request, version) = (RequestContext.Of(context), await upstream.VersionAsync(context.RequestAborted));
        var everybody = principal.Role.Has(Capability.GenerateAuthkeys);
        var choices = everybody ? await ChoicesAsync(context, directory) : [];
        var chosen = (everybody ? user : null) ?? principal.User?.Id ?? choices.FirstOrDefault()?.Id;
        var answer = await calls.SendAsync(context, principal, Operation.ListKeys(version, chosen ?? ""));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        var (now, fresh) = (clock.GetUtcNow(), once.Take(context, principal, "key"));
        var search = q?.Trim() ?? "";
        var keys = Array.FindAll(KeysOf(answer, notes), one => one.Matches(search));
        var shown = Paging.Cut(OfKind(keys, kind, now), page, perPage: 25);
        return PageResults.Page<KeysPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Keys", await WithUseAsync(context, principal, calls, shown.Rows)),
            ("Search", search),
            ("Kind", kind),
            ("Kinds", KindsOf(keys, now)),
            ("At", shown.At),
            ("Pages", shown.Pages),
            ("OwnId", principal.User?.Id),
            ("Users", choices),
            ("Chosen", chosen),
            ("IsPerUser", !version.HasTagOwnership && everybody),
            ("MayCreate", everybody || (principal.User is not null && principal.Role.Has(Capability.GenerateOwnAuthkeys))),
            ("MayTag", everybody && principal.Role.Has(Capability.UseTags)),
            ("MayExpire", everybody || principal.Role.Has(Capability.GenerateOwnAuthkeys)),
            ("Fresh", fresh),
            ("LoginServer", ConnectEndpoints.LoginServer(request)),
            ("Notice", NoticeOf(done, fresh)),
            ("Now", now));
    }

    /// <summary>That a key was made is said as long as it is shown.</summary>
    private static string? NoticeOf(string? done, string? fresh) =>
        (fresh is not null || done is "expire") && _done.GetValueOrDefault(done ?? "") is { } notice ? T(notice) : null;

    /// <summary>The states with how many keys are in each; empty: all.</summary>
    private static (string Value, string Label, int Count)[] KindsOf(PreAuthKey[] keys, DateTimeOffset now) =>
    [
        ("", T("All"), keys.Length),
        .. new[] { ("valid", T("Valid")), ("used", T("Used")), ("expired", T("Expired")) }
            .Select(one => (one.Item1, one.Item2, keys.Count(key => key.StatusAt(now) == one.Item1))),
    ];

    private static PreAuthKey[] OfKind(PreAuthKey[] keys, string kind, DateTimeOffset now) =>
        kind.Length == 0 ? keys : Array.FindAll(keys, one => one.StatusAt(now) == kind);

    /// <summary>The keys of a list; the newest comes first.</summary>
    public static PreAuthKey[] KeysOf(ApiResponse answer, KeyNotes notes)
    {
        using var json = answer.Parse();
        return [.. json.RootElement.GetProperty("preAuthKeys").EnumerateArray().Select(PreAuthKey.Of)
            .Select(one => one with { Description = notes.Of(one.Id) })
            .OrderByDescending(one => one.Created).ThenByDescending(one => one.Id.Length).ThenByDescending(one => one.Id)];
    }

    private static async Task<UserChoice[]> ChoicesAsync(HttpContext context, UserDirectory directory) =>
        UserChoice.Of((await directory.GetAsync(context.RequestAborted)).Users);

    /// <summary>With the devices that joined with each, for whoever may see all; none where that is not known now.</summary>
    private static async Task<IReadOnlyList<PreAuthKey>> WithUseAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, IReadOnlyList<PreAuthKey> keys)
    {
        if (!principal.Role.Has(Capability.ReadMachines) || !keys.Any(one => one.IsUsed)
            || await calls.SendAsync(context, principal, Operation.ListNodes()) is not { IsDone: true } answer)
        {
            return keys;
        }

        var machines = Machine.AllIn(answer).Where(one => one.KeyId.Length > 0).ToLookup(one => one.KeyId);
        return [.. keys.Select(one => one with { UsedBy = [.. machines[one.Id]] })];
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, OneTimeSecretCookie once, KeyNotes notes, TimeProvider clock)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var tags = form["tags"].ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var user = form["user"].ToString() is { Length: > 0 } chosen ? chosen : principal.User?.Id;
        if (user is null)
        {
            return PageResults.Failure(
                context, StatusCodes.Status400BadRequest, T("Whose key is this?"),
                T("Choose whose key this is. There are no Headscale users yet, so create one first, under People."));
        }

        var (reusable, ephemeral, days) = form["preset"].ToString() switch
        {
            "device" => (false, false, 1),
            "servers" => (true, false, 30),
            "ci" => (true, true, 90),
            _ => (form["reusable"] == "true", form["ephemeral"] == "true", 0),
        };
        var operation = Operation.CreateKey(
            user, reusable, ephemeral, days > 0 ? Expiration.InDays(days, clock) : Expiration.FromForm(form, clock), tags);
        var description = DescriptionIn(form);
        var answer = await calls.SendAsync(context, principal, operation, description);
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        var key = json.RootElement.GetProperty("preAuthKey");
        once.Keep(context, principal, "key", key.GetProperty("key").GetString()!);
        var isDescribed = description is null || await DescribeAsync(notes, key.Text("id"), description);
        return Results.Redirect($"{PageResults.BasePath(context)}/keys?done={(isDescribed ? "create" : "undescribed")}");
    }

    /// <summary>The key is there, whatever becomes of its description.</summary>
    private static async Task<bool> DescribeAsync(KeyNotes notes, string id, string description)
    {
        try
        {
            return id.Length > 0 && await notes.SetAsync(id, description);
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private static string? DescriptionIn(IFormCollection form)
    {
        var text = string.Concat(form["description"].ToString().Trim().Where(one => !char.IsControl(one)));
        return text.Length > 0 ? text[..Math.Min(text.Length, KeyNotes.Longest)] : null;
    }

    private static async Task<IResult> ExpireAsync(HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var version = await upstream.VersionAsync(context.RequestAborted);
        var operation = Operation.ExpireKey(version, form["id"].ToString(), form["user"].ToString(), form["key"].ToString());
        var answer = await calls.SendAsync(context, principal, operation);
        return answer.IsDone
            ? Results.Redirect($"{PageResults.BasePath(context)}/keys?done=expire")
            : PageResults.Explain(context, principal, answer);
    }
}
