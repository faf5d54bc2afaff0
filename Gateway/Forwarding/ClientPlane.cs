using System.Net;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Forwarding;

/// <summary>What Tailscale clients and DERP need: nobody is asked who they are, and nothing is read, changed or held back.</summary>
internal sealed partial class ClientPlane(
    Forwarder forwarder, RateLimits limits, UpstreamMonitor upstream, TimeProvider clock, ILogger<ClientPlane> log)
{
    private const string NoUpgrade =
        "came without an Upgrade header that Headscale knows; the proxy in front must pass Upgrade and Connection on, over HTTP/1.1 "
        + "(docs/fronts.md)";

    private readonly LogThrottle<IPAddress> _throttle = new(clock);

    /// <summary>Sends a request of the client plane on.</summary>
    public async Task ForwardAsync(HttpContext context, RouteRule rule)
    {
        var isUpgrade = rule.Tunnel && Upgrades.IsAskedFor(context);
        if (rule.UpgradeOnly && !isUpgrade)
        {
            await AskForUpgradeAsync(context);
            return;
        }

        if (rule.Since > 0 && await RefuseTokenRequestAsync(context, rule))
        {
            return;
        }

        var upgrade = isUpgrade ? Upgrades.ToWrite(context) : null;
        if (isUpgrade)
        {
            TunnelDrain.MarkTunnel(context);
        }
        else
        {
            Upgrades.Remove(context);
        }

        var transformer = new PassThroughTransformer(
            Upstreams.AddressOf(RequestContext.Of(context).Configuration, rule), keepsHost: true, upgrade);
        forwarder.Notice(context, await forwarder.SendAsync(context, transformer, Upstreams.ConfigFor(rule)));
    }

    /// <summary>The first thing that goes wrong behind a proxy (headscale #775): it is said to the client and in the log.</summary>
    private Task AskForUpgradeAsync(HttpContext context)
    {
        var peer = RequestContext.Of(context).Peer.Address ?? IPAddress.None;
        if (_throttle.IsFirst(peer))
        {
            LogNoUpgrade(context.Request.Path, peer, context.Request.Protocol, NoUpgrade);
        }

        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        return context.Response.WriteAsync($"{context.Request.Path} {NoUpgrade}\n", context.RequestAborted);
    }

    /// <summary>An OAuth client shows its secret, which somebody may be guessing. Older versions do not have that.</summary>
    /// <returns>Whether the request was answered.</returns>
    private async Task<bool> RefuseTokenRequestAsync(HttpContext context, RouteRule rule)
    {
        Refusal? refusal = null;
        if (limits.TakeAnonymous(RequestContext.Of(context)) is { } wait)
        {
            RateLimits.SetRetryAfter(context.Response, wait);
            refusal = new(Reason.TooMany);
        }
        else
        {
            try
            {
                var version = await upstream.VersionAsync(context.RequestAborted);
                refusal = version.Minor >= rule.Since ? null : new(Reason.NoSuchRoute, Detail: $"Headscale has it since 0.{rule.Since}");
            }
            catch (HeadscaleException e)
            {
                refusal = new(e.Reason);
            }
        }

        if (refusal is { } reasoned)
        {
            await ErrorAnswers.WriteAsync(context, reasoned, ErrorStyle.Tailscale);
        }

        return refusal is not null;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Path} from {Peer} over {Protocol} {Cause}")]
    private partial void LogNoUpgrade(string path, IPAddress peer, string protocol, string cause);
}
