using System.Net;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Antiforgery;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.SignIn;

/// <summary>Slows down whoever tries keys: per address, and per /64, since one household has that many IPv6 addresses.</summary>
internal sealed class ApiKeyAttempts(TimeProvider clock) : IDisposable
{
    private const int PerMinute = 10;

    private readonly TokenBuckets<IPAddress> _attempts = new(clock);

    /// <summary>How long to wait; null when an attempt is allowed, which it then was.</summary>
    public TimeSpan? Delay(IPAddress? address) => _attempts.Take(RateLimits.GroupOf(address ?? IPAddress.None), PerMinute);

    public void Dispose() => _attempts.Dispose();
}

/// <summary>Signing in with a Headscale API key: checked against Headscale, never stored.</summary>
internal static partial class ApiKeySignIn
{
    public static async Task<IResult> SubmitAsync(
        HttpContext context, HeadscaleClient headscale, Sessions sessions, ApiKeyAttempts attempts, SignInAudit audit, Provider provider,
            IAntiforgery antiforgery, TimeProvider clock, ILogger<ApiKeyAttempts> log)
    {
        var request = RequestContext.Of(context);
        if (await Forms.ProblemAsync(context, antiforgery) is { } problemOfForm)
        {
            return LoginEndpoints.Page(
                context, provider, antiforgery, PageResults.HomePath(context), problemOfForm,
                T("This form was too old or came from elsewhere. Please try again."));
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var returnTo = PageResults.ReturnTo(context, form["return_to"]);
        if (!request.Configuration.Settings.TakesApiKeys)
        {
            return Refuse(StatusCodes.Status403Forbidden, T("Signing in with an API key is switched off here."));
        }

        if (attempts.Delay(request.Peer.Client) is { } delay)
        {
            RateLimits.SetRetryAfter(context.Response, delay);
            return Refuse(
                StatusCodes.Status429TooManyRequests, T("Too many attempts. Please wait {0} seconds.", Math.Ceiling(delay.TotalSeconds)));
        }

        var key = form["api_key"].ToString().Trim();
        var (expires, problem) = await CheckAsync(headscale, key, clock, context.RequestAborted);
        if (problem is var (status, complaint))
        {
            LogRefused(log, request.Peer.Client, complaint, request.RequestId);
            await audit.RecordAsync(context, "sign_in.api_key", null, "refused", status, detail: complaint);
            return Refuse(status, T(complaint));
        }

        await BeginAsync(context, request, sessions, ApiKeyFormat.PrefixOf(key)!, expires!.Value, clock.GetUtcNow());
        await audit.RecordAsync(context, "sign_in.api_key", $"key:{ApiKeyFormat.PrefixOf(key)}", "done", StatusCodes.Status302Found);
        return Results.Redirect(returnTo);

        IResult Refuse(int status, string complaint) => LoginEndpoints.Page(context, provider, antiforgery, returnTo, status, complaint);
    }

    /// <summary>When the key expires, or what is wrong with it.</summary>
    private static async Task<(DateTimeOffset? Expires, (int Status, string Complaint)? Problem)> CheckAsync(
        HeadscaleClient headscale, string key, TimeProvider clock, CancellationToken cancel)
    {
        if (key.Length == 0)
        {
            return (null, (StatusCodes.Status400BadRequest, Noop("Please enter an API key.")));
        }

        if (ApiKeyFormat.PrefixOf(key) is null)
        {
            return (null, (StatusCodes.Status400BadRequest, Noop("This does not look like a Headscale API key. They start with "
                + "hskey-api- or are of the form prefix.secret.")));
        }

        try
        {
            return await headscale.FindApiKeyAsync(new Secret(key), cancel) switch
            {
                null => (null, (StatusCodes.Status401Unauthorized, Noop("Headscale does not list this API key."))),
                { Expiration: null or { Year: <= 1 } } =>
                    (null, (StatusCodes.Status401Unauthorized, Noop("This API key has no expiration, so a session with it would never "
                        + "end. Make one with an expiration."))),
                { Expiration: { } at } when at <= clock.GetUtcNow() =>
                    (null, (StatusCodes.Status401Unauthorized, Noop("This API key has expired."))),
                { Expiration: var at } => (at, null),
            };
        }
        catch (HeadscaleException e) when (e.Reason is Reason.UpstreamKeyRejected)
        {
            return (null, (StatusCodes.Status401Unauthorized, Noop("Headscale rejects this API key: it is wrong, expired or deleted.")));
        }
        catch (HeadscaleException)
        {
            return (null, (StatusCodes.Status503ServiceUnavailable, Noop("Headscale cannot be asked about this key at the moment. "
                + "Please try again.")));
        }
    }

    /// <summary>A session lasts as long as the key, and no longer than any other.</summary>
    private static async Task BeginAsync(
        HttpContext context, RequestContext request, Sessions sessions, string prefix, DateTimeOffset expires, DateTimeOffset now)
    {
        var cookie = request.Configuration.Settings.Server.Cookie;
        var until = expires < now + cookie.MaxAge ? expires : now + cookie.MaxAge;
        await SessionStart.BeginAsync(
            context, sessions, SessionStart.Draft(context, SessionKind.ApiKey, now, until) with { KeyPrefix = prefix });
    }

    [LoggerMessage(1, LogLevel.Warning, "API-key sign-in from {Client} was refused: {Complaint} ({Reference})")]
    private static partial void LogRefused(ILogger log, IPAddress? client, string complaint, string reference);
}
