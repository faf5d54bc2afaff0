using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Gateway.Edge;
using Gateway.Headscale.Grpc;
using Gateway.Policy;
using Gateway.Settings;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Gateway.Headscale;

/// <summary>Why one of our own calls to Headscale brought nothing.</summary>
internal sealed class HeadscaleException(Reason reason, string message, Exception? inner = null) : Exception(message, inner)
{
    public Reason Reason => reason;
}

/// <summary>Our own calls to Headscale: few, retried and circuit-broken. Forwarded calls never come through here.</summary>
internal sealed class HeadscaleClient : IDisposable
{
    private static readonly TimeSpan _foundFor = TimeSpan.FromMinutes(1);

    private readonly HeadscaleHandler _handler;
    private readonly HttpMessageInvoker _judged;
    private readonly ConfigurationMonitor _monitor;
    private readonly ResiliencePipeline<HttpResponseMessage> _resilience;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private Tuple<FoundVersion, long>? _found;
    private (HeadscaleSettings Settings, HttpMessageInvoker Http)? _current;

    /// <param name="handler">The way of the gateway's own calls.</param>
    public HeadscaleClient(ConfigurationMonitor monitor, HeadscaleHandler handler, TimeProvider clock)
    {
        (_monitor, _handler, _clock, _judged) = (monitor, handler, clock, new HttpMessageInvoker(handler));
        _resilience = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromMilliseconds(100),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                    .Handle<HttpRequestException>()
                    .HandleResult(
                        answer => answer.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
                            or HttpStatusCode.GatewayTimeout),
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                MinimumThroughput = 8,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(2),
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>()
                    .Handle<TimeoutRejectedException>(),
            })
            .AddTimeout(TimeSpan.FromSeconds(5))
            .Build();
    }

    /// <summary>
    /// What happened, in words of ours where a library speaks of itself; the innermost cause of what TLS calls "see inner exception".
    /// </summary>
    private static string WordsOf(Exception failure) => failure switch
    {
        TimeoutRejectedException => "Headscale did not answer within 5 seconds",
        BrokenCircuitException => "Headscale failed several times in a row and is asked again in a moment",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
            $"TLS failed: {failure.GetBaseException().Message.TrimEnd('.')}; an unknown authority is named by headscale.tls_ca_path, and "
            + "where Headscale speaks plain HTTP the address begins with http://",
        _ => failure.Message,
    };

    /// <summary>Why Headscale's socket did not serve last time; null when it did, or when there is none.</summary>
    public string? SocketTrouble => _handler.SocketTrouble;

    /// <summary>The client of a verb, with connections of its own.</summary>
    public static HeadscaleClient Of(ConfigurationMonitor monitor) =>
        new(monitor, new HeadscaleHandler(monitor, new UpstreamConnections()), TimeProvider.System);

    /// <summary>The product token of our own calls.</summary>
    public static string UserAgent { get; } =
        "Headtower-Gateway/" + ProductVersion.Short;

    /// <summary>Says of a request that it is one of our own.</summary>
    public static void Sign(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation(LoopMark.Header, LoopMark.Value);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>Finds the version: it is set, or named, or found out by what there is and what is not.</summary>
    /// <exception cref="HeadscaleException">Headscale cannot be reached, or the answer is not one of Headscale's.</exception>
    public async Task<FoundVersion> GetVersionAsync(CancellationToken cancel)
    {
        using var response = await SendAsync(VersionPage.Path, null, null, cancel);
        var named = await VersionPage.ReadAsync(response, cancel);
        return _monitor.Current.Settings.Headscale.Version is { } minor ? new(new(minor), VersionSource.Setting)
            : named is { } version ? new(version, VersionSource.Named)
            : await _handler.SocketVersionAsync(cancel) is { } spoken ? new(spoken, VersionSource.Operations)
            : await FoundAsync(cancel);
    }

    public async Task<IReadOnlyList<HeadscaleUser>> ListUsersAsync(CancellationToken cancel) =>
        (await GetAsync("/api/v1/user", GrpcRequest.Of("ListUsers"), HeadscaleJson.Default.UserList, cancel))?.Users ?? [];

    public async Task<IReadOnlyList<HeadscaleApiKey>> ListApiKeysAsync(CancellationToken cancel) =>
        (await GetAsync("/api/v1/apikey", GrpcRequest.Of("ListApiKeys"), HeadscaleJson.Default.ApiKeyList, cancel))?.ApiKeys ?? [];

    /// <summary>What Headscale knows of a key that somebody shows; null when it lists no such key.</summary>
    /// <exception cref="HeadscaleException">Headscale rejects the key (<see cref="Reason.UpstreamKeyRejected"/>) or did not
    /// answer.</exception>
    public async Task<HeadscaleApiKey?> FindApiKeyAsync(Secret key, CancellationToken cancel) =>
        (await GetAsync("/api/v1/apikey", null, HeadscaleJson.Default.ApiKeyList, cancel, key))?.ApiKeys?.FirstOrDefault(
            one => ApiKeyFormat.IsListedAs(key.Reveal(), one.Prefix));

    /// <summary>The node, or null when there is none with that id.</summary>
    public async Task<HeadscaleNode?> FindNodeAsync(string id, HeadscaleVersion version, CancellationToken cancel)
    {
        if (version.HasTagOwnership)
        {
            return await DescribeNodeAsync(id, cancel);
        }

        // Up to 0.27 only the list tells which tags are valid, and so whether somebody owns the node.
        return (await ListNodesAsync(cancel)).FirstOrDefault(node => node.Id == id);
    }

    /// <summary>A node as it is called, or null when there is none with that id. Up to 0.27 it does not tell who owns it.</summary>
    public async Task<HeadscaleNode?> DescribeNodeAsync(string id, CancellationToken cancel) =>
        (await GetAsync(
            $"/api/v1/node/{id}", GrpcRequest.Of("GetNode", ("nodeId", id)), HeadscaleJson.Default.NodeAnswer, cancel))?.Node;

    public async Task<IReadOnlyList<HeadscaleNode>> ListNodesAsync(CancellationToken cancel) =>
        (await GetAsync("/api/v1/node", GrpcRequest.Of("ListNodes"), HeadscaleJson.Default.NodeList, cancel))?.Nodes ?? [];

    /// <summary>The pre-auth keys that may belong to a user: his own up to 0.27, everybody's since.</summary>
    public async Task<IReadOnlyList<HeadscaleKey>> ListKeysAsync(string userId, HeadscaleVersion version, CancellationToken cancel) =>
        (await (version.HasTagOwnership
            ? GetAsync("/api/v1/preauthkey", GrpcRequest.Of("ListPreAuthKeys"), HeadscaleJson.Default.KeyList, cancel)
            : GetAsync($"/api/v1/preauthkey?user={userId}", GrpcRequest.Of("ListPreAuthKeys", ("user", userId)),
                HeadscaleJson.Default.KeyList, cancel)))?.PreAuthKeys ?? [];

    public void Dispose()
    {
        _current?.Http.Dispose();
        _judged.Dispose();
    }

    /// <summary>Null for 404; every other failure is an exception with its reason.</summary>
    /// <param name="key">Somebody else's key, which Headscale judges; null: this is the gateway's own call.</param>
    private async Task<T?> GetAsync<T>(
        string path, GrpcRequest? call, JsonTypeInfo<T> type, CancellationToken cancel, Secret? key = null)
        where T : class
    {
        if (key is null && !_monitor.Current.Settings.Headscale.ServesPeople)
        {
            throw new HeadscaleException(Reason.UpstreamKeyMissing, "neither headscale.socket nor headscale.api_key is set");
        }

        using var response = await SendAsync(path, call, key, cancel);
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound => null,
            var status when status is HttpStatusCode.Forbidden || await HeadscaleAnswers.IsKeyRejectedAsync(response, cancel) =>
                throw new HeadscaleException(Reason.UpstreamKeyRejected, "Headscale rejects the API key"),
            _ => await HeadscaleAnswers.ReadAsync(response, type, cancel),
        };
    }

    /// <param name="call">The same by gRPC, where the gateway itself asks; null: it goes over TCP.</param>
    /// <param name="key">Somebody else's key; null for none.</param>
    private async Task<HttpResponseMessage> SendAsync(string path, GrpcRequest? call, Secret? key, CancellationToken cancel)
    {
        var settings = _monitor.Current.Settings.Headscale;
        var http = call is null ? HttpFor(settings) : _judged;
        try
        {
            return await _resilience.ExecuteAsync(
                async token =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(settings.Url, path));
                    Sign(request);
                    request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key.Reveal());
                    HeadscaleHandler.SetCall(request, call);
                    var response = await http.SendAsync(request, token);
                    await response.Content.LoadIntoBufferAsync(token);
                    return response;
                },
                cancel);
        }
        catch (Exception e) when (e is HttpRequestException or ExecutionRejectedException or IOException)
        {
            var where = call is not null && SocketTrouble is null && settings.Socket is { } socket ? socket : $"{settings.Url}";
            throw new HeadscaleException(Reason.UpstreamUnavailable, $"{where}: {WordsOf(e)}", e);
        }
    }

    /// <summary>Each call with a key costs Headscale a tenth of a second, so what was found counts for a minute.</summary>
    private async Task<FoundVersion> FoundAsync(CancellationToken cancel)
    {
        if (_found is not var (version, at) || _clock.GetElapsedTime(at) > _foundFor)
        {
            (version, at) = (await FindVersionAsync(cancel), _clock.GetTimestamp());
            _found = new(version, at);
        }

        return version;
    }

    /// <summary>
    /// Finds the version of a Headscale that names none, over TCP and by what changes nothing. Answers have to be JSON: 0.28 says
    /// 200 with an empty page to everything that it does not have.
    /// </summary>
    private async Task<FoundVersion> FindVersionAsync(CancellationToken cancel)
    {
        if (_monitor.Current.Settings.Headscale.ApiKey is not { } key)
        {
            return new(HeadscaleVersion.Newest, VersionSource.Assumed);
        }

        return new(
            await IsThereAsync(HttpMethod.Get, "/api/v2/tailnet/-/settings", key, cancel) ? new(30)
            : await IsThereAsync(HttpMethod.Post, "/api/v1/policy/check", key, cancel) ? new(29)
            : await IsThereAsync(HttpMethod.Get, "/api/v1/preauthkey", key, cancel) ? new(28)
            : await IsThereAsync(HttpMethod.Get, "/api/v1/health", key, cancel) ? new(27)
            : HeadscaleVersion.Oldest,
            VersionSource.Operations);
    }

    private async Task<bool> IsThereAsync(HttpMethod method, string path, Secret key, CancellationToken cancel)
    {
        var settings = _monitor.Current.Settings.Headscale;
        using var question = new HttpRequestMessage(method, new Uri(settings.Url, path));
        Sign(question);
        question.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Reveal());
        question.Content = method == HttpMethod.Post ? new StringContent("{}", Encoding.UTF8, "application/json") : null;
        try
        {
            using var answer = await HttpFor(settings).SendAsync(question, cancel);
            var isTaken = answer.IsSuccessStatusCode || (method == HttpMethod.Post && answer.StatusCode is HttpStatusCode.BadRequest);
            return isTaken && answer.Content.Headers.ContentType?.MediaType is { } type && type.EndsWith("json", StringComparison.Ordinal);
        }
        catch (HttpRequestException e)
        {
            throw new HeadscaleException(Reason.UpstreamUnavailable, $"{settings.Url}: {WordsOf(e)}", e);
        }
    }

    /// <summary>Connections are kept until the settings they were made from are replaced.</summary>
    private HttpMessageInvoker HttpFor(HeadscaleSettings settings)
    {
        lock (_gate)
        {
            if (_current is not { } current || current.Settings != settings)
            {
                _current = current = (settings, new HttpMessageInvoker(UpstreamSockets.Create(settings.TlsCaPath)));
            }

            return current.Http;
        }
    }
}
