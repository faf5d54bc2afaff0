using System.Diagnostics.CodeAnalysis;
using System.Net;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>Gives YARP the policy's rows as its routes. A new policy or a new upstream address takes effect without a restart.</summary>
internal sealed class ProxyRoutes : IProxyConfigProvider
{
    /// <summary>What under /api/ has no row. It reaches Headscale only for callers who bring their own key.</summary>
    public const string Rest = "api.rest";

    private const string Tunnels = "headscale-tunnels";

    private volatile Snapshot _snapshot;

    public ProxyRoutes(ConfigurationMonitor monitor)
    {
        _snapshot = new Snapshot(monitor.Current);
        monitor.OnReplaced(next =>
        {
            var old = _snapshot;
            _snapshot = new Snapshot(next);
            old.Expire();
        });
    }

    public IProxyConfig GetConfig() => _snapshot;

    private static RouteConfig ToRoute(RouteRule row) => new()
    {
        RouteId = row.Id,
        ClusterId = row.Tunnel ? Tunnels : row.Cluster,
        Match = new RouteMatch { Path = row.Path.Pattern, Methods = [.. row.Methods] },
        Metadata = new Dictionary<string, string> { ["plane"] = row.Plane.ToString() },
    };

    private static ClusterConfig ToCluster(string id, Uri address, TimeSpan? activity = null) => new()
    {
        ClusterId = id,
        Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = address.AbsoluteUri } },

        // Names and other text are passed on in the encoding in which Kestrel reads them.
        HttpClient = new HttpClientConfig { RequestHeaderEncoding = "utf-8" },

        // Headscale speaks HTTP/1.1 and nothing else.
        HttpRequest = new ForwarderRequestConfig { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact, ActivityTimeout = activity },
    };

    [SuppressMessage("Design", "CA1001", Justification = "The source has neither timer nor handle; YARP may still hold its token.")]
    private sealed class Snapshot : IProxyConfig
    {
        private readonly CancellationTokenSource _expired = new();

        public Snapshot(Configuration configuration)
        {
            var (settings, table) = (configuration.Settings, configuration.Table);
            ChangeToken = new CancellationChangeToken(_expired.Token);
            Routes = [.. table.Rules.Select(ToRoute), new RouteConfig
            {
                RouteId = Rest, ClusterId = RouteRule.Headscale, Order = int.MaxValue, Match = new RouteMatch { Path = "/api/{**rest}" },
            }];
            Clusters =
            [
                ToCluster(RouteRule.Headscale, settings.Headscale.Url),

                // A tunnel may be silent for a quarter of an hour while somebody signs in; TCP keep-alive finds the dead ones.
                ToCluster(Tunnels, settings.Headscale.Url, Timeout.InfiniteTimeSpan),
                .. table.Clusters.Select(one => ToCluster(one.Key, one.Value)),
            ];
        }

        public IReadOnlyList<RouteConfig> Routes { get; }

        public IReadOnlyList<ClusterConfig> Clusters { get; }

        public IChangeToken ChangeToken { get; }

        public void Expire() => _expired.Cancel();
    }
}
