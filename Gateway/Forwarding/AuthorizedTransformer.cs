using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>
/// An authorized call on its way to Headscale, written anew, and its answer on the way back: filtered, and without foreign headers.
/// </summary>
/// <param name="result">What was decided.</param>
/// <param name="upstream">The address of the cluster.</param>
/// <param name="isHeadscale">Whether Headscale itself answers.</param>
/// <param name="filter">What is left of the answer.</param>
internal sealed class AuthorizedTransformer(AuthorizationResult result, Uri upstream, bool isHeadscale, ResponseFilter filter)
    : HttpTransformer
{
    /// <summary>The headers of an answer that reach the caller.</summary>
    public static IReadOnlyList<string> PassedOn { get; } = ["Content-Type", "Content-Length", "Content-Language", "ETag", RetryAfter];

    /// <summary>When to come back, which a refusal says as well.</summary>
    public const string RetryAfter = "Retry-After";

    /// <summary>The caller's own credential, which is sent where the socket does not serve; null: the call is the gateway's.</summary>
    public string? Credential { get; init; }

    /// <summary>Why the answer is not shown; null when it is.</summary>
    public Reason? Withheld { get; private set; }

    /// <summary>What a change made, in words.</summary>
    public string? Made { get; private set; }

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        proxyRequest.RequestUri = UpstreamHeaders.AddressOf(upstream, result.UpstreamTarget);
        UpstreamHeaders.WriteAuthorized(proxyRequest, httpContext, result, RequestContext.Of(httpContext).RequestId);
        if (Credential is { } credential)
        {
            HeadscaleHandler.SetCredential(proxyRequest, credential);
        }

        if (proxyRequest.Content is { } content)
        {
            content.Headers.ContentType = new MediaTypeHeaderValue(result.UpstreamBodyType);
            content.Headers.ContentLength = httpContext.Request.ContentLength;
        }

        return ValueTask.CompletedTask;
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return true;
        }

        if (isHeadscale && await HeadscaleAnswers.IsKeyRejectedAsync(proxyResponse, cancellationToken))
        {
            // It is the gateway's key, so it is the gateway's problem and not the caller's.
            Withheld = Reason.UpstreamKeyRejected;
            return false;
        }

        var isFiltered = proxyResponse.IsSuccessStatusCode && !filter.IsTransparent;
        CopyHeaders(proxyResponse, httpContext.Response.Headers, isFiltered);
        var isHeadscalesChange = isHeadscale && !result.Call.IsSafe && proxyResponse.IsSuccessStatusCode;
        if (!isHeadscalesChange && !isFiltered)
        {
            return true;
        }

        try
        {
            await (isHeadscalesChange
                ? AnswerChangeAsync(httpContext, proxyResponse, isFiltered, cancellationToken)
                : FilterAsync(httpContext, proxyResponse, httpContext.Response.Body, cancellationToken));
        }
        catch (OperationCanceledException) when (httpContext.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; what Headscale did is done.
        }

        return false;
    }

    private static void CopyHeaders(HttpResponseMessage answer, IHeaderDictionary headers, bool isFiltered)
    {
        foreach (var name in PassedOn)
        {
            if ((answer.Headers.NonValidated.TryGetValues(name, out var values)
                    || answer.Content.Headers.NonValidated.TryGetValues(name, out values))
                && !(isFiltered && name == "Content-Length"))
            {
                headers[name] = values.Count == 1 ? values.ToString() : values.ToArray();
            }
        }

        headers.CacheControl = "no-store";
    }

    /// <summary>What a change answers is small, and tells the audit what came to be.</summary>
    private async Task AnswerChangeAsync(HttpContext context, HttpResponseMessage answer, bool isFiltered, CancellationToken cancel)
    {
        using var whole = new MemoryStream();
        if (isFiltered)
        {
            await FilterAsync(context, answer, whole, cancel);
        }
        else
        {
            await answer.Content.CopyToAsync(whole, cancel);
        }

        if (Withheld is null)
        {
            Made = ChangeSubjects.MadeBy(whole.GetBuffer().AsSpan(0, (int)whole.Length));
            context.Response.ContentLength = whole.Length;
            whole.Position = 0;
            await whole.CopyToAsync(context.Response.Body, cancel);
        }
    }

    private async Task FilterAsync(HttpContext context, HttpResponseMessage answer, Stream to, CancellationToken cancel)
    {
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancel);
            await filter.CopyAsync(body, to, cancel);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or HttpRequestException or IOException)
        {
            Withheld = Reason.UpstreamNotUnderstood;
            if (context.Response.HasStarted)
            {
                // A part of the list is with the caller already: the broken connection says that it is only a part.
                context.Abort();
            }
        }
    }
}
