using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Account;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using QRCoder;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Connect;

/// <summary>How somebody can connect a device.</summary>
/// <param name="LoginServer">The address that the device is told.</param>
/// <param name="MayMakeKey">Whether they may have a key of their own.</param>
/// <param name="MayRegister">Whether they may register a device that waits.</param>
/// <param name="MayRegisterForOthers">Whether they may do so for somebody else.</param>
/// <param name="Key">A key that was just made for one device; null for none.</param>
/// <param name="Users">Whom a device can be registered for; empty: for oneself alone.</param>
public sealed record Device(
    string LoginServer, bool MayMakeKey, bool MayRegister, bool MayRegisterForOthers, string? Key, IReadOnlyList<UserChoice> Users)
{
    /// <summary>What the reader's own device is, as far as the browser says so; null where it does not.</summary>
    public string? Platform { get; init; }
}

/// <summary>
/// From nothing to a connected device: the line for each platform, a key of one's own, the registration of a device that waits.
/// </summary>
internal static class ConnectEndpoints
{
    private static readonly TimeSpan _keyFor = TimeSpan.FromHours(1);

    public static void MapConnect(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/connect", ShowAsync).RequireCapability(Capability.SignedIn);
        admin.MapGet("/connect/code.svg", DrawCode).RequireCapability(Capability.SignedIn);
        admin.MapPost("/connect/key", MakeKeyAsync).RequireCapability(KeyEndpoints.Readers).TakesForm().Performs("keys.create");
        admin.MapPost("/connect/register", RegisterAsync).RequireCapability(Capability.WriteMachines, Capability.WriteOwnMachines)
            .TakesForm().Performs("nodes.register");
    }

    /// <summary>Where devices find Headscale.</summary>
    public static string LoginServer(RequestContext request)
    {
        var settings = request.Configuration.Settings;
        return (settings.Headscale.PublicUrl ?? settings.Server.BaseUrl)?.GetLeftPart(UriPartial.Authority) ?? "https://your-headscale";
    }

    public static Device DeviceOf(
        HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream, string? key = null,
            IReadOnlyList<UserChoice>? users = null)
    {
        var rule = Operation.RegisterRule(upstream.Assumed);
        var forOthers = calls.Can(context, principal, rule, Ownership.Foreign);
        return new(
            LoginServer(RequestContext.Of(context)),
            principal.User is not null && calls.Can(context, principal, "keys.create", Ownership.Own),
            forOthers || (principal.User is not null && calls.Can(context, principal, rule, Ownership.Own)),
            forOthers,
            key,
            users ?? [])
        {
            Platform = Browsers.SystemOf(context.Request.Headers.UserAgent) switch
            {
                "iPhone" or "iPad" => "iPhone and iPad",
                var system => system,
            },
        };
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream,
        UserDirectory directory, OneTimeSecretCookie once, string? key = null)
    {
        // A link on another site must not fill in its author's device for one click of whoever follows it.
        var comesFromElsewhere = context.Request.Headers["Sec-Fetch-Site"] is ["cross-site" or "same-site"];
        var device = DeviceOf(context, principal, calls, upstream, once.Take(context, principal, "device"));
        if (device.MayRegisterForOthers && principal.Role.Has(Capability.ReadUsers))
        {
            var users = await directory.GetAsync(context.RequestAborted);
            device = device with { Users = UserChoice.Of(users.Users.Where(one => one.Name.Length > 0 && users.IsUnique(one.Name))) };
        }

        return PageResults.Page<ConnectPage>(
            StatusCodes.Status200OK, ("Layout", layout.For(context, principal)), ("Device", device), ("OwnId", principal.User?.Id),
            ("Pending", key is null || comesFromElsewhere ? null : RegistrationKey.Find(key)));
    }

    private static async Task<IResult> MakeKeyAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, OneTimeSecretCookie once, TimeProvider clock)
    {
        if (principal is { User: null } && principal.Role.Has(Capability.GenerateAuthkeys))
        {
            return PageResults.Refuse(context, new(Reason.NotLinked, principal.Role.Name));
        }

        var answer = await calls.SendAsync(context, principal, KeyFor(principal.User?.Id ?? "0", clock.GetUtcNow() + _keyFor));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        once.Keep(context, principal, "device", json.RootElement.GetProperty("preAuthKey").GetProperty("key").GetString()!);
        return Results.Redirect($"{PageResults.BasePath(context)}/connect");
    }

    private static async Task<IResult> RegisterAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream, UserDirectory directory)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var pasted = form["device"].ToString();
        if (RegistrationKey.Find(pasted) is not { } key)
        {
            return PageResults.Failure(
                context, StatusCodes.Status400BadRequest, T("Nothing was registered"), RegistrationKey.IsNodeKey(pasted)
                ? T("This is a key that Headscale has not taken since 0.26. Run tailscale up on the device and paste the link "
                    + "that it shows.")
                : T("There is no registration key in what you pasted. Paste the whole link that tailscale up shows on the device; it has "
                    + "/register/ or /auth/ in it."));
        }

        var name = (form["user"].ToString() is { Length: > 0 } id
            ? (await directory.GetAsync(context.RequestAborted)).Find(id)?.Name
            : principal.User?.Name) ?? "";
        if (name.Length == 0 && principal.Role.Has(Capability.WriteMachines))
        {
            return PageResults.Failure(
                context, StatusCodes.Status400BadRequest, T("Nothing was registered"),
                T("Choose for whom the device is: the user has no name, or is not there any more."));
        }

        var version = await upstream.VersionAsync(context.RequestAborted);
        var answer = await calls.SendAsync(context, principal, Operation.Register(version, name, key));
        if (!answer.IsDone)
        {
            return PageResults.Explain(context, principal, answer);
        }

        using var json = answer.Parse();
        return Results.Redirect(
            $"{PageResults.BasePath(context)}/machines/{json.RootElement.GetProperty("node").Text("id")}?done=register");
    }

    /// <summary>The address of the page as a picture that phones read.</summary>
    private static IResult DrawCode(HttpContext context)
    {
        var server = RequestContext.Of(context).Configuration.Settings.Server;
        var host = server.BaseUrl?.GetLeftPart(UriPartial.Authority) ?? LoginServer(RequestContext.Of(context));
        var page = $"{host}{server.BasePath}/connect";
        using var data = QRCodeGenerator.GenerateQrCode(page, QRCodeGenerator.ECCLevel.M);
        using var code = new SvgQRCode(data);
        return Results.Text(code.GetGraphic(4, "#000", "#fff", sizingMode: SvgQRCode.SizingMode.ViewBoxAttribute), "image/svg+xml");
    }

    /// <summary>A key for one device.</summary>
    private static Operation KeyFor(string user, DateTimeOffset until) =>
        Operation.CreateKey(user, reusable: false, ephemeral: false, Expiration.Text(until), []);
}
