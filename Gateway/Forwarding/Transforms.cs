using System.Net.Http.Headers;
using Gateway.Edge;
using Gateway.Identity;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>What goes upstream: as it came on the client plane, an allow-list on the API plane.</summary>
internal sealed class Transforms : ITransformProvider
{
    private static readonly string[] _upgrades = ["tailscale-control-protocol", "DERP", "websocket"];

    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context)
    {
        context.UseDefaultForwarders = false;
        context.AddRequestTransform(SendAsync);
        context.AddResponseTransform(Answers.ReceiveAsync);
    }

    private static ValueTask SendAsync(RequestTransformContext context)
    {
        var http = context.HttpContext;
        var received = http.Features.GetRequiredFeature<RequestContext>();
        switch (http.Features.GetRequiredFeature<ForwardingPlan>())
        {
            case ForwardingPlan.PassThrough untouched:
                SendUntouched(context, received, untouched);
                break;
            case ForwardingPlan.Rewritten judged:
                SendJudged(context, received, judged);
                break;
        }

        return ValueTask.CompletedTask;
    }

    private static void SendUntouched(RequestTransformContext context, RequestContext received, ForwardingPlan.PassThrough untouched)
    {
        var (request, http) = (context.ProxyRequest, context.HttpContext);
        request.RequestUri = Address(context.DestinationPrefix, http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);

        // With it, a DERP server would skip the HTTP answer that everybody in between waits for.
        request.Headers.Remove("Derp-Fast-Start");

        // grpc-gateway would take the call for another one than it says it is.
        request.Headers.Remove("X-HTTP-Method-Override");
        if (http.Request.Headers.Cookie is { Count: > 0 } cookies)
        {
            request.Headers.Remove("Cookie");
            if (SessionCookie.WithoutOwn(cookies.ToString()) is { } foreign)
            {
                request.Headers.TryAddWithoutValidation("Cookie", foreign);
            }
        }

        request.Headers.Host = untouched.KeepsHost && http.Request.Host.HasValue ? http.Request.Host.Value : null;
        AddForwarded(request.Headers, http, received);
        if (untouched.IsTunnel)
        {
            AskForUpgrade(request, http);
        }
    }

    private static void SendJudged(RequestTransformContext context, RequestContext received, ForwardingPlan.Rewritten judged)
    {
        var (request, http) = (context.ProxyRequest, context.HttpContext);
        request.RequestUri = Address(context.DestinationPrefix, judged.Target);
        request.Headers.Clear();
        foreach (var (name, value) in judged.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (!request.Headers.Contains("Accept"))
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        }

        if (http.Request.Headers.UserAgent is [{ Length: > 0 and <= 256 } agent])
        {
            request.Headers.TryAddWithoutValidation("User-Agent", agent);
        }

        request.Headers.TryAddWithoutValidation("X-Request-Id", received.RequestId);
        AddForwarded(request.Headers, http, received);
        if (judged.Key is { } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Reveal());
        }

        if (request.Content is { } content)
        {
            content.Headers.Clear();
            if (judged.Body is { } body)
            {
                content.Headers.ContentType = new MediaTypeHeaderValue(judged.BodyType);
                content.Headers.ContentLength = body.Length;
            }
        }
    }

    /// <summary>Whatever a client said about these is gone; Headscale hears them from us alone.</summary>
    private static void AddForwarded(HttpRequestHeaders headers, HttpContext http, RequestContext received)
    {
        if (received.Peer.Client?.ToString() is { } client)
        {
            headers.TryAddWithoutValidation("X-Forwarded-For", client);
            headers.TryAddWithoutValidation("X-Real-IP", client);
        }

        headers.TryAddWithoutValidation("X-Forwarded-Proto", received.Peer.Scheme);
        if (http.Request.Host is { HasValue: true, Value: var host })
        {
            headers.TryAddWithoutValidation("X-Forwarded-Host", host);
        }
    }

    /// <summary>YARP recognises WebSocket and SPDY alone (dotnet/yarp #2495); the method stays as it is.</summary>
    private static void AskForUpgrade(HttpRequestMessage request, HttpContext http)
    {
        var wanted = http.Request.Headers.Upgrade.ToString();
        if (http.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && Array.Exists(_upgrades, one => one.Equals(wanted, StringComparison.OrdinalIgnoreCase)))
        {
            request.Headers.Remove("Connection");
            request.Headers.Remove("Upgrade");
            request.Headers.TryAddWithoutValidation("Connection", "upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", wanted);
        }
    }

    /// <summary>The target byte for byte: no part of .NET may normalise what was judged.</summary>
    private static Uri Address(string prefix, string target) =>
        new(prefix.TrimEnd('/') + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
}
