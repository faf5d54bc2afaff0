using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web;

/// <summary>How somebody can connect a device.</summary>
/// <param name="LoginServer">The address that the device is told.</param>
/// <param name="MayMakeKey">Whether they may have a key of their own.</param>
/// <param name="MayRegister">Whether they may register a device that waits.</param>
/// <param name="MayRegisterForOthers">Whether they may do so for somebody else.</param>
/// <param name="Key">A key that was just made for one device; null for none.</param>
/// <param name="Users">Whom a device can be registered for; empty: for oneself alone.</param>
public sealed record Device(string LoginServer, bool MayMakeKey, bool MayRegister, bool MayRegisterForOthers, string? Key, IReadOnlyList<UserChoice> Users);

/// <summary>From nothing to a connected device: the line for each platform, a key of one's own, the registration of a device that waits.</summary>
internal static class Connect
{
    private const string Keys = "/api/v1/preauthkey";

    private static readonly TimeSpan _keyFor = TimeSpan.FromHours(1);

    public static void MapConnect(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/connect", ShowAsync);
        admin.MapPost("/connect/key", MakeKeyAsync);
        admin.MapPost("/connect/register", RegisterAsync);
    }

    /// <summary>Where devices find Headscale.</summary>
    public static string LoginServer(RequestContext request)
    {
        var settings = request.Configuration.Settings;
        return (settings.Headscale.PublicUrl ?? settings.Server.BaseUrl)?.GetLeftPart(UriPartial.Authority) ?? "https://your-headscale";
    }

    public static Device DeviceOf(RequestContext request, Principal who, PageCalls calls, UpstreamMonitor upstream, string? key = null, IReadOnlyList<UserChoice>? users = null)
    {
        var forOthers = Offers("somebody-else", isOwn: false);
        return new(
            LoginServer(request),
            who.User is { } user && calls.Offers(request, who, "POST", Keys, isOwn: true, KeyFor(user.Id, DateTimeOffset.UnixEpoch)),
            forOthers || (who.User is { } me && Offers(me.Name, isOwn: true)),
            forOthers,
            key,
            users ?? []);

        bool Offers(string name, bool isOwn)
        {
            var (target, body) = Registration(upstream.Assumed, name, "hskey-authreq-000000000000000000000000");
            return calls.Offers(request, who, "POST", target, isOwn, body);
        }
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream, UserDirectory directory, OneTimeSecretCookie once, string? key = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var request = RequestContext.Of(context);
        var device = DeviceOf(request, who, calls, upstream, once.Take(context, "device"));
        if (device.MayRegisterForOthers && who.Role.Has(Capability.ReadUsers))
        {
            var users = await directory.GetAsync(context.RequestAborted);
            device = device with { Users = UserChoice.Of(users.Users.Where(one => one.Name.Length > 0 && users.IsUnique(one.Name))) };
        }

        return PageAnswers.Page<Pages.ConnectPage>(StatusCodes.Status200OK, ("Shell", door.ShellOf(context, who)), ("Device", device), ("OwnId", who.User?.Id), ("Pending", key is null ? null : RegistrationKey.Find(key)));
    }

    private static async Task<IResult> MakeKeyAsync(HttpContext context, PageDoor door, PageCalls calls, OneTimeSecretCookie once, TimeProvider clock)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        if (who is { User: null } && who.Role.Has(Capability.GenerateAuthkeys))
        {
            return PageDoor.Refuse(context, new(Reason.NotLinked, who.Role.Name));
        }

        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "POST", Keys, KeyFor(who.User?.Id ?? "0", clock.GetUtcNow() + _keyFor));
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        once.Keep(context, "device", json.RootElement.GetProperty("preAuthKey").GetProperty("key").GetString()!);
        return Results.Redirect($"{PageAnswers.BasePath(context)}/connect");
    }

    private static async Task<IResult> RegisterAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream, UserDirectory directory)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var pasted = form["device"].ToString();
        if (RegistrationKey.Find(pasted) is not { } key)
        {
            return PageAnswers.Failure(context, StatusCodes.Status400BadRequest, "Nothing was registered", RegistrationKey.IsNodeKey(pasted)
                ? "This is a key that Headscale has not taken since 0.26. Run tailscale up on the device and paste the link that it shows."
                : "There is no registration key in what you pasted. Paste the whole link that tailscale up shows on the device; it has /register/ or /auth/ in it.", isSignedIn: true);
        }

        var name = (form["user"].ToString() is { Length: > 0 } id ? (await directory.GetAsync(context.RequestAborted)).Find(id)?.Name : who.User?.Name) ?? "";
        if (name.Length == 0 && who.Role.Has(Capability.WriteMachines))
        {
            return PageAnswers.Failure(context, StatusCodes.Status400BadRequest, "Nothing was registered", "Choose for whom the device is: the user has no name, or is not there any more.", isSignedIn: true);
        }

        var (target, body) = Registration(upstream.Assumed, name, key);
        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "POST", target, body);
        if (!answer.IsDone)
        {
            return PageDoor.Explain(context, who, answer);
        }

        using var json = JsonDocument.Parse(answer.Json);
        return Results.Redirect($"{PageAnswers.BasePath(context)}/machines/{json.RootElement.GetProperty("node").Text("id")}?done=register");
    }

    /// <summary>0.29 has an operation of its own for it. Both take the name of the user and not the id.</summary>
    private static (string Target, string Body) Registration(HeadscaleVersion version, string user, string key) => version.Minor >= 29
        ? ("/api/v1/auth/register", new JsonObject { ["user"] = user, ["authId"] = key }.ToJsonString())
        : ($"/api/v1/node/register?user={Uri.EscapeDataString(user)}&key={key}", "");

    private static string KeyFor(string user, DateTimeOffset until) => new JsonObject
    {
        ["user"] = user,
        ["reusable"] = false,
        ["ephemeral"] = false,
        ["expiration"] = Expiration.Text(until),
    }.ToJsonString();
}
