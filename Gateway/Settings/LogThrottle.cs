using System.Collections.Concurrent;

namespace Gateway.Settings;

/// <summary>Lets one event per key and minute through, and remembers a bounded number of keys.</summary>
internal sealed class LogThrottle<TKey>(TimeProvider clock)
    where TKey : notnull
{
    private const int MostKeys = 1024;

    private readonly ConcurrentDictionary<TKey, long> _seen = new();

    public bool IsFirst(TKey key)
    {
        var now = clock.GetTimestamp();
        if (_seen.TryGetValue(key, out var last))
        {
            return clock.GetElapsedTime(last, now) >= TimeSpan.FromMinutes(1) && _seen.TryUpdate(key, now, last);
        }

        if (_seen.Count >= MostKeys)
        {
            _seen.Clear();
        }

        return _seen.TryAdd(key, now);
    }
}
