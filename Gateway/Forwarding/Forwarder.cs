using Gateway.Headscale;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>Sends requests on by YARP, and notices when Headscale is not there.</summary>
internal sealed class Forwarder(IHttpForwarder yarp, Upstreams upstreams, UpstreamMonitor monitor)
{
    /// <summary>YARP puts the target behind this; the transformers write the address themselves.</summary>
    private const string Unused = "http://upstream";

    /// <summary>Sends a request on and its answer back.</summary>
    /// <returns>What went wrong; <see cref="ForwarderError.None"/> for nothing.</returns>
    public ValueTask<ForwarderError> SendAsync(HttpContext context, HttpTransformer transformer, ForwarderRequestConfig config) =>
        yarp.SendAsync(context, Unused, upstreams.Http, config, transformer);

    /// <summary>Likewise, for a call that was judged here.</summary>
    /// <param name="isHeadscale">Whether Headscale itself answers it.</param>
    public ValueTask<ForwarderError> SendJudgedAsync(HttpContext context, HttpTransformer transformer, bool isHeadscale) =>
        yarp.SendAsync(context, Unused, isHeadscale ? upstreams.Judged : upstreams.Http, Upstreams.Calls, transformer);

    /// <summary>Notices from how it ended whether Headscale is there.</summary>
    public void Notice(HttpContext context, ForwarderError error)
    {
        if (error is ForwarderError.Request && context.Features.Get<IForwarderErrorFeature>()?.Exception is HttpRequestException e
            && IsNobodyThere(e.HttpRequestError))
        {
            monitor.CouldNotBeReached(e.Message);
        }
    }

    /// <summary>A connection that ends in the middle is no sign of it.</summary>
    private static bool IsNobodyThere(HttpRequestError error) =>
        error is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;
}
