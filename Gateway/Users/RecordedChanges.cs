using Gateway.Audit;
using Gateway.Policy;
using Gateway.Settings;
using static Gateway.Policy.Sentences;

namespace Gateway.Users;

/// <summary>What is to be done and how it is told; or why it may not be.</summary>
/// <param name="Change">What is to be done; null where it may not be.</param>
/// <param name="Before">What it replaces.</param>
/// <param name="After">What it sets.</param>
/// <param name="Complaint">Why it may not be done.</param>
internal readonly record struct PlannedChange(
    Func<Task<Change>>? Change, string? Before, string? After, FormattableString? Complaint = null)
{
    /// <summary>What somebody should know although it was done; null for nothing.</summary>
    public FormattableString? Note { get; init; }

    /// <summary>What came to be, in words, asked when it is done; null for nothing.</summary>
    public Func<string?>? Made { get; init; }

    public static PlannedChange Refuse(FormattableString complaint) => new(null, null, null, complaint);
}

/// <summary>Carries changes of the gateway's own state out: each is written down before and after, or not done at all.</summary>
internal sealed class RecordedChanges(AuditLog audit, TimeProvider clock)
{
    /// <param name="row">What the audit calls it, such as <c>people.role</c>.</param>
    /// <param name="whom">Whom or what it is about.</param>
    public async Task<PersonChanged> RunAsync(
        ChangeOrigin origin, Principal who, string row, string whom, PlannedChange plan, CancellationToken cancel)
    {
        var entry = new AuditEntry
        {
            At = clock.GetUtcNow(),
            RequestId = origin.RequestId,
            Kind = origin.Kind,
            Actor = who.Label,
            Token = who.TokenLabel,
            Role = who.IsConsole ? null : who.Role.Name,
            HeadscaleUser = who.User?.Id,
            Row = row,
            Method = origin.Method,
            Path = whom,
            Reason = plan.Complaint is null ? "allowed" : "refused",
            Status = plan.Complaint is null ? null : StatusCodes.Status403Forbidden,
            Client = origin.Client,
            Detail = plan.Complaint?.English(),
            Before = plan.Before,
            After = plan.After,
        };
        if (plan.Change is not { } change)
        {
            await audit.RecordAsync(entry, CancellationToken.None);
            return new(StatusCodes.Status403Forbidden, plan.Complaint);
        }

        if (!await audit.BeginAsync(entry, cancel))
        {
            return new(StatusCodes.Status503ServiceUnavailable, Said($"the audit cannot be written, so nothing is changed"));
        }

        var (outcome, trouble) = await TryAsync(change);
        var changed = outcome is Change.Done
            ? PersonChanged.Done with { Note = plan.Note }
            : new(
                outcome is Change.None ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status409Conflict,
                trouble ?? TextOf(outcome));
        await audit.CompleteAsync(new AuditOutcome(
            origin.RequestId, outcome is Change.Done ? "done" : SnakeCase.From(outcome.ToString()), changed.Status,
                clock.GetElapsedTime(origin.Started).TotalMilliseconds, plan.Made?.Invoke()));
        return changed;
    }

    private static async Task<(Change Outcome, FormattableString? Trouble)> TryAsync(Func<Task<Change>> change)
    {
        try
        {
            return (await change(), null);
        }
        catch (StoreException e)
        {
            return (Change.None, Said($"the store could not be changed: {e.Message}"));
        }
    }

    private static FormattableString TextOf(Change outcome) => outcome switch
    {
        Change.Done => Said($"it was done"),
        Change.None => Said($"the store could not be changed; the gateway's log says why"),
        Change.NoSuchPerson => Said($"that person is not there any more, or was changed meanwhile"),
        Change.NoSuchToken => Said($"that token is not there any more"),
        Change.TooManyTokens => Said($"they have as many tokens as one person may have; revoke one that is not needed"),
        Change.Claimed => Said($"that Headscale user is linked to somebody else; remove that link first"),
        Change.IsOwner => Said($"that person is the owner; ownership must be handed over first (gateway users transfer-ownership)"),
        Change.OwnerExists => Said($"there is an owner already; hand ownership over (gateway users transfer-ownership)"),
        Change.Exists => Said($"that identity exists already; change its role or its link instead"),
        Change.Decided => Said($"an administrator decided otherwise, and that stays"),
    };
}
