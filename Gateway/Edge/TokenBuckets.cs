using System.Collections.Concurrent;
using System.Threading.RateLimiting;

namespace Gateway.Edge;

/// <summary>
/// Token buckets by key. They are filled up when somebody asks: the framework's partitioned limiter has a timer that wakes the
/// process ten times a second, also when nobody asks.
/// </summary>
/// <param name="perMinute">How many requests a minute a key has, all at once or spread; 0: no limit.</param>
internal sealed class TokenBuckets<TKey>(Func<int> perMinute) : IDisposable
    where TKey : notnull
{
    private const int MostKept = 10_000;

    private readonly ConcurrentDictionary<TKey, TokenBucketRateLimiter> _buckets = new();

    /// <summary>Takes one request off a key's share. How long to wait, or null when it is served.</summary>
    public TimeSpan? Take(TKey key)
    {
        if (perMinute() is not (> 0 and var limit))
        {
            return null;
        }

        var bucket = BucketOf(key, limit);
        bucket.TryReplenish();
        using var lease = bucket.AttemptAcquire();
        return lease.IsAcquired ? null : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : Period(limit);
    }

    /// <summary>How long to wait when a key's share is used up, without taking anything off it; null when it is not.</summary>
    public TimeSpan? Check(TKey key)
    {
        if (perMinute() is not (> 0 and var limit) || !_buckets.TryGetValue(key, out var bucket))
        {
            return null;
        }

        bucket.TryReplenish();
        return bucket.GetStatistics() is { CurrentAvailablePermits: 0 } ? Period(limit) : null;
    }

    public void Dispose()
    {
        foreach (var bucket in _buckets.Values)
        {
            bucket.Dispose();
        }
    }

    private TokenBucketRateLimiter BucketOf(TKey key, int limit)
    {
        if (_buckets.TryGetValue(key, out var known))
        {
            return known;
        }

        if (_buckets.Count >= MostKept)
        {
            DropFull(limit);
        }

        return _buckets.GetOrAdd(key, _ => new TokenBucketRateLimiter(new()
        {
            TokenLimit = limit,
            TokensPerPeriod = Math.Max(1, limit / 60),
            ReplenishmentPeriod = Period(limit),
            AutoReplenishment = false,
            QueueLimit = 0,
        }));
    }

    /// <summary>A bucket that is full again says no more than none.</summary>
    private void DropFull(int limit)
    {
        foreach (var (key, bucket) in _buckets)
        {
            bucket.TryReplenish();
            if (bucket.GetStatistics()?.CurrentAvailablePermits >= limit)
            {
                _buckets.TryRemove(key, out _);
            }
        }
    }

    /// <summary>How long it takes until something comes back.</summary>
    private static TimeSpan Period(int perMinute) => TimeSpan.FromSeconds(Math.Max(1.0, 60.0 / perMinute));
}
