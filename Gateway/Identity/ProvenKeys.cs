using System.Collections.Concurrent;

namespace Gateway.Identity;

/// <summary>
/// The keys of callers that Headscale took a moment ago, by fingerprint: whoever has one is not held up by others at the same
/// address who try made-up keys.
/// </summary>
internal sealed class ProvenKeys(TimeProvider clock)
{
    private const int MostKept = 4096;

    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, long> _proven = new(StringComparer.Ordinal);

    /// <summary>Whether Headscale took this key within the last ten minutes.</summary>
    public bool Contains(string fingerprint) => _proven.TryGetValue(fingerprint, out var at) && clock.GetElapsedTime(at) < _keptFor;

    /// <summary>Headscale took it.</summary>
    public void Add(string fingerprint)
    {
        if (_proven.Count >= MostKept && !_proven.ContainsKey(fingerprint))
        {
            _proven.Clear();
        }

        _proven[fingerprint] = clock.GetTimestamp();
    }

    /// <summary>Headscale refused it.</summary>
    public void Remove(string fingerprint) => _proven.TryRemove(fingerprint, out _);
}
