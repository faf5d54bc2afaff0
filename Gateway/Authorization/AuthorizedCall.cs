using Gateway.Audit;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Authorization;

/// <summary>A call that was decided on, and who made it.</summary>
/// <param name="Request">The request that it came with.</param>
/// <param name="Reference">The reference of the call, in the answer, at Headscale and in the audit.</param>
/// <param name="Path">The path for the audit.</param>
/// <param name="Caller">Who made it.</param>
/// <param name="Result">What was decided.</param>
internal sealed record DecidedCall(
    RequestContext Request, string Reference, string Path, AuthenticationState Caller, AuthorizationResult Result);

/// <summary>
/// The one way on which calls are carried out, whoever makes them: the audit has a change before it is sent, and how every
/// call ended.
/// </summary>
internal sealed class AuthorizedCall(
    AuditEntryFactory entries, AuditLog audit, ChangeSubjects subjects, HeadscaleCaches caches, UpstreamMonitor upstream,
        TimeProvider clock)
{
    /// <summary>Carries a call out, or refuses it.</summary>
    /// <returns>How it ended.</returns>
    public async Task<UpstreamOutcome> RunAsync(DecidedCall call, IUpstreamSender sender, CancellationToken cancel)
    {
        var (result, started) = (call.Result, call.Request.Started);
        var (isAllowed, isChange) = (result.Decision.IsAllowed, !result.Call.IsSafe);
        var entry = entries.Create(call.Request, call.Reference, call.Path, call.Caller, result);

        // :: Step 4. A change is on disk before it is sent, with what it is about.
        if (isAllowed && isChange && result.Decision is { Rule: { } rule, Reason: Reason.Allowed })
        {
            entry = entry with { Before = await subjects.DescribeAsync(rule, result.Call, cancel) };
        }

        if (isAllowed && isChange && !await audit.BeginAsync(entry, cancel))
        {
            return new(Reason.AuditUnavailable, await sender.RefuseAsync(result, Reason.AuditUnavailable));
        }

        // Until it is known how a call ended, it did not end well.
        var outcome = new UpstreamOutcome(isAllowed ? Reason.UpstreamUnavailable : result.Decision.Reason, 0);
        try
        {
            // :: Step 5. The call is sent as it was judged, and its answer comes back filtered.
            outcome = isAllowed ? await sender.SendAsync(result, cancel) : outcome;
            if (outcome.Reason is not (Reason.Allowed or Reason.PassedThrough))
            {
                outcome = outcome with { Status = await sender.RefuseAsync(result, outcome.Reason) };
            }

            if (outcome.Reason is Reason.UpstreamKeyRejected)
            {
                upstream.KeyWasRejected();
            }

            return outcome;
        }
        finally
        {
            if (isAllowed && isChange)
            {
                caches.Invalidate();
            }

            // :: Step 6. How it ended.
            var (reason, duration) = (AuditEntryFactory.NameOf(outcome.Reason), clock.GetElapsedTime(started).TotalMilliseconds);
            await (isAllowed && isChange
                ? audit.CompleteAsync(new AuditOutcome(call.Reference, reason, outcome.Status, duration, outcome.Made))
                : audit.RecordAsync(entry with { Reason = reason, Status = outcome.Status, Duration = duration }, CancellationToken.None));
        }
    }
}
