using System.Collections.Concurrent;

namespace Gateway.Identity;

/// <summary>Values that count once, remembered for as long as they are good at all.</summary>
/// <param name="goodFor">How long a value is good.</param>
internal abstract class SingleUse(TimeProvider clock, TimeSpan goodFor)
{
    private const int MostKept = 100_000;
    private static readonly TimeSpan _betweenPrunings = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _used = new(StringComparer.Ordinal);
    private long _pruned = clock.GetTimestamp();

    /// <summary>Uses a value up; false when it was used before. Of two at the same time, one succeeds.</summary>
    public bool TryUse(string value)
    {
        Prune();
        return _used.TryAdd(value, clock.GetTimestamp());
    }

    /// <summary>Gives a value back that had no effect, so that it may be sent again.</summary>
    public void Release(string value) => _used.TryRemove(value, out _);

    private void Prune()
    {
        var last = Volatile.Read(ref _pruned);
        if (clock.GetElapsedTime(last) < _betweenPrunings && _used.Count < MostKept)
        {
            return;
        }

        Volatile.Write(ref _pruned, clock.GetTimestamp());
        foreach (var old in _used.Where(use => clock.GetElapsedTime(use.Value) > goodFor))
        {
            _used.TryRemove(old);
        }
    }
}
