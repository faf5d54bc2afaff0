using System.Net;
using Gateway.Settings;

namespace Gateway.Edge;

/// <summary>Who is at the other end of the socket, and on whose behalf.</summary>
/// <param name="Address">The socket's peer; null when it has no address.</param>
/// <param name="Client">The client as far as it can be believed: the peer, or what a trusted proxy says.</param>
/// <param name="Scheme">The scheme that the client used.</param>
internal sealed record Peer(IPAddress? Address, IPAddress? Client, string Scheme)
{
    /// <summary>Trust comes from the socket alone. X-Forwarded-Host is never believed: links come from base_url.</summary>
    public static Peer Of(HttpContext context, ServerSettings server)
    {
        var address = context.Connection.RemoteIpAddress is { } remote ? AddressText.Unmap(remote) : null;
        if (address is null || !server.TrustedProxies.Contains(address))
        {
            return new Peer(address, address, context.Request.Scheme);
        }

        var headers = context.Request.Headers;
        var forwarded = headers["X-Forwarded-For"];

        // A proxy that says nothing speaks for itself; one whose word cannot be read never becomes the client of everybody behind it.
        var client = forwarded.Count == 0 ? address : ForwardedAddress.LastClient(forwarded, server.TrustedProxies);
        return new Peer(address, client, SchemeOf(headers["X-Forwarded-Proto"].ToString()) ?? context.Request.Scheme);
    }

    /// <summary>Traefik says ws and wss on upgrades.</summary>
    private static string? SchemeOf(string forwarded) => forwarded switch
    {
        "https" or "wss" => "https",
        "http" or "ws" => "http",
        _ => null,
    };
}
