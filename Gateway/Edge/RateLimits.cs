using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Edge;

/// <summary>
/// How many requests are served: per address while nobody is signed in, and per caller after. The client plane has no
/// limits. A change of the settings takes effect with new callers at once, with others when they pause for a while.
/// </summary>
internal sealed class RateLimits : IDisposable
{
    private readonly ConfigurationMonitor _monitor;
    private readonly PartitionedRateLimiter<IPAddress> _anonymous;
    private readonly PartitionedRateLimiter<string> _callers;

    public RateLimits(ConfigurationMonitor monitor)
    {
        _monitor = monitor;
        _anonymous = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => Bucket(GroupOf(address), monitor.Current.Settings.Limits.AnonymousPerMinute));
        _callers = PartitionedRateLimiter.Create<string, string>(caller => Bucket(caller, monitor.Current.Settings.Limits.CallerPerMinute));
    }

    /// <summary>Those who share their fate: one IPv4 address, or the /64 that a household or a server has.</summary>
    public static IPAddress GroupOf(IPAddress address)
    {
        if (address.AddressFamily is not AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    /// <summary>Counts a request of somebody who is not signed in. How long to wait, or null when it is served.</summary>
    public TimeSpan? TakeAnonymous(IPAddress? address) => Wait(_anonymous.AttemptAcquire(address ?? IPAddress.None));

    /// <summary>The same without counting: whether the requests from there have used their share up.</summary>
    public TimeSpan? CheckAnonymous(IPAddress? address) =>
        _anonymous.GetStatistics(address ?? IPAddress.None) is { CurrentAvailablePermits: 0 } ? Period(_monitor.Current.Settings.Limits.AnonymousPerMinute) : null;

    /// <summary>Counts a request of a caller. How long to wait, or null when it is served.</summary>
    public TimeSpan? TakeCaller(string caller) => Wait(_callers.AttemptAcquire(caller));

    /// <summary>Says when to come back, in whole seconds (RFC 9110 10.2.3).</summary>
    public static void SetRetryAfter(HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _anonymous.Dispose();
        _callers.Dispose();
    }

    /// <summary>A minute's share at once, which comes back second by second.</summary>
    private static RateLimitPartition<TKey> Bucket<TKey>(TKey key, int perMinute) => perMinute == 0
        ? RateLimitPartition.GetNoLimiter(key)
        : RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = perMinute,
            TokensPerPeriod = Math.Max(1, perMinute / 60),
            ReplenishmentPeriod = Period(perMinute),
            QueueLimit = 0,
        });

    /// <summary>How long it takes until something comes back.</summary>
    private static TimeSpan Period(int perMinute) => TimeSpan.FromSeconds(Math.Max(1.0, 60.0 / perMinute));

    private static TimeSpan? Wait(RateLimitLease lease)
    {
        using (lease)
        {
            return lease.IsAcquired ? null : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1);
        }
    }
}
