namespace Gateway.Web.Live;

/// <summary>A mark that differs when something changed. However many ask, it is looked up once in a while.</summary>
/// <param name="look">Looks it up.</param>
/// <param name="clock">The clock.</param>
internal sealed class SharedMark(Func<CancellationToken, Task<string>> look, TimeProvider clock) : IDisposable
{
    /// <summary>How old a mark may be.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _looking = new(1);
    private long _lookedAt;
    private string _mark = "";

    /// <summary>The mark, at most so old.</summary>
    public async Task<string> GetAsync(CancellationToken cancel)
    {
        await _looking.WaitAsync(cancel);
        try
        {
            if (_lookedAt == 0 || clock.GetElapsedTime(_lookedAt) >= Interval)
            {
                _mark = await look(cancel);
                _lookedAt = clock.GetTimestamp();
            }

            return _mark;
        }
        finally
        {
            _looking.Release();
        }
    }

    public void Dispose() => _looking.Dispose();
}
