using System.Collections.Concurrent;

namespace Gateway.Headscale;

/// <summary>
/// The keys of callers that Headscale took a moment ago, by fingerprint: whoever has one is not held up by others at the same
/// address who try made-up keys.
/// </summary>
internal sealed class ProvenKeys(TimeProvider clock)
{
    private const int MostKept = 4096;

    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, long> _proven = new(StringComparer.Ordinal);
    private long _changed = clock.GetTimestamp() - 1;

    /// <summary>Whether Headscale took this key within the last ten minutes.</summary>
    public bool Contains(string fingerprint) => _proven.TryGetValue(fingerprint, out var at) && clock.GetElapsedTime(at) < _keptFor;

    /// <summary>Whether Headscale took this key so long ago at most, and no change went to Headscale since.</summary>
    public bool IsProven(string fingerprint, TimeSpan within) => _proven.TryGetValue(fingerprint, out var at)
        && at > Interlocked.Read(ref _changed) && clock.GetElapsedTime(at) < within;

    /// <summary>A change goes to Headscale, and may end any key.</summary>
    public void Forget() => Interlocked.Exchange(ref _changed, clock.GetTimestamp());

    /// <summary>Headscale took it.</summary>
    /// <param name="at">The clock's timestamp before it was asked: what changed while it answered may have ended the key.</param>
    public void Add(string fingerprint, long at)
    {
        if (_proven.Count >= MostKept && !_proven.ContainsKey(fingerprint))
        {
            _proven.Clear();
        }

        _proven[fingerprint] = at;
    }

    /// <summary>Headscale refused it.</summary>
    public void Remove(string fingerprint) => _proven.TryRemove(fingerprint, out _);
}
