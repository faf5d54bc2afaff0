using Gateway.Audit;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web.Control;

/// <summary>Who acts from the command line, and what the audit has of it.</summary>
internal sealed class ControlAudit(AuditLog audit, ConfigurationMonitor monitor, TimeProvider clock)
{
    /// <summary>The configuration in force.</summary>
    public Configuration Configuration => monitor.Current;

    /// <summary>The account of the operating system that asks, with all rights.</summary>
    public Principal WhoOf(ControlRequest request) => Principal.Console(request.Account, monitor.Current.Table.Roles[0]);

    /// <summary>Where a change comes from.</summary>
    public ChangeOrigin OriginOf() =>
        new(Guid.NewGuid().ToString("n"), AuditKind.Cli, "CLI", null, clock.GetTimestamp(), monitor.Current);

    /// <summary>Writes down what is about to be done, does it, and writes down how it ended.</summary>
    /// <returns>Whether it was done.</returns>
    public async Task<bool> RecordAsync(
        ControlRequest request, string what, string whom, string? before, string? after, Func<Task<bool>> change, CancellationToken cancel)
    {
        var (origin, started) = (OriginOf(), clock.GetTimestamp());
        var entry = new AuditEntry
        {
            At = clock.GetUtcNow(),
            RequestId = origin.RequestId,
            Kind = AuditKind.Cli,
            Actor = WhoOf(request).Label,
            Row = what,
            Method = origin.Method,
            Path = whom,
            Reason = "allowed",
            Before = before,
            After = after,
        };
        if (!await audit.BeginAsync(entry, cancel))
        {
            return false;
        }

        var (isDone, reason) = (false, "failed");
        try
        {
            isDone = await change();
            reason = isDone ? "done" : "not_done";
        }
        finally
        {
            await audit.CompleteAsync(new AuditOutcome(origin.RequestId, reason, 0, clock.GetElapsedTime(started).TotalMilliseconds));
        }

        return isDone;
    }
}
