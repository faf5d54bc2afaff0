using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Gateway.Web.Machines;

namespace Gateway.Web.Live;

/// <summary>
/// Tells an open page that something changed (server-sent events, HTML 9.2), and nothing of what: the page asks anew, with the rights
/// that its reader has then.
/// </summary>
internal static class LiveEndpoints
{
    /// <summary>Whoever lost their session stops being told after that; browsers ask again by themselves.</summary>
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(10);

    public static void MapLive(this IEndpointRouteBuilder admin) =>
        admin.MapGet("/live", FollowAsync).RequireCapability([.. MachineEndpoints.Readers, Capability.ReadAudit]);

    private static async Task FollowAsync(
        HttpContext context, Principal principal, Changes changes, IHostApplicationLifetime lifetime, TimeProvider clock,
        string of = "")
    {
        if (!changes.TryFollow(principal.Label))
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }

        var marks = of is "activity" && principal.Role.Has(Capability.ReadAudit) ? changes.Activity : changes.Devices;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(SharedMark.Interval, clock);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        var (begun, last) = (clock.GetTimestamp(), "");
        try
        {
            do
            {
                var mark = await marks.GetAsync(end.Token);
                var text = last.Length > 0 && mark != last ? "event: changed\ndata: \n\n" : ": here\n\n";
                await context.Response.WriteAsync(text, end.Token);
                await context.Response.Body.FlushAsync(end.Token);
                last = mark;
            }
            while (clock.GetElapsedTime(begun) < _longest && await timer.WaitForNextTickAsync(end.Token));
        }
        catch (OperationCanceledException)
        {
            // The page was closed, or the gateway stops.
        }
        finally
        {
            changes.Leave(principal.Label);
        }
    }
}
