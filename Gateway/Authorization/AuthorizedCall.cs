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
    RequestContext Request, string Reference, string Path, AuthenticationState Caller, AuthorizationResult Result)
{
    /// <summary>What the call is about in its maker's own words, where it names nothing that is there already.</summary>
    public string? About { get; init; }
}

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
        var result = call.Result;
        var isAllowed = result.Decision.IsAllowed;

        // :: Step 4. A change is on disk before it is sent, with what it is about.
        var isChange = isAllowed && !result.Call.IsSafe;
        if (isChange && !await BeginAsync(call, cancel))
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
            // :: Step 6. How it ended.
            await CompleteAsync(call, outcome, isChange);
        }
    }

    private async Task<bool> BeginAsync(DecidedCall call, CancellationToken cancel)
    {
        // Before it is sent, too: once a caller hears that a key is gone, it counts nowhere.
        caches.ForgetProofs();

        // Of a call on somebody's own key, nothing is looked up with the gateway's.
        var about = call.Result.Decision is { Rule: { } rule, Reason: Reason.Allowed }
            ? await subjects.DescribeAsync(rule, call.Result.Call, cancel)
            : null;
        return await audit.BeginAsync(entries.Create(call) with { Before = about ?? call.About }, cancel);
    }

    private ValueTask CompleteAsync(DecidedCall call, UpstreamOutcome outcome, bool isChange)
    {
        var duration = clock.GetElapsedTime(call.Request.Started);
        if (!isChange)
        {
            return audit.RecordAsync(entries.Create(call, outcome, duration), CancellationToken.None);
        }

        caches.Invalidate();
        return audit.CompleteAsync(new AuditOutcome(
            call.Reference, AuditEntryFactory.NameOf(outcome.Reason), outcome.Status, duration.TotalMilliseconds, outcome.Made));
    }
}
