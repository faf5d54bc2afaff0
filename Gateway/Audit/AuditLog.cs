using System.Threading.Channels;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Audit;

/// <summary>
/// Writes the audit from one place, many records at once. A call that changes something waits until its entry is on the disk;
/// everything else only queues, or is counted.
/// </summary>
internal sealed partial class AuditLog(
    IAuditStore store, AuditHeads heads, ConfigurationMonitor monitor, TimeProvider clock, ILogger<AuditLog> log) : BackgroundService
{
    private const int MostQueued = 10_000;
    private const int MostPerWrite = 256;

    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestStop = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _cleaning = TimeSpan.FromHours(1);

    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private readonly AuditCounter _counter = new(clock);
    private readonly PeriodicTimer _timer = new(_tick, clock);
    private List<AuditRecord> _left = [];
    private AuditHead? _remembered;
    private volatile string? _trouble;

    /// <summary>Whether nothing happened for a while: then nobody is woken every second for it.</summary>
    private volatile bool _isQuiet;

    /// <summary>Why nothing can be written down, and so nothing changed; null while it can.</summary>
    public string? Trouble => _trouble;

    /// <summary>Queues an entry, or counts it; waits only while the queue is full.</summary>
    public ValueTask RecordAsync(AuditEntry entry, CancellationToken cancel)
    {
        if (_counter.Take(entry, monitor.Current.Settings.Audit.CountsReads) is { } single)
        {
            return QueueAsync(new(new AuditRecord.Begun(single), IsDurable: false, null), cancel);
        }

        Wake();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Stores the entry of a call that is about to change something; false when that failed, and the call must not be made.
    /// </summary>
    public async Task<bool> BeginAsync(AuditEntry entry, CancellationToken cancel)
    {
        var stored = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _queue.Writer.WriteAsync(new(new AuditRecord.Begun(entry), IsDurable: true, stored), cancel);
        }
        catch (ChannelClosedException)
        {
            return false;
        }

        return await stored.Task;
    }

    /// <summary>Queues how a begun call ended.</summary>
    public ValueTask CompleteAsync(AuditOutcome outcome) =>
        QueueAsync(new(new AuditRecord.Ended(outcome), IsDurable: false, null), CancellationToken.None);

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
        // The queue is emptied, not dropped, also when others took all the time that there was to stop.
        if (ExecuteTask is not null)
        {
            await QueueCountsAsync(isEager: true, CancellationToken.None);
        }

        _queue.Writer.TryComplete();
        try
        {
            await base.StopAsync(CancellationToken.None).WaitAsync(_longestStop, clock, CancellationToken.None);
            await store.CloseAsync(CancellationToken.None);
            await RememberAsync();
        }
        catch (Exception e) when (e is StoreException or TimeoutException)
        {
            LogNotWritten(0, e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await Task.WhenAll(WriteAllAsync(), TickAsync(stoppingToken));

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
        AuditRecord[] records = [.. _left, .. batch.Select(one => one.Record).OfType<AuditRecord>()];
        var stored = await TryWriteAsync(records, batch.Exists(one => one.IsDurable));
        var nobodyWaitsFor = batch.Where(one => one.Stored is null).Select(one => one.Record).OfType<AuditRecord>();
        _left = stored ? [] : [.. _left, .. nobodyWaitsFor.Take(Math.Max(0, MostQueued - _left.Count))];
        foreach (var work in batch)
        {
            work.Stored?.SetResult(stored);
        }
    }

    /// <summary>What could not be written is tried again with the next; but a change whose entry was not stored was not made.</summary>
    private async Task<bool> TryWriteAsync(AuditRecord[] records, bool isDurable)
    {
        try
        {
            if (records.Length > 0)
            {
                await store.WriteAsync(records, isDurable, CancellationToken.None);
                _trouble = null;
            }

            return true;
        }
#pragma warning disable CA1031 // Whatever it is, those who wait are told, and the next entry is tried.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _trouble = e.Message;
            LogNotWritten(records.Length, e.Message);
            return false;
        }
    }

    public override void Dispose()
    {
        _isQuiet = false;
        _timer.Dispose();
        base.Dispose();
    }

    /// <summary>
    /// Once a second while something happens: counts whose minute is over. Now and then: what is past its retention.
    /// </summary>
    private async Task TickAsync(CancellationToken stoppingToken)
    {
        var cleaned = 0L;
        try
        {
            while (await _timer.WaitForNextTickAsync(stoppingToken))
            {
                await QueueCountsAsync(isEager: false, stoppingToken);
                if (cleaned == 0 || clock.GetElapsedTime(cleaned) >= _cleaning)
                {
                    cleaned = clock.GetTimestamp();
                    await CleanAsync(stoppingToken);
                }

                await RememberAsync();
                RestWhenQuiet();
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway ends; what is counted is written by whoever stops this.
        }
    }

    private void RestWhenQuiet()
    {
        if (!_counter.IsEmpty)
        {
            return;
        }

        (_timer.Period, _isQuiet) = (_cleaning, true);
        if (!_counter.IsEmpty)
        {
            Wake();
        }
    }

    private void Wake()
    {
        if (_isQuiet)
        {
            (_isQuiet, _timer.Period) = (false, _tick);
        }
    }

    private async ValueTask QueueAsync(Work work, CancellationToken cancel)
    {
        Wake();
        try
        {
            await _queue.Writer.WriteAsync(work, cancel);
        }
        catch (ChannelClosedException)
        {
            // The gateway has ended; what a call that was cut off came to is not known.
        }
    }

    private async Task QueueCountsAsync(bool isEager, CancellationToken cancel)
    {
        foreach (var count in _counter.TakeCounts(isEager))
        {
            await QueueAsync(new(count, IsDurable: false, null), cancel);
        }
    }

    private async Task CleanAsync(CancellationToken cancel)
    {
        var before = clock.GetUtcNow().AddDays(-monitor.Current.Settings.Audit.RetentionDays);
        try
        {
            if (await store.DeleteBeforeAsync(before, cancel) is { } deleted)
            {
                LogCleaned(deleted);
            }

            // Of a server, a month goes when all of it is too old.
            await heads.ForgetAsync(before.AddDays(-31));
        }
        catch (StoreException e)
        {
            LogNotWritten(0, e.Message);
        }
    }

    private async Task RememberAsync()
    {
        if (store.Signed is not { } signed || signed == _remembered)
        {
            return;
        }

        try
        {
            await heads.RememberAsync(signed);
            _remembered = signed;
        }
        catch (StoreException e)
        {
            LogNotRemembered(e.Message);
        }
    }

    /// <param name="Record">Null to wait for what is before it.</param>
    private sealed record Work(AuditRecord? Record, bool IsDurable, TaskCompletionSource<bool>? Stored);

    [LoggerMessage(1, LogLevel.Error, "{Count} audit entries could not be written, and are tried again: {Cause}")]
    private partial void LogNotWritten(int count, string cause);

    [LoggerMessage(2, LogLevel.Information, "The audit past its retention was deleted: {Deleted}")]
    private partial void LogCleaned(string deleted);

    [LoggerMessage(4, LogLevel.Warning, "Where the audit was signed could not be stored: {Cause}")]
    private partial void LogNotRemembered(string cause);

    [LoggerMessage(3, LogLevel.Warning, "{Healed}")]
    private partial void LogHealed(string healed);
}
