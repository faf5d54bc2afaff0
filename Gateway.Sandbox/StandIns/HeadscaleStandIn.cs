using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Headscale.Grpc;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Sandbox.StandIns;

/// <summary>A request as it reached the stand-in.</summary>
/// <param name="Target">The raw target.</param>
/// <param name="Headers">All header lines, names as received.</param>
/// <param name="IsOwn">Whether it was one of the gateway's own look-ups.</param>
internal sealed record Received(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, string Body, bool IsOwn)
{
    /// <summary>Whether it came over the socket, where nobody is asked for a key.</summary>
    public bool IsLocal { get; init; }

    public string? Header(string name) =>
        Headers.Where(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(one => one.Value).SingleOrDefault();
}

/// <summary>A Headscale on a real port: state, API, client plane and errors of one version.</summary>
internal sealed partial class HeadscaleStandIn : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TailnetApi _api;
    private readonly GrpcFace _grpc;
    private readonly ConcurrentQueue<Received> _received = [];
    private readonly Lock _gate = new();

    private HeadscaleStandIn(int version, WebApplication app, string? socket, Tailnet tailnet)
    {
        (Version, _app, Tailnet, Socket) = (version, app, tailnet, socket);
        (_api, _grpc) = (new TailnetApi(Tailnet, version), new GrpcFace(version));
        ApiKey = _api.CreateApiKey("2036-01-01T00:00:00Z").Key;
    }

    /// <summary>The minor version, 26 to 30.</summary>
    public int Version { get; }

    public Tailnet Tailnet { get; }

    /// <summary>The path of its socket; null for none.</summary>
    public string? Socket { get; }

    /// <summary>What <c>/version</c> names in place of the version; builds from a source archive say "dev".</summary>
    public string? Named { get; set; }

    /// <summary>What the check of a key costs; Headscale compares a bcrypt hash, which takes it 60 to 100 ms.</summary>
    public KeyCost? KeyCost { get; set; }

    public TailnetApi Api => _api;

    /// <summary>A key that it accepts.</summary>
    public string ApiKey { get; }

    public Uri Url => field ??= new(_app.Urls.Single(one => !one.Contains("unix:", StringComparison.Ordinal)));

    /// <summary>What was forwarded to it, without the gateway's own look-ups.</summary>
    public IReadOnlyList<Received> Forwarded => [.. _received.Where(one => !one.IsOwn)];

    public IReadOnlyList<Received> Everything => [.. _received];

    /// <summary>Set to make every API call fail with this status, as a broken Headscale would.</summary>
    public HttpStatusCode? Broken { get; set; }

    /// <summary>Called with every forwarded request before it is answered.</summary>
    public Action<Received>? Receiving { get; set; }

    /// <summary>Set to answer some calls with these bytes, whatever the state is.</summary>
    public Func<Received, byte[]?>? Prepared { get; set; }

