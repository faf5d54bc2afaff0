using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Forwarding;

/// <summary>Puts the body that was judged, or none, in the place of the one that came: YARP sends what the request then holds.</summary>
internal sealed class RequestBodyFeature(bool hasBody) : IHttpRequestBodyDetectionFeature
{
    public bool CanHaveBody => hasBody;

    public static void Replace(HttpContext context, byte[]? body)
    {
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new RequestBodyFeature(body is not null));
        context.Request.Headers.Remove("Transfer-Encoding");
        context.Request.Headers.Remove("Expect");
        context.Request.Body = body is null ? Stream.Null : new MemoryStream(body, writable: false);
        context.Request.ContentLength = body?.Length;
    }
}
