using System.Net;
using Gateway.Edge;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>Evaluates what a front makes of the address of a client, which tried to choose one.</summary>
internal static class ClientAddress
{
    /// <summary>The address that is made up: RFC 5737 keeps it free for documents, so it is nobody's.</summary>
    public const string MadeUp = "203.0.113.77";

    private const string What = "The gateway learns the address of each client";

    /// <summary>It could not be looked at from here.</summary>
    public static WalkStep NotLookedAt(string why) => new(What, WalkResult.Warning, $"not looked at: {why}");

    /// <param name="arrival">What came to the gateway.</param>
    /// <param name="server">What the gateway believes.</param>
    /// <param name="ownPort">The port that the request was sent from; the front's connection has another.</param>
    /// <param name="file">The file with the settings.</param>
    public static WalkStep Evaluate(Arrival arrival, ServerSettings server, int ownPort, string file)
    {
        var header = server.ClientHeader;
        var key = server.ProxyAuth?.IpHeader is null ? "server.trusted_proxies" : "server.proxy_auth.trusted_proxy_cidrs";
        var front = arrival.Peer ?? "";
        if (arrival.PeerPort == ownPort)
        {
            return arrival.Client == MadeUp
                ? Wrong($"the front is not in between, and {front} is in {key} in {file}: take it out")
                : new(What, WalkResult.Fine);
        }

        if (!IPAddress.TryParse(front, out var peer) || !server.ClientHeaderProxies.Contains(peer))
        {
            return Wrong($"add {front}, the front, to {key} in {file}: without it everybody counts as the front, for limits and audit");
        }

        return arrival.Forwarded switch
        {
            [] => Wrong(
                $"the front sends no {header}, so everybody counts as the front, in limits and in the audit. {Setting(header)}"),
            [.., MadeUp] => Wrong(
                $"the front hands on the {header} that a client makes up, so everybody can choose an address. {Setting(header)}"),
            [MadeUp, ..] when server.ProxyAuth is { IpHeader: not null, IpHeaderMode: IpHeaderMode.First } => Wrong(
                $"the front keeps the {header} that a client makes up, and the first address in it counts: let the front replace it, or "
                + $"set server.proxy_auth.ip_header_mode to rightmost in {file}"),
            _ when arrival.Client is null => Wrong(
                $"the front says {header}: {string.Join(", ", arrival.Forwarded)}, which names no address. {Setting(header)}"),
            _ => new($"{What} (this machine: {Named(arrival)})", WalkResult.Fine),
        };
    }

    private static WalkStep Wrong(string advice) => new(What, WalkResult.Wrong, advice);

    /// <summary>A machine that is a trusted proxy itself is believed what it makes up; what the front added is its address.</summary>
    private static string Named(Arrival arrival) => arrival.Client == MadeUp ? arrival.Forwarded[^1] : arrival.Client ?? "";

    private static string Setting(string header) =>
        $"nginx: proxy_set_header {header} $remote_addr; Apache: RequestHeader set {header} \"expr=%{{REMOTE_ADDR}}\"; HAProxy: "
        + $"http-request set-header {header} %[src]; Caddy and Traefik do it unless trusted_proxies or forwardedHeaders names everybody";
}
