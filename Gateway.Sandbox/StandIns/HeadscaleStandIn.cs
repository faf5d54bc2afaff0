using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Sandbox.StandIns;

/// <summary>A request as it reached the stand-in.</summary>
/// <param name="Target">The raw target.</param>
/// <param name="Headers">All header lines, names as received.</param>
/// <param name="IsOwn">Whether it was one of the gateway's own look-ups.</param>
internal sealed record Received(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, string Body, bool IsOwn)
{
    public string? Header(string name) =>
        Headers.Where(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(one => one.Value).SingleOrDefault();
}

/// <summary>A Headscale on a real port: state, API, client plane and errors of one version.</summary>
internal sealed class HeadscaleStandIn : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TailnetApi _api;
    private readonly ConcurrentQueue<Received> _received = [];
    private readonly Lock _gate = new();

    private HeadscaleStandIn(int version, WebApplication app)
    {
        (Version, _app, Tailnet) = (version, app, new Tailnet());
        _api = new TailnetApi(Tailnet, version);
        ApiKey = _api.CreateApiKey("2036-01-01T00:00:00Z").Key;
    }

    /// <summary>The minor version, 26 to 30.</summary>
    public int Version { get; }

    public Tailnet Tailnet { get; }

    public TailnetApi Api => _api;

    /// <summary>A key that it accepts.</summary>
    public string ApiKey { get; }

    public Uri Url => field ??= new(_app.Urls.Single());

    /// <summary>What was forwarded to it, without the gateway's own look-ups.</summary>
    public IReadOnlyList<Received> Forwarded => [.. _received.Where(one => !one.IsOwn)];

    public IReadOnlyList<Received> Everything => [.. _received];

    /// <summary>Set to make every API call fail with this status, as a broken Headscale would.</summary>
    public HttpStatusCode? Broken { get; set; }

    /// <summary>Called with every forwarded request before it is answered.</summary>
    public Action<Received>? Receiving { get; set; }

    /// <summary>Set to answer some calls with these bytes, whatever the state is.</summary>
    public Func<Received, byte[]?>? Prepared { get; set; }

    public static async Task<HeadscaleStandIn> StartAsync(int version, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.UseWebSockets();
        var standIn = new HeadscaleStandIn(version, app);
        app.Run(standIn.AnswerAsync);
        await app.StartAsync();
        _ = standIn.Url; // Known for good, also after it was stopped.
        return standIn;
    }

    public void Forget() => _received.Clear();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var received = new Received(
            context.Request.Method,
            target,
            [.. context.Request.Headers.SelectMany(one => one.Value.Select(line => KeyValuePair.Create(one.Key, line ?? "")))],
            body,
            context.Request.Headers.UserAgent.ToString().StartsWith("Headtower-Gateway", StringComparison.Ordinal));
        _received.Enqueue(received);
        if (!received.IsOwn)
        {
            Receiving?.Invoke(received);
        }

        if (!target.StartsWith("/api/", StringComparison.Ordinal) || (Version >= 30 && ClientPlane.IsDescription(context.Request.Path)))
        {
            await ClientPlane.AnswerAsync(context, Version);
            return;
        }

        if (Prepared?.Invoke(received) is { } prepared)
        {
            context.Response.ContentType = "application/json";
            await context.Response.Body.WriteAsync(prepared, context.RequestAborted);
            return;
        }

        try
        {
            await AnswerApiAsync(context, target, body);
        }
        catch (StandInFailure failure)
        {
            await FailAsync(context, Version < 30 && failure.Status == 404 && Version == 26 ? 500 : failure.Status, failure.Message);
        }
    }

    private async Task AnswerApiAsync(HttpContext context, string target, string body)
    {
        if (Broken is { } broken)
        {
            throw new StandInFailure((int)broken, "broken");
        }

        if (!await IsAuthorizedAsync(context))
        {
            return;
        }

        var path = target.Split('?')[0].Split('/').Skip(3).Select(Uri.UnescapeDataString).ToArray();
        JsonObject? answer;
        lock (_gate)
        {
            answer = IsV2(target)
                ? new TailnetV2(Tailnet, _api).Answer(context, path, body)
                : _api.Answer(
                    context.Request.Method, path, context.Request.Query, body.Length == 0 ? [] : JsonNode.Parse(body)!.AsObject());
        }

        if (answer is null)
        {
            await FailAsync(context, Version >= 30 ? 404 : 501, "Method Not Allowed");
            return;
        }

        if (Version < 30)
        {
            context.Response.Headers["Grpc-Metadata-Content-Type"] = "application/grpc";
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(context.Items["document"] as string ?? answer.ToJsonString());
    }

    private bool IsV2(string target) => Version >= 30 && target.StartsWith("/api/v2/", StringComparison.Ordinal);

    private async Task<bool> IsAuthorizedAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.Ordinal) && Tailnet.ApiKeys.Exists(one => one.Key == header[7..]))
        {
            return true;
        }

        // /api/v2 takes OAuth tokens, too, and either as the user name of a Basic login.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (IsV2(target)
            && (target.StartsWith("/api/v2/oauth/token", StringComparison.Ordinal)
                || header.StartsWith("Bearer hskey-oauthtok-", StringComparison.Ordinal)
                    || header.StartsWith("Basic ", StringComparison.Ordinal)))
        {
            return true;
        }

        if (Version >= 30)
        {
            await FailAsync(context, 401, "Unauthorized");
        }
        else
        {
            context.Response.StatusCode = Version == 26 && header.Length > 0 ? 500 : 401;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("Unauthorized");
        }

        return false;
    }

    private Task FailAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        if (IsV2(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget))
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(new JsonObject { ["message"] = message, ["status"] = status }.ToJsonString());
        }

        context.Response.ContentType = Version >= 30 ? "application/problem+json" : "application/json";
        JsonObject error = Version >= 30
            ? new() { ["title"] = ((HttpStatusCode)status).ToString(), ["status"] = status, ["detail"] = message }
            : new()
            {
                ["code"] = status switch { 400 => 3, 404 => 5, 501 => 12, _ => 2 },
                ["message"] = message,
                ["details"] = new JsonArray(),
            };
        return context.Response.WriteAsync(error.ToJsonString());
    }
}
