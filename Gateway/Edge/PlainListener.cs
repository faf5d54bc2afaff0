using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Edge;

/// <summary>
/// A listener that takes plain HTTP from the network although the gateway speaks TLS itself. It is for Tailscale's clients, which come
/// that way first, with a tunnel that is encrypted, and look there for captive portals.
/// </summary>
internal static class PlainListener
{
    /// <summary>Connection middleware of such a listener.</summary>
    public static ConnectionDelegate Mark(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new Marked());
        return next(connection);
    };

    /// <summary>Whether a request came to such a listener.</summary>
    public static bool Took(HttpContext context) => context.Features.Get<Marked>() is not null;

    /// <summary>Whether others than this machine's own programs reach it.</summary>
    /// <param name="endPoint">Where it listens; null: at a unix socket.</param>
    public static bool IsOpen(IPEndPoint? endPoint) => endPoint is not null && !IPAddress.IsLoopback(endPoint.Address);

    private sealed class Marked;
}
