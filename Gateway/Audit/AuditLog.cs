using System.Threading.Channels;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Audit;

/// <summary>
/// Writes the audit from one place, many records at once. A call that changes something waits until its entry is on the disk;
/// everything else only queues, or is counted.
/// </summary>
internal sealed partial class AuditLog(IAuditStore store, AuditHeads heads, Live<Configuration> live, TimeProvider clock, ILogger<AuditLog> log) : BackgroundService
{
    private const int MostQueued = 10_000;
    private const int MostPerWrite = 256;

    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _cleaning = TimeSpan.FromHours(1);

    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private readonly AuditCounter _counter = new(clock);
    private volatile string? _trouble;

    /// <summary>Where it is kept, to be read.</summary>
    public IAuditStore Store => store;

    /// <summary>Why nothing can be written down, and so nothing changed; null while it can.</summary>
    public string? Trouble => _trouble;

    /// <summary>Looks at every line that was written so far.</summary>
    public async Task<AuditVerification> VerifyAsync(CancellationToken cancel)
    {
        await FlushAsync(cancel);
        return await store.VerifyAsync(heads.Last, cancel);
    }

    /// <summary>Queues an entry, or counts it; waits only while the queue is full.</summary>
    public ValueTask RecordAsync(AuditEntry entry, CancellationToken cancel) =>
        _counter.Take(entry, live.Current.Settings.Audit.CountsReads) is { } single
            ? _queue.Writer.WriteAsync(new(new AuditRecord.Begun(single), IsDurable: false, null), cancel)
            : ValueTask.CompletedTask;

    /// <summary>Stores the entry of a call that is about to change something; false when that failed, and the call must not be made.</summary>
    public async Task<bool> BeginAsync(AuditEntry entry, CancellationToken cancel)
    {
        var stored = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new(new AuditRecord.Begun(entry), IsDurable: true, stored), cancel);
        return await stored.Task;
    }

    /// <summary>Queues how a begun call ended.</summary>
    public ValueTask CompleteAsync(AuditOutcome outcome) => _queue.Writer.WriteAsync(new(new AuditRecord.Ended(outcome), IsDurable: false, null));

    /// <summary>Waits until everything that was recorded is where readers see it.</summary>
    public async Task FlushAsync(CancellationToken cancel)
    {
        await QueueCountsAsync(isEager: true, cancel);
        var written = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new(null, IsDurable: false, written), cancel);
        await written.Task.WaitAsync(cancel);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (await store.OpenAsync(cancellationToken) is { } healed)
        {
            LogHealed(healed);
        }

        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The queue is emptied, not dropped.
        if (ExecuteTask is not null)
        {
            await QueueCountsAsync(isEager: true, cancellationToken);
        }

        _queue.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
        try
        {
            if (await store.CloseAsync(cancellationToken) is { } head)
            {
                await heads.RememberAsync(head);
            }
        }
        catch (StoreException e)
        {
            LogNotWritten(0, e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken) => await Task.WhenAll(WriteAllAsync(), TickAsync(stoppingToken));

    private async Task WriteAllAsync()
    {
        await Task.Yield();
        var batch = new List<Work>(MostPerWrite);
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < MostPerWrite && _queue.Reader.TryRead(out var work))
            {
                batch.Add(work);
            }

            await WriteAsync(batch);
            batch.Clear();
        }
    }

    private async Task WriteAsync(List<Work> batch)
    {
        var stored = false;
        try
        {
            AuditRecord[] records = [.. batch.Select(one => one.Record).OfType<AuditRecord>()];
            if (records.Length > 0)
            {
                await store.WriteAsync(records, batch.Exists(one => one.IsDurable), CancellationToken.None);
            }

            (stored, _trouble) = (true, records.Length > 0 ? null : _trouble);
        }
        catch (StoreException e)
        {
            _trouble = e.Message;
            LogNotWritten(batch.Count, e.Message);
        }

        foreach (var work in batch)
        {
            work.Stored?.SetResult(stored);
        }
    }

    /// <summary>Once a second: counts whose minute is over. Now and then: what is past its retention.</summary>
    private async Task TickAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_tick, clock);
        var cleaned = 0L;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await QueueCountsAsync(isEager: false, stoppingToken);
                if (cleaned == 0 || clock.GetElapsedTime(cleaned) >= _cleaning)
                {
                    cleaned = clock.GetTimestamp();
                    await CleanAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway ends; what is counted is written by whoever stops this.
        }
    }

    private async Task QueueCountsAsync(bool isEager, CancellationToken cancel)
    {
        foreach (var count in _counter.TakeCounts(isEager))
        {
            await _queue.Writer.WriteAsync(new(count, IsDurable: false, null), cancel);
        }
    }

    private async Task CleanAsync(CancellationToken cancel)
    {
        try
        {
            if (await store.DeleteBeforeAsync(clock.GetUtcNow().AddDays(-live.Current.Settings.Audit.RetentionDays), cancel) is { } deleted)
            {
                LogCleaned(deleted);
            }
        }
        catch (StoreException e)
        {
            LogNotWritten(0, e.Message);
        }
    }

    /// <param name="Record">Null to wait for what is before it.</param>
    private sealed record Work(AuditRecord? Record, bool IsDurable, TaskCompletionSource<bool>? Stored);

    [LoggerMessage(1, LogLevel.Error, "{Count} audit entries could not be written: {Cause}")]
    private partial void LogNotWritten(int count, string cause);

    [LoggerMessage(2, LogLevel.Information, "The audit past its retention was deleted: {Deleted}")]
    private partial void LogCleaned(string deleted);

    [LoggerMessage(3, LogLevel.Warning, "{Healed}")]
    private partial void LogHealed(string healed);
}
