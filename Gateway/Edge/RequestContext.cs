using System.Security.Cryptography;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>What is established about every request before anything else reads it.</summary>
/// <param name="Configuration">The configuration that this request is judged by, start to end.</param>
/// <param name="RequestId">Random; in the answer, the log and the audit.</param>
/// <param name="Peer">Who is at the other end.</param>
/// <param name="Headers">The identity headers, which are off the request now.</param>
/// <param name="Started">The clock's timestamp at the beginning.</param>
internal sealed record RequestContext(Configuration Configuration, string RequestId, Peer Peer, IdentityHeaders Headers, long Started)
{
    /// <summary>Middleware that makes a request of each request.</summary>
    /// <summary>What is established about this request.</summary>
    public static RequestContext Of(HttpContext context) => context.Features.GetRequiredFeature<RequestContext>();

    /// <summary>Middleware that establishes it for each request.</summary>
    public static RequestDelegate Begin(RequestDelegate next, ConfigurationMonitor monitor, TimeProvider clock) => context =>
    {
        var configuration = monitor.Current;
        var server = configuration.Settings.Server;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var peer = Peer.Of(context, server);
        var headers = IdentityHeaders.TakeFrom(context.Request.Headers, server.ProxyAuth);
        if (server.ProxyAuth is { IpHeader: not null } proxy && ForwardedAddress.ClientOf(headers, peer.Address, proxy) is { } client)
        {
            peer = peer with { Client = client };
        }

        context.TraceIdentifier = id;
        context.Request.Scheme = peer.Scheme;
        context.Response.Headers["X-Request-Id"] = id;
        context.Features.Set(new RequestContext(configuration, id, peer, headers, clock.GetTimestamp()));
        return IsMalformed(context.Request) ? RefuseAsync(context) : next(context);
    };

    /// <summary>RFC 9113 8.2.2: frames say where a body ends. Kestrel refuses the other headers about connections, and not this one.</summary>
    private static bool IsMalformed(HttpRequest request) => request.Headers.TransferEncoding.Count > 0 && !HttpProtocol.IsHttp11(request.Protocol) && !HttpProtocol.IsHttp10(request.Protocol);

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return context.Response.WriteAsync("Transfer-Encoding has no place in HTTP/2.\n", context.RequestAborted);
    }
}
