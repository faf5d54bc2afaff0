using System.Threading.Channels;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Audit;

/// <summary>
/// Writes the audit from one place, many entries per transaction. A call that changes something waits until its entry is
/// stored; everything else only queues.
/// </summary>
internal sealed partial class AuditLog(IAuditStore store, Live<Configuration> live, TimeProvider clock, ILogger<AuditLog> log) : BackgroundService
{
    private const int MostQueued = 10_000;
    private const int MostPerWrite = 256;

    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private long _nextCleaning;

    /// <summary>Queues an entry; waits only while the queue is full.</summary>
    public ValueTask RecordAsync(AuditEntry entry, CancellationToken cancel) => _queue.Writer.WriteAsync(new(entry, null, null), cancel);

    /// <summary>Stores the entry of a call that is about to change something; false when that failed, and the call must not be made.</summary>
    public async Task<bool> BeginAsync(AuditEntry entry, CancellationToken cancel)
    {
        var stored = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new(entry, null, stored), cancel);
        return await stored.Task;
    }

    /// <summary>Queues how a begun call ended.</summary>
    public ValueTask CompleteAsync(AuditOutcome outcome) => _queue.Writer.WriteAsync(new(null, outcome, null));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The queue is emptied, not dropped.
        _queue.Writer.TryComplete();
        await (ExecuteTask ?? Task.CompletedTask).WaitAsync(cancellationToken);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var batch = new List<Work>(MostPerWrite);
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < MostPerWrite && _queue.Reader.TryRead(out var work))
            {
                batch.Add(work);
            }

            Write(batch);
            batch.Clear();
            CleanNowAndThen();
        }
    }

    private void Write(List<Work> batch)
    {
        var stored = false;
        try
        {
            store.Write([.. batch.Select(one => one.Entry).OfType<AuditEntry>()], [.. batch.Select(one => one.Outcome).OfType<AuditOutcome>()]);
            stored = true;
        }
        catch (StoreException e)
        {
            LogNotWritten(batch.Count, e.Message);
        }

        foreach (var work in batch)
        {
            work.Stored?.SetResult(stored);
        }
    }

    private void CleanNowAndThen()
    {
        var now = clock.GetTimestamp();
        if (now < _nextCleaning)
        {
            return;
        }

        _nextCleaning = now + (long)(TimeSpan.FromHours(1).TotalSeconds * clock.TimestampFrequency);
        try
        {
            if (store.DeleteBefore(clock.GetUtcNow().AddDays(-live.Current.Settings.AuditRetentionDays)) is > 0 and var deleted)
            {
                LogCleaned(deleted);
            }
        }
        catch (StoreException e)
        {
            LogNotWritten(0, e.Message);
        }
    }

    private sealed record Work(AuditEntry? Entry, AuditOutcome? Outcome, TaskCompletionSource<bool>? Stored);

    [LoggerMessage(1, LogLevel.Error, "{Count} audit entries could not be written: {Cause}")]
    private partial void LogNotWritten(int count, string cause);

    [LoggerMessage(2, LogLevel.Information, "{Count} audit entries past their retention were deleted")]
    private partial void LogCleaned(int count);
}
