using Gateway.Identity;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>Requests that go on as they came: the client plane, and callers with a Headscale key of their own.</summary>
/// <param name="upstream">Where they go.</param>
/// <param name="keepsHost">Whether it sees the host name that the client used.</param>
/// <param name="upgrade">The protocol of a tunnel that YARP does not know; null for every other request.</param>
/// <param name="target">The target that was judged; null: the one that came.</param>
internal sealed class PassThroughTransformer(Uri upstream, bool keepsHost, string? upgrade = null, string? target = null) : HttpTransformer
{
    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var headers = proxyRequest.Headers;
        proxyRequest.RequestUri = UpstreamHeaders.AddressOf(
            upstream, target ?? httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);

        // With it, a DERP server would skip the HTTP answer that everybody in between waits for.
        headers.Remove("Derp-Fast-Start");

        if (httpContext.Request.Headers.Cookie is { Count: > 0 } cookies)
        {
            headers.Remove("Cookie");
            if (SessionCookie.WithoutOwn(cookies) is { } foreign)
            {
                headers.TryAddWithoutValidation("Cookie", foreign);
            }
        }

        if (CredentialReader.HasToken(httpContext.Request.Headers.Authorization))
        {
            headers.Remove("Authorization");
        }

        headers.Host = keepsHost && httpContext.Request.Host.HasValue ? httpContext.Request.Host.Value : null;
        UpstreamHeaders.WriteForwarded(headers, httpContext);
        if (upgrade is not null)
        {
            headers.TryAddWithoutValidation("Connection", "upgrade");
            headers.TryAddWithoutValidation("Upgrade", upgrade);
        }
    }
}
