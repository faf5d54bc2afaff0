using System.Text.Json.Serialization;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Status;

/// <summary>One thing that the gateway needs.</summary>
/// <param name="Ok">Whether it is there.</param>
/// <param name="Detail">What is wrong, or worth knowing. Holds no address and no secret: anyone may read it.</param>
internal sealed record HealthCheck(bool Ok, string? Detail);

/// <summary>Whether the gateway can do its work, and what is missing if not.</summary>
internal sealed record Readiness(
    string Status, HealthCheck Store, HealthCheck Headscale, HealthCheck Key, HealthCheck? Provider, string? HeadscaleVersion,
    DateTimeOffset? KeyExpires);

/// <summary>That the process answers.</summary>
internal sealed record Liveness(string Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Readiness))]
[JsonSerializable(typeof(Liveness))]
internal sealed partial class HealthJson : JsonSerializerContext;

/// <summary><c>/healthz</c>: the process. <c>/readyz</c>: everything it needs.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/healthz", Alive).AllowAnonymous().DisableRateLimiting();
        admin.MapGet("/readyz", Ready).AllowAnonymous().DisableRateLimiting();
    }

    /// <summary>Whether monitors ask here: by address, and without TLS.</summary>
    public static bool IsHealth(PathString path, string basePath) => path == basePath + "/healthz" || path == basePath + "/readyz";

    private static JsonHttpResult<Liveness> Alive() => TypedResults.Json(new Liveness("ok"), HealthJson.Default.Liveness);

    private static JsonHttpResult<Readiness> Ready(
        UpstreamMonitor upstream, Provider provider, People people, AuditLog audit, TimeProvider clock)
    {
        var readiness = Check(upstream, provider, people, audit, clock);
        return TypedResults.Json(
            readiness, HealthJson.Default.Readiness,
            statusCode: readiness.Status == "ok" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The state of everything that the gateway needs.</summary>
    public static Readiness Check(UpstreamMonitor upstream, Provider provider, People people, AuditLog audit, TimeProvider clock)
    {
        var status = upstream.Status;
        var (store, headscale, key) = (CheckStore(people, audit), CheckHeadscale(status), CheckKey(status, clock));
        return new Readiness(
            store.Ok && headscale.Ok && key.Ok ? "ok" : "failing", store, headscale, key, CheckProvider(provider.Status),
            status.Found?.ToString(), status.KeyExpires);
    }

    /// <summary>Said and not counted: without it, everything but new sign-ins works.</summary>
    private static HealthCheck? CheckProvider(ProviderStatus? status) => status switch
    {
        null => null,
        { Trouble: null } => new(true, null),
        _ => new(false, Noop("the sign-in provider is not available; the login page and the log say why")),
    };

    private static HealthCheck CheckStore(People people, AuditLog audit)
    {
        try
        {
            return audit.Trouble is not null ? new(false, Refusals.TextOf(new(Reason.AuditUnavailable)))
                : people.Trouble is not null
                    ? new(false, Refusals.TextOf(new(Reason.StoreUnavailable)))
                    : new(
                        true,
                        people.Snapshot is { HasOwner: false, Everyone.Count: > 0 }
                            ? Noop("there is no owner yet: whom bootstrap.owner names has to sign in, or use 'gateway users set-role'")
                            : null);
        }
        catch (StoreException)
        {
            return new(false, Refusals.TextOf(new(Reason.StoreUnavailable)));
        }
    }

    private static HealthCheck CheckHeadscale(UpstreamStatus status) => status switch
    {
        { IsReachable: false } => new(false, Noop("Headscale cannot be reached; the gateway's log has the cause")),
        { Version: { IsKnown: false } version } =>
            new(true, $"Headscale {version} is not known to this gateway and treated like {version.Known}"),
        _ => new(true, null),
    };

    private static HealthCheck CheckKey(UpstreamStatus status, TimeProvider clock) => status.Key switch
    {
        KeyState.Unknown => new(false, status.IsReachable ? Noop("not checked yet") : Noop("not checked: Headscale cannot be reached")),
        KeyState.Missing => new(true, Noop("none is configured; only callers with their own key are served")),
        KeyState.NotNeeded => new(true, Noop("none is needed: Headscale's socket serves")),
        KeyState.Rejected => new(false, Refusals.TextOf(new(Reason.UpstreamKeyRejected))),
        KeyState.Valid => new(true, status.KeyExpiresSoon(clock.GetUtcNow()) ? $"expires {status.KeyExpires:u}; create a new one" : null),
    };
}