    /// <param name="socket">The path of a socket to listen at as well.</param>
    /// <param name="isFresh">Whether it begins as a Headscale with a new database: without a policy, numbers from 1.</param>
    public static async Task<HeadscaleStandIn> StartAsync(int version, int port = 0, string? socket = null, bool isFresh = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            if (socket is not null)
            {
                // As Headscale does, it takes the place of what an earlier one left.
                File.Delete(socket);
                kestrel.ListenUnixSocket(socket, listen => listen.Protocols = version >= 30 ? HttpProtocols.Http1 : HttpProtocols.Http2);
            }
        });
        var app = builder.Build();
        app.UseWebSockets();
        var standIn = new HeadscaleStandIn(version, app, socket, new Tailnet(isFresh));
        app.Run(standIn.AnswerAsync);
        await app.StartAsync();
        _ = standIn.Url; // Known for good, also after it was stopped.
        return standIn;
    }

    public void Forget() => _received.Clear();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        context.Request.Body = buffer;
        var (body, isLocal) = (buffer.ToArray(), context.Connection.LocalIpAddress is null);
        if (isLocal && Version <= GrpcMethods.LastMinor)
        {
            await AnswerGrpcAsync(context, body);
            return;
        }

        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var received = Receive(
            context, context.Request.Method, target, Encoding.UTF8.GetString(body),
            context.Request.Headers.UserAgent.ToString().StartsWith("Headtower-Gateway", StringComparison.Ordinal), isLocal);
        if (isLocal && !target.StartsWith("/api/", StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (target == "/version" && Named is { } named)
        {
            await context.Response.WriteAsJsonAsync(new JsonObject { ["version"] = named, ["commit"] = "unknown" });
            return;
        }

        var route = Route.Of(Version, target);
        if (route.Kind == RouteKind.Clean)
        {
            (context.Response.StatusCode, context.Response.Headers.Location) = (StatusCodes.Status301MovedPermanently, route.Location);
        }
        else if (route.Kind == RouteKind.ClientPlane || (Version >= 30 && ClientPlane.IsDescription(context.Request.Path)))
        {
            await ClientPlane.AnswerAsync(context, Version);
        }
        else if (Prepared?.Invoke(received) is { } prepared && (isLocal || await IsAuthorizedAsync(context)))
        {
            context.Response.ContentType = "application/json";
            await context.Response.Body.WriteAsync(prepared, context.RequestAborted);
        }
        else
        {
            await AnswerApiAsync(context, route, received);
        }
    }

    private Received Receive(HttpContext context, string method, string target, string body, bool isOwn, bool isLocal)
    {
        var received = new Received(
            method, target,
            [.. context.Request.Headers.SelectMany(one => one.Value.Select(line => KeyValuePair.Create(one.Key, line ?? "")))],
            body, isOwn)
        { IsLocal = isLocal };
        if (KeyCost is null)
        {
            // A benchmark wants to hear of the costs alone.
            _received.Enqueue(received);
        }

        if (!isOwn)
        {
            Receiving?.Invoke(received);
        }

        return received;
    }

    private JsonObject? Answer(string verb, string[] path, string query, string? type, string body)
    {
        if (Broken is { } broken)
        {
            throw new StandInFailure((int)broken, "broken");
        }

        lock (_gate)
        {
            return _api.Answer(verb, path, query, type, body);
        }
    }

    private async Task AnswerApiAsync(HttpContext context, Route route, Received received)
    {
        try
        {
            var other = route.Kind == RouteKind.V1 ? new RequestForm(Version).All(route.Segments).ToArray() : [];
            var isOtherMethod = other.Length > 0 && other.All(one => one.Verb != received.Method);
            if (isOtherMethod && (Version >= 30 || (Version == 29 && received.Method == "PROPFIND")))
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                context.Response.Headers.Allow = Version < 30 ? default
                    : other.Select(one => one.Verb).Order(StringComparer.Ordinal).First();
                return;
            }

            if (!received.IsLocal && Broken is null && !await IsAuthorizedAsync(context))
            {
                return;
            }

            if (context.Request.Headers["Grpc-Timeout"] == "1n" && Version <= GrpcMethods.LastMinor)
            {
                throw new StandInFailure(504, "context deadline exceeded");
            }

            await AnswerApiAsync(context, route, received, isOtherMethod);
        }
        catch (StandInFailure failure)
        {
            await FailAsync(context, failure);
        }
    }

    private async Task AnswerApiAsync(HttpContext context, Route route, Received received, bool isOtherMethod)
    {
        var query = received.Target.Split('?', 2).ElementAtOrDefault(1) ?? "";
        JsonObject? answer = null;
        if (route.Kind == RouteKind.V2 && Broken is null)
        {
            lock (_gate)
            {
                answer = new TailnetV2(Tailnet, _api).Answer(context, route.Segments, received.Body);
            }
        }
        else if (Broken is not null || route.Kind == RouteKind.V1)
        {
            // Up to 0.29 a form may say that it is a query.
            var isForm = Version <= GrpcMethods.LastMinor && context.Request.Headers["X-HTTP-Method-Override"] == "GET"
                && context.Request.ContentType == "application/x-www-form-urlencoded";
            answer = isForm ? Answer("GET", route.Segments, received.Body, null, "")
                : Answer(received.Method, route.Segments, query, context.Request.ContentType, received.Body);
        }

        if (answer is null && (Version > GrpcMethods.LastMinor || route.Kind == RouteKind.OtherApi))
        {
            await ClientPlane.NotFoundAsync(context, Version);
            return;
        }

        if (Version < 30)
        {
            context.Response.Headers["Grpc-Metadata-Content-Type"] = "application/grpc";
        }

        if (answer is null)
        {
            throw isOtherMethod ? new StandInFailure(501, "Method Not Allowed") : new StandInFailure(404, "Not Found");
        }

        context.Response.ContentType ??= "application/json";
        await context.Response.WriteAsync(context.Items["document"] as string ?? answer.ToJsonString());
    }

    private bool IsV2(string target) => Version >= 30 && target.StartsWith("/api/v2/", StringComparison.Ordinal);
}
