using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Forwarding;

/// <summary>Upgrades to other protocols (RFC 9110 7.8), which only tunnels of the client plane have.</summary>
internal static class Upgrades
{
    private const string WebSocket = "websocket";

    private static readonly string[] _tunnels = ["tailscale-control-protocol", "DERP"];

    /// <summary>Whether the request asks for an upgrade that a tunnel has.</summary>
    public static bool IsAskedFor(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && context.Request.Headers.Upgrade is [{ } protocol]
        && (IsWebSocket(protocol) || Array.Exists(_tunnels, known => known.Equals(protocol, StringComparison.OrdinalIgnoreCase)));

    /// <summary>
    /// The protocol that has to be written upstream. YARP writes WebSocket itself (dotnet/yarp #2495), and twice is one too many.
    /// </summary>
    public static string? ToWrite(HttpContext context) =>
        context.Request.Headers.Upgrade is [{ } protocol] && !IsWebSocket(protocol) ? protocol : null;

    /// <summary>Takes an upgrade off a request: YARP would put it back behind every transform.</summary>
    public static void Remove(HttpContext context)
    {
        context.Request.Headers.Remove("Upgrade");
        context.Features.Set<IHttpUpgradeFeature>(null);
        context.Features.Set<IHttpExtendedConnectFeature>(null);
    }

    private static bool IsWebSocket(string protocol) => WebSocket.Equals(protocol, StringComparison.OrdinalIgnoreCase);
}
