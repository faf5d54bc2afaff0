using System.Diagnostics;
using System.Globalization;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Layout;
using static Gateway.Web.Layout.Texts;

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
        AuditLog audit, AuditReader activity, Sessions sessions, TimeProvider clock)
    {
        var state = HealthEndpoints.Check(upstream, provider, people, audit, clock);
        var expires = state.KeyExpires is { } at
            ? T("expires {0}", at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)) : T("no expiry known");
        StatusLine[] lines =
        [
            new(T("Gateway"), true, $"{T("version {0}", ProductVersion.Short)}, {UptimeAt(clock)}"),
            Line(
                "Headscale", state.Headscale,
                state.HeadscaleVersion is { } version ? T("version {0}, reachable", version) : T("reachable")),
            Line(T("API key"), state.Key, expires),
            Line(T("Store"), state.Store, T("can be read and written")),
            .. state.Provider is { } check
                ? new[]
                {
                    Line(T("Sign-in provider"), check, T("available")),
                    new(
                        T("Redirect address"), true,
                        T("register at the provider: {0}", RedirectAddress.Of(RequestContext.Of(context).Configuration.Settings))),
                }
                : [],
            new(T("Sign-ins"), true, T("people: {0}, open sessions: {1}", people.Snapshot.Everyone.Count, sessions.All.Count)),
            new(T("Backup"), true, await LastBackupAsync(activity, context.RequestAborted)),
        ];
        return PageResults.Page<StatusPage>(StatusCodes.Status200OK, ("Layout", layout.For(context, principal)), ("Lines", lines));
    }

    /// <summary>When 'gateway backup' was run last, as the audit has it. Copies that others make of the files are not known here.</summary>
    private static async Task<string> LastBackupAsync(AuditReader activity, CancellationToken cancel)
    {
        var found = await activity.FindAsync(new AuditSearch { Row = "backup" }, null, 10, cancel);
        return found.FirstOrDefault(one => one.Reason is "done") is { } last
            ? T("'gateway backup' was run last on {0}", last.At.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))
            : T("'gateway backup' was not run yet");
    }

    /// <summary>Such as "running for 3 days"; of the process.</summary>
    private static string UptimeAt(TimeProvider clock)
    {
        using var process = Process.GetCurrentProcess();
        var span = clock.GetUtcNow() - new DateTimeOffset(process.StartTime.ToUniversalTime());
        return span switch
        {
            { TotalSeconds: < 60 } => T("running for less than a minute"),
            { TotalMinutes: < 60 } => T("running for {0} min", $"{span.TotalMinutes:0}"),
            { TotalHours: < 24 } => T("running for {0} h", $"{span.TotalHours:0}"),
            { TotalDays: < 2 } => T("running for 1 day"),
            _ => T("running for {0} days", $"{span.TotalDays:0}"),
        };
    }

    private static StatusLine Line(string name, HealthCheck check, string fine) =>
        new(name, check.Ok, check.Detail is { } detail ? T(detail) : fine);
}
