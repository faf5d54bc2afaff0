using System.Diagnostics;
using System.Globalization;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Layout;

namespace Gateway.Web.Status;

/// <summary>One thing that the gateway needs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="IsFine">Whether it works.</param>
/// <param name="Detail">What there is to know, or to do.</param>
public sealed record StatusLine(string Name, bool IsFine, string Detail);

/// <summary>Whether everything works, for people: the same as <c>/readyz</c>.</summary>
internal static class StatusEndpoints
{
    public static void MapStatus(this IEndpointRouteBuilder admin) => admin.MapGet("/status", ShowAsync).RequireCapability(Readers);

    /// <summary>Who may see how things stand.</summary>
    public static Capability[] Readers { get; } = [Capability.ReadNetwork, Capability.ReadFeature];

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, UpstreamMonitor upstream, Provider provider, People people,
        AuditLog audit, TimeProvider clock)
    {
        var state = HealthEndpoints.Check(upstream, provider, people, audit, clock);
        var expires = state.KeyExpires is { } at ? $"expires {at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}" : "no expiry known";
        StatusLine[] lines =
        [
            new("Gateway", true, $"version {ProductVersion.Short}, running for {UptimeAt(clock)}"),
            Line("Headscale", state.Headscale, state.HeadscaleVersion is { } version ? $"version {version}, reachable" : "reachable"),
            Line("API key", state.Key, expires),
            Line("Store", state.Store, "can be read and written"),
            .. state.Provider is { } check
                ? new[]
                {
                    Line("Sign-in provider", check, "available"),
                    new(
                        "Redirect address", true,
                        $"register at the provider: {RedirectAddress.Of(RequestContext.Of(context).Configuration.Settings)}"),
                }
                : [],
        ];
        return PageResults.Page<StatusPage>(StatusCodes.Status200OK, ("Layout", layout.For(context, principal)), ("Lines", lines));
    }

    /// <summary>Such as "3 days"; of the process.</summary>
    private static string UptimeAt(TimeProvider clock)
    {
        using var process = Process.GetCurrentProcess();
        var text = Moments.Of(new DateTimeOffset(process.StartTime.ToUniversalTime()), clock.GetUtcNow());
        return text.EndsWith(" ago", StringComparison.Ordinal) ? text[..^4] : "less than a minute";
    }

    private static StatusLine Line(string name, HealthCheck check, string fine) => new(name, check.Ok, check.Detail ?? fine);
}
