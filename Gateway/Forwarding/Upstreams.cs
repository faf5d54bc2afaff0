using System.Net;
using Gateway.Headscale;
using Gateway.Policy;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>The connections on which requests are forwarded, and the addresses that they lead to.</summary>
internal sealed class Upstreams : IDisposable
{
    public Upstreams(ConfigurationMonitor monitor, UpstreamConnections connections, HeadscaleHandler judged)
    {
        var handler = new SocketsHttpHandler();
        UpstreamSockets.Configure(handler, monitor.Current.Settings.Headscale.TlsCaPath, connections.Opened);
        Http = new HttpMessageInvoker(new SentOnce(handler));
        Judged = new HttpMessageInvoker(judged, disposeHandler: false);
    }

    /// <summary>Headscale speaks HTTP/1.1 and nothing else.</summary>
    public static ForwarderRequestConfig Calls { get; } =
        new() { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>A tunnel may be silent for a quarter of an hour while somebody signs in; TCP keep-alive finds the dead ones.</summary>
    private static ForwarderRequestConfig Tunnels { get; } = Calls with { ActivityTimeout = Timeout.InfiniteTimeSpan };

    /// <summary>The way over TCP, without a key of the gateway's: the client plane, own keys, other clusters.</summary>
    public HttpMessageInvoker Http { get; }

    /// <summary>The way of judged calls to Headscale, over its socket or with the gateway's key.</summary>
    public HttpMessageInvoker Judged { get; }

    /// <summary>How long requests of a rule may be silent.</summary>
    public static ForwarderRequestConfig ConfigFor(RouteRule rule) => rule.Tunnel ? Tunnels : Calls;

    /// <summary>Whether Headscale itself answers a rule; other clusters never get its key.</summary>
    public static bool IsHeadscale(RouteRule? rule) => rule is null || rule.Cluster == RouteRule.Headscale;

    /// <summary>The address of the cluster that answers a rule.</summary>
    public static Uri AddressOf(Configuration configuration, RouteRule? rule) =>
        rule is null || IsHeadscale(rule) ? configuration.Settings.Headscale.Url : configuration.Table.Clusters[rule.Cluster];

    public void Dispose()
    {
        Http.Dispose();
        Judged.Dispose();
    }
}
