using System.Text.Json;
using Gateway.Headscale;
using Gateway.Policy;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Forwarding;

/// <summary>What comes back: untouched on the client plane; on the API plane filtered, uncacheable and without foreign headers.</summary>
internal static class Answers
{
    private static readonly string[] _passedOn = ["Content-Type", "Content-Length", "Content-Language", "ETag", "Retry-After", "Transfer-Encoding"];

    public static async ValueTask ReceiveAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } answer || context.HttpContext.Features.Get<ForwardingPlan>() is not ForwardingPlan.Rewritten judged)
        {
            return;
        }

        var response = context.HttpContext.Response;
        var requestId = response.Headers["X-Request-Id"];
        foreach (var name in response.Headers.Keys.Where(name => !_passedOn.Contains(name, StringComparer.OrdinalIgnoreCase)).ToArray())
        {
            response.Headers.Remove(name);
        }

        response.Headers["X-Request-Id"] = requestId;
        response.Headers.CacheControl = "no-store";
        if (judged.Key is not null && await HeadscaleClient.IsKeyRejectedAsync(answer, context.CancellationToken))
        {
            // It is our key, so it is our problem and not the caller's.
            Withhold(context, judged, Reason.UpstreamKeyRejected);
        }
        else if (answer.IsSuccessStatusCode && !judged.Filter.IsTransparent)
        {
            await FilterAsync(context, answer, judged);
        }
    }

    /// <summary>Whether the caller's own key was refused; 0.26 says it with 500.</summary>
    public static bool RefusedKey(int status, HeadscaleVersion? version) =>
        status == StatusCodes.Status401Unauthorized || (status == StatusCodes.Status500InternalServerError && version is null or { Minor: 26 });

    private static async Task FilterAsync(ResponseTransformContext context, HttpResponseMessage answer, ForwardingPlan.Rewritten judged)
    {
        var response = context.HttpContext.Response;
        context.SuppressResponseBody = true;
        response.ContentLength = null;
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(context.CancellationToken);
            await judged.Filter.CopyAsync(body, response.Body, context.CancellationToken);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or HttpRequestException or IOException)
        {
            Withhold(context, judged, Reason.UpstreamNotUnderstood);
            if (response.HasStarted)
            {
                // A part of the list is with the caller already: the broken connection says that it is only a part.
                context.HttpContext.Abort();
            }
        }
    }

    private static void Withhold(ResponseTransformContext context, ForwardingPlan.Rewritten judged, Reason reason)
    {
        judged.Withheld = reason;
        context.SuppressResponseBody = true;
        if (context.HttpContext.Response.HasStarted)
        {
            return;
        }

        context.HttpContext.Response.Headers.Remove("Content-Type");
        context.HttpContext.Response.Headers.Remove("Content-Length");
        context.HttpContext.Response.Headers.Remove("Transfer-Encoding");
    }
}
