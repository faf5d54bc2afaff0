using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Edge;
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
    private readonly ConfigurationMonitor _monitor;
    private readonly ResiliencePipeline<HttpResponseMessage> _resilience;
    private readonly Lock _gate = new();
    private (HeadscaleSettings Settings, HttpMessageInvoker Http)? _current;

    public HeadscaleClient(ConfigurationMonitor monitor, TimeProvider clock)
    {
        _monitor = monitor;
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

    /// <summary>The product token of our own calls.</summary>
    public static string UserAgent { get; } =
        "Headtower-Gateway/" + (InformationalVersion?.Split('+')[0] ?? "0");

    private static string? InformationalVersion =>
        typeof(HeadscaleClient).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <summary>The version that Headscale reports; 0.26 has no such page and answers 404.</summary>
    /// <exception cref="HeadscaleException">Headscale cannot be reached, or the answer is not one of Headscale's.</exception>
    public async Task<HeadscaleVersion> GetVersionAsync(CancellationToken cancel)
    {
        using var response = await SendAsync("/version", null, cancel);
        if (response.StatusCode is HttpStatusCode.NotFound)
        {
            return HeadscaleVersion.Oldest;
        }

        var answer = await ReadAsync(response, HeadscaleJson.Default.VersionAnswer, cancel);
        return HeadscaleVersion.Parse(answer.Version ?? "")
            ?? throw new HeadscaleException(Reason.UpstreamNotUnderstood, "/version holds no version of Headscale");
    }

    public async Task<IReadOnlyList<HeadscaleUser>> ListUsersAsync(CancellationToken cancel) =>
        (await GetAsync("/api/v1/user", HeadscaleJson.Default.UserList, cancel))?.Users ?? [];

    public async Task<IReadOnlyList<HeadscaleApiKey>> ListApiKeysAsync(CancellationToken cancel) =>
        (await GetAsync("/api/v1/apikey", HeadscaleJson.Default.ApiKeyList, cancel))?.ApiKeys ?? [];

    /// <summary>What Headscale knows of a key that somebody shows; null when it lists no such key.</summary>
    /// <exception cref="HeadscaleException">Headscale rejects the key (<see cref="Reason.UpstreamKeyRejected"/>) or did not
    /// answer.</exception>
    public async Task<HeadscaleApiKey?> FindApiKeyAsync(Secret key, CancellationToken cancel) =>
        (await GetAsync("/api/v1/apikey", HeadscaleJson.Default.ApiKeyList, cancel, key))?.ApiKeys?.FirstOrDefault(
            one => ApiKeyFormat.IsListedAs(key.Reveal(), one.Prefix));

    /// <summary>The node, or null when there is none with that id.</summary>
    public async Task<HeadscaleNode?> FindNodeAsync(string id, HeadscaleVersion version, CancellationToken cancel)
    {
        if (version.HasTagOwnership)
        {
            return (await GetAsync($"/api/v1/node/{id}", HeadscaleJson.Default.NodeAnswer, cancel))?.Node;
        }

        // Up to 0.27 only the list tells which tags are valid, and so whether somebody owns the node.
        return (await ListNodesAsync(cancel)).FirstOrDefault(node => node.Id == id);
    }

    /// <summary>A node as it is called, or null when there is none with that id. Up to 0.27 it does not tell who owns it.</summary>
    public async Task<HeadscaleNode?> DescribeNodeAsync(string id, CancellationToken cancel) =>
        (await GetAsync($"/api/v1/node/{id}", HeadscaleJson.Default.NodeAnswer, cancel))?.Node;

    public async Task<IReadOnlyList<HeadscaleNode>> ListNodesAsync(CancellationToken cancel) =>
        (await GetAsync("/api/v1/node", HeadscaleJson.Default.NodeList, cancel))?.Nodes ?? [];

    /// <summary>The pre-auth keys that may belong to a user: his own up to 0.27, everybody's since.</summary>
    public async Task<IReadOnlyList<HeadscaleKey>> ListKeysAsync(string userId, HeadscaleVersion version, CancellationToken cancel) =>
        (await GetAsync(version.HasTagOwnership ? "/api/v1/preauthkey" : $"/api/v1/preauthkey?user={userId}",
            HeadscaleJson.Default.KeyList, cancel))?.PreAuthKeys ?? [];

    public void Dispose() => _current?.Http.Dispose();

    /// <summary>Null for 404; every other failure is an exception with its reason.</summary>
    private async Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel, Secret? key = null)
        where T : class
    {
        key ??= _monitor.Current.Settings.Headscale.ApiKey ?? throw new HeadscaleException(
            Reason.UpstreamKeyMissing, "headscale.api_key is not set");
        using var response = await SendAsync(path, key, cancel);
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound => null,
            var status when status is HttpStatusCode.Forbidden || await IsKeyRejectedAsync(response, cancel) =>
                throw new HeadscaleException(Reason.UpstreamKeyRejected, "Headscale rejects the API key"),
            _ => await ReadAsync(response, type, cancel),
        };
    }

    /// <summary>Whether an answer says that the key was not taken: 401, and for 0.26 also 500 with one word of plain text.</summary>
    public static async Task<bool> IsKeyRejectedAsync(HttpResponseMessage response, CancellationToken cancel) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized => true,
        HttpStatusCode.InternalServerError when response.Content.Headers.ContentType?.MediaType is not "application/json" =>
            (await response.Content.ReadAsStringAsync(cancel)).StartsWith("Unauthorized", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>Whether an answer says that a caller's own key was refused; 0.26 says it with 500.</summary>
    public static bool SaysKeyRefused(int status, HeadscaleVersion? version) =>
        status == StatusCodes.Status401Unauthorized
            || (status == StatusCodes.Status500InternalServerError && version is null or { Minor: 26 });

    private async Task<HttpResponseMessage> SendAsync(string path, Secret? key, CancellationToken cancel)
    {
        var settings = _monitor.Current.Settings.Headscale;
        var http = HttpFor(settings);
        try
        {
            return await _resilience.ExecuteAsync(
                async token =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(settings.Url, path));
                    request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
                    request.Headers.TryAddWithoutValidation(LoopMark.Header, LoopMark.Value);
                    request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
                    request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key.Reveal());
                    var response = await http.SendAsync(request, token);
                    await response.Content.LoadIntoBufferAsync(token);
                    return response;
                },
                cancel);
        }
        catch (Exception e) when (e is HttpRequestException or ExecutionRejectedException or IOException)
        {
            throw new HeadscaleException(Reason.UpstreamUnavailable, $"{settings.Url}: {e.Message}", e);
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        if (response.StatusCode is HttpStatusCode.LoopDetected)
        {
            throw new HeadscaleException(
                Reason.UpstreamUnavailable, "headscale.url leads back to this gateway; name the address of Headscale itself");
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new HeadscaleException(
                Reason.UpstreamUnavailable, $"{response.RequestMessage?.RequestUri?.AbsolutePath} answered {(int)response.StatusCode}");
        }

        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            return await JsonSerializer.DeserializeAsync(body, type, cancel) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new HeadscaleException(
                Reason.UpstreamNotUnderstood, $"{response.RequestMessage?.RequestUri?.AbsolutePath} did not answer with Headscale's JSON",
                e);
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
