using System.Collections.Concurrent;
using System.Threading.RateLimiting;

namespace Gateway.Edge;

/// <summary>
/// Token buckets by key. They are filled up when somebody asks: the framework's partitioned limiter has a timer that wakes the
/// process ten times a second, also when nobody asks.
/// </summary>
internal sealed class TokenBuckets<TKey>(TimeProvider clock) : IDisposable
    where TKey : notnull
{
    private const int MostKept = 10_000;
    private static readonly TimeSpan _betweenSweeps = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TKey, Bucket> _buckets = new();
    private long _swept;

    /// <summary>Those who come while the table is full share this one.</summary>
    private Bucket? _overflow;

    /// <summary>Takes one request off a key's share. How long to wait, or null when it is served.</summary>
    /// <param name="key">Whose share.</param>
    /// <param name="perMinute">How many requests a minute it is, all at once or spread; 0: no limit.</param>
    public TimeSpan? Take(TKey key, int perMinute) => perMinute > 0 ? BucketOf(key, perMinute).Take() : null;

    /// <summary>How long to wait when a key's share is used up, without taking anything off it; null when it is not.</summary>
    public TimeSpan? Check(TKey key, int perMinute) =>
        perMinute > 0 && _buckets.TryGetValue(key, out var bucket) && bucket.Limit == perMinute ? bucket.Check() : null;

    public void Dispose()
    {
        foreach (var bucket in _buckets.Values)
        {
            bucket.Dispose();
        }

        _overflow?.Dispose();
    }

    private Bucket BucketOf(TKey key, int limit)
    {
        if (_buckets.TryGetValue(key, out var known) && known.Limit == limit)
        {
            return known;
        }

        if (known is null && _buckets.Count >= MostKept)
        {
            Sweep();
            if (_buckets.Count >= MostKept)
            {
                return _overflow is { } shared && shared.Limit == limit ? shared : _overflow = new Bucket(limit);
            }
        }

        // Of two at the same time, one bucket stays; a setting that changed makes another one.
        return _buckets.AddOrUpdate(key, _ => new Bucket(limit), (_, other) => other.Limit == limit ? other : new Bucket(limit));
    }

    /// <summary>A bucket that is full again says no more than none.</summary>
    private void Sweep()
    {
        var last = Volatile.Read(ref _swept);
        if ((last != 0 && clock.GetElapsedTime(last) < _betweenSweeps)
            || Interlocked.CompareExchange(ref _swept, clock.GetTimestamp(), last) != last)
        {
            return;
        }

        foreach (var (key, bucket) in _buckets)
        {
            if (bucket.IsFull)
            {
                _buckets.TryRemove(key, out _);
            }
        }
    }

    /// <summary>The framework's bucket, with the limit that it was made for.</summary>
    private sealed class Bucket(int limit) : IDisposable
    {
        private readonly TokenBucketRateLimiter _limiter = new(new()
        {
            TokenLimit = limit,
            TokensPerPeriod = Math.Max(1, limit / 60),
            ReplenishmentPeriod = Period(limit),
            AutoReplenishment = false,
            QueueLimit = 0,
        });

        public int Limit => limit;

        public bool IsFull => Left() >= limit;

        public TimeSpan? Take()
        {
            _limiter.TryReplenish();
            using var lease = _limiter.AttemptAcquire();
            return lease.IsAcquired ? null : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : Period(limit);
        }

        public TimeSpan? Check() => Left() == 0 ? Period(limit) : null;

        public void Dispose() => _limiter.Dispose();

        private long Left()
        {
            _limiter.TryReplenish();
            return _limiter.GetStatistics()?.CurrentAvailablePermits ?? 0;
        }

        /// <summary>How long it takes until something comes back.</summary>
        private static TimeSpan Period(int perMinute) => TimeSpan.FromSeconds(Math.Max(1.0, 60.0 / perMinute));
    }
}
