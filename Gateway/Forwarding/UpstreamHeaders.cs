using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;

namespace Gateway.Forwarding;

/// <summary>
/// Writes the requests that go to Headscale. Whatever a client says about addresses, hosts and hops is gone; Headscale hears
/// them from the gateway alone.
/// </summary>
internal static class UpstreamHeaders
{
    private const int LongestUserAgent = 256;

    private static readonly UriCreationOptions _verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>What stands before the target, put together once for each upstream.</summary>
    private static readonly ConditionalWeakTable<Uri, string> _prefixes = [];

    /// <summary>An authorized call: an allow-list of headers, and the body as it was judged.</summary>
    /// <param name="reference">The reference of the call.</param>
    public static void WriteAuthorized(HttpRequestMessage message, HttpContext context, AuthorizationResult result, string reference)
    {
        var headers = message.Headers;
        foreach (var (name, value) in result.Call.Headers)
        {
            headers.TryAddWithoutValidation(name, value);
        }

        if (!result.Call.Headers.ContainsKey("Accept"))
        {
            headers.TryAddWithoutValidation("Accept", "application/json");
        }

        if (context.Request.Headers.UserAgent is [{ Length: > 0 and <= LongestUserAgent } agent])
        {
            headers.TryAddWithoutValidation("User-Agent", agent);
        }

        headers.TryAddWithoutValidation("X-Request-Id", reference);
        WriteForwarded(headers, context);
        if (RequestContext.Of(context).Configuration.Settings.Headscale.Socket is not null)
        {
            HeadscaleHandler.SetCall(message, GrpcRequest.Of(result.Decision.Rule!, result.Call));
        }
    }

    /// <summary>The body of an authorized call; null for none.</summary>
    public static HttpContent? BodyOf(AuthorizationResult result)
    {
        if (result.UpstreamBody is not { } body)
        {
            return null;
        }

        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(result.UpstreamBodyType);
        return content;
    }

    /// <summary>Who is behind the request, and that it passed here.</summary>
    public static void WriteForwarded(HttpRequestHeaders headers, HttpContext context)
    {
        var peer = RequestContext.Of(context).Peer;
        if (peer.Client?.ToString() is { } client)
        {
            headers.TryAddWithoutValidation("X-Forwarded-For", client);
            headers.TryAddWithoutValidation("X-Real-IP", client);
        }

        headers.TryAddWithoutValidation("X-Forwarded-Proto", peer.Scheme);
        if (context.Request.Host is { HasValue: true, Value: var host })
        {
            headers.TryAddWithoutValidation("X-Forwarded-Host", host);
        }

        headers.TryAddWithoutValidation(LoopMark.Header, LoopMark.Value);
    }

    /// <summary>The target byte for byte: no part of .NET may normalise what was judged.</summary>
    public static Uri AddressOf(Uri upstream, string target) =>
        new(_prefixes.GetValue(upstream, PrefixOf) + target, _verbatim);

    private static string PrefixOf(Uri upstream) => upstream.GetLeftPart(UriPartial.Authority) + upstream.AbsolutePath.TrimEnd('/');
}
