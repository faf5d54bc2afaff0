using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Forward;
using Gateway.Headscale;
using Gateway.Policy;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Admin;

/// <summary>A Headscale user as forms offer it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">Its name.</param>
public sealed record UserChoice(string Id, string Name);

/// <summary>Pre-auth keys: one's own, or everybody's for those who may make them for everybody.</summary>
internal static class Keys
{
    /// <summary>What a new key is kept under from the form to the page that shows it once; the value is encrypted.</summary>
    private const string NewKey = "headtower-new-key";
    private const int LongestDays = 366;

    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(2);

    private static readonly Dictionary<string, string> _done = new(StringComparer.Ordinal) { ["create"] = "The key was made.", ["expire"] = "The key was expired." };

    public static void MapKeys(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/keys", ListAsync);
        admin.MapPost("/keys", CreateAsync);
        admin.MapPost("/keys/expire", ExpireAsync);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, PageDoor door, PageCalls calls, UpstreamWatch upstream, UserDirectory directory, IDataProtectionProvider protection, TimeProvider clock, string? user = null, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        // Up to 0.27 keys are listed for one user at a time.
        var (visit, version) = (PageAnswers.Visit(context), upstream.Assumed);
        var everybody = who.Role.Has(Capability.GenerateAuthkeys);
        UserChoice[] choices;
        try
        {
            choices = everybody ? [.. (await directory.GetAsync(context.RequestAborted)).Users.Select(one => new UserChoice(one.Id, one.Name.Length > 0 ? one.Name : one.Email ?? one.Id))] : [];
        }
        catch (HeadscaleException e)
        {
            return PageDoor.Refuse(context, new(e.Reason, who.Role.Name, Detail: e.Message));
        }

        var chosen = (everybody ? user : null) ?? who.User?.Id ?? choices.FirstOrDefault()?.Id;
        var answer = await calls.SendAsync(context, visit, who, "GET", "/api/v1/preauthkey" + (version.HasTagOwnership ? "" : $"?user={Uri.EscapeDataString(chosen ?? "")}"));
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        var now = clock.GetUtcNow();
        PreAuthKey[] keys = [.. json.RootElement.GetProperty("preAuthKeys").EnumerateArray().Select(PreAuthKey.Of).OrderBy(one => one.StatusAt(now) != "valid").ThenByDescending(one => one.Expiration)];
        return PageAnswers.Page<Pages.KeysPage>(
            StatusCodes.Status200OK,
            ("Shell", door.ShellOf(context, who)),
            ("Keys", keys),
            ("OwnId", who.User?.Id),
            ("Users", choices),
            ("Chosen", chosen),
            ("IsPerUser", !version.HasTagOwnership && everybody),
            ("MayCreate", everybody || (who.User is not null && who.Role.Has(Capability.GenerateOwnAuthkeys))),
            ("MayTag", everybody && who.Role.Has(Capability.UseTags)),
            ("MayExpire", everybody || who.Role.Has(Capability.GenerateOwnAuthkeys)),
            ("Fresh", TakeNewKey(context, protection)),
            ("LoginServer", visit.Configuration.Settings.Server.BaseUrl?.GetLeftPart(UriPartial.Authority)),
            ("Notice", _done.GetValueOrDefault(done ?? "")),
            ("Now", now));
    }

    private static async Task<IResult> CreateAsync(HttpContext context, PageDoor door, PageCalls calls, IDataProtectionProvider protection, TimeProvider clock)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var days = int.TryParse(form["days"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Math.Clamp(number, 1, LongestDays) : 1;
        var tags = form["tags"].ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var body = new JsonObject
        {
            ["user"] = form["user"].ToString() is { Length: > 0 } user ? user : who.User?.Id,
            ["reusable"] = form["reusable"] == "true",
            ["ephemeral"] = form["ephemeral"] == "true",
            ["expiration"] = clock.GetUtcNow().AddDays(days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
        if (tags.Length > 0)
        {
            body["aclTags"] = new JsonArray([.. tags.Select(one => (JsonNode)one)]);
        }

        var answer = await calls.SendAsync(context, PageAnswers.Visit(context), who, "POST", "/api/v1/preauthkey", body.ToJsonString());
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        KeepNewKey(context, protection, json.RootElement.GetProperty("preAuthKey").GetProperty("key").GetString()!);
        return Results.Redirect($"{PageAnswers.BasePath(context)}/keys?done=create");
    }

    private static async Task<IResult> ExpireAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamWatch upstream)
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
        var answer = await calls.SendAsync(context, PageAnswers.Visit(context), who, "POST", "/api/v1/preauthkey/expire", body.ToJsonString());
        return answer.IsDone ? Results.Redirect($"{PageAnswers.BasePath(context)}/keys?done=expire") : PageDoor.Explain(context, who, answer);
    }

    private static void KeepNewKey(HttpContext context, IDataProtectionProvider protection, string key)
    {
        var cookie = PageAnswers.Visit(context).Configuration.Settings.Server.Cookie;
        context.Response.Cookies.Append(NewKey, protection.CreateProtector(NewKey).ToTimeLimitedDataProtector().Protect(key, _keptFor), new CookieOptions
        {
            HttpOnly = true,
            Secure = cookie.Secure,
            SameSite = SameSiteMode.Strict,
            Path = PageAnswers.BasePath(context) + "/keys",
            MaxAge = _keptFor,
        });
    }

    /// <summary>The key that was just made; the page after this one does not have it any more.</summary>
    private static string? TakeNewKey(HttpContext context, IDataProtectionProvider protection)
    {
        if (context.Request.Cookies[NewKey] is not { Length: > 0 } kept)
        {
            return null;
        }

        context.Response.Cookies.Delete(NewKey, new CookieOptions { Path = PageAnswers.BasePath(context) + "/keys" });
        try
        {
            return protection.CreateProtector(NewKey).ToTimeLimitedDataProtector().Unprotect(kept);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }
}
