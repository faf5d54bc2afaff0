using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gateway.Settings;

namespace Gateway.Edge;

/// <summary>Whose share a request counts against: a person by number, or everybody else by a name.</summary>
internal readonly record struct CallerKey(long Person, string? Name)
{
    public static CallerKey Of(long person) => new(person, null);

    public static CallerKey Of(string name) => new(0, name);
}

/// <summary>
/// How many requests are served: per address while nobody is signed in, and per caller after. The client plane has no
/// limits. A change of the settings takes effect with new callers at once, with others when they pause for a while.
/// </summary>
internal sealed class RateLimits(TimeProvider clock) : IDisposable
{
    private readonly TokenBuckets<IPAddress> _anonymous = new(clock);
    private readonly TokenBuckets<CallerKey> _callers = new(clock);

    /// <summary>Addresses that share a limit: one IPv4 address, or the /64 that a household or a server has.</summary>
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

    /// <summary>Counts a request of an anonymous caller. How long to wait, or null when it is served.</summary>
    public TimeSpan? TakeAnonymous(RequestContext request) => _anonymous.Take(GroupOf(request), LimitsOf(request).AnonymousPerMinute);

    /// <summary>The same without counting: whether the requests from there have used their share up.</summary>
    public TimeSpan? CheckAnonymous(RequestContext request) => _anonymous.Check(GroupOf(request), LimitsOf(request).AnonymousPerMinute);

    /// <summary>Counts a request of a caller. How long to wait, or null when it is served.</summary>
    public TimeSpan? TakeCaller(CallerKey caller, RequestContext request) => _callers.Take(caller, LimitsOf(request).CallerPerMinute);

    /// <summary>Says when to come back, in whole seconds (RFC 9110 10.2.3).</summary>
    public static void SetRetryAfter(HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _anonymous.Dispose();
        _callers.Dispose();
    }

    private static LimitSettings LimitsOf(RequestContext request) => request.Configuration.Settings.Limits;

    private static IPAddress GroupOf(RequestContext request) => GroupOf(request.Peer.Client ?? IPAddress.None);
}
