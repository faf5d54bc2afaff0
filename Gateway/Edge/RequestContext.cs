using Gateway.Policy;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>What is established about every request before anything else reads it.</summary>
/// <param name="Configuration">The configuration that this request is judged by, start to end.</param>
/// <param name="RequestId">Random; in the answer, the log and the audit.</param>
/// <param name="Peer">The peer of the connection, and the client behind it.</param>
/// <param name="Headers">The identity headers, which are off the request now.</param>
/// <param name="Target">The target as it came over the wire; null when it is not in origin form.</param>
/// <param name="Started">The clock's timestamp at the beginning.</param>
internal sealed record RequestContext(
    Configuration Configuration, string RequestId, Peer Peer, IdentityHeaders Headers, RawTarget? Target, long Started)
{
    /// <summary>What is established about this request.</summary>
    public static RequestContext Of(HttpContext context) => context.Features.GetRequiredFeature<RequestContext>();

    /// <summary>Middleware that establishes it for each request, and refuses requests that no server can read in one way.</summary>
    public static RequestDelegate Begin(RequestDelegate next, ConfigurationMonitor monitor, LoopLog loops, TimeProvider clock) => context =>
    {
        var request = Establish(context, monitor.Current, clock.GetTimestamp());
        context.TraceIdentifier = request.RequestId;
        context.Request.Scheme = request.Peer.Scheme;
        context.Response.Headers["X-Request-Id"] = request.RequestId;
        context.Features.Set(request);
        if (LoopMark.IsOn(context.Request.Headers.Via))
        {
            loops.Log();
            return RefuseAsync(context, StatusCodes.Status508LoopDetected, Refusals.TextOf(new(Reason.PassedBefore)));
        }

        return ProblemOf(context) is { } problem ? RefuseAsync(context, StatusCodes.Status400BadRequest, problem) : next(context);
    };

    private static RequestContext Establish(HttpContext context, Configuration configuration, long started)
    {
        var server = configuration.Settings.Server;
        var peer = Peer.Of(context, server);
        var headers = IdentityHeaders.TakeFrom(context.Request.Headers, server.ProxyAuth);
        if (server.ProxyAuth is { IpHeader: not null } proxy && ForwardedAddress.ClientOf(headers, peer.Address, proxy) is { } client)
        {
            peer = peer with { Client = client };
        }

        return new(configuration, RequestIds.Next(), peer, headers, RawTarget.Of(context), started);
    }

    /// <summary>Why no server may be given this request; null when nothing is wrong with it.</summary>
    private static string? ProblemOf(HttpContext context)
    {
        var isInFrames = !HttpProtocol.IsHttp11(context.Request.Protocol) && !HttpProtocol.IsHttp10(context.Request.Protocol);

        // RFC 9113 8.2.2: frames say where a body ends. Kestrel refuses the other headers about connections, and not this one.
        if (isInFrames && context.Request.Headers.TransferEncoding.Count > 0)
        {
            return "Transfer-Encoding has no place in HTTP/2.";
        }

        // RFC 9112 3.2 wants a Host of every request; for HTTP/2, in which Kestrel lets it be missing, nobody needs less.
        if (isInFrames && !context.Request.Host.HasValue)
        {
            return "The request names no host.";
        }

        // RFC 9112 3.2: a blank or a control character in the target of an HTTP/2 request would end up in a request line.
        return context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? "The request target has a character in it that must be percent-encoded (RFC 3986)."
            : null;
    }

    private static Task RefuseAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
