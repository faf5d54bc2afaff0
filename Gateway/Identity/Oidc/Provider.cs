using Gateway.Policy;
using Gateway.Settings;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>What is known about the provider: from its discovery document, from the settings, and its keys.</summary>
internal sealed record ProviderMetadata
{
    public required string Issuer { get; init; }

    public required string AuthorizationEndpoint { get; init; }

    public required string TokenEndpoint { get; init; }

    public string? UserInfoEndpoint { get; init; }

    public string? EndSessionEndpoint { get; init; }

    public required string KeysEndpoint { get; init; }

    /// <summary>The ways in which the token endpoint lets clients show themselves; empty when it does not say.</summary>
    public required IReadOnlyList<string> ClientAuthentications { get; init; }

    /// <summary>Whether every answer names its issuer (RFC 9207), so that one without must be refused.</summary>
    public required bool NamesIssuer { get; init; }

    public required IReadOnlyList<JsonWebKey> Keys { get; init; }
}

/// <summary>Whether people can sign in at the provider, and if not, why.</summary>
/// <param name="Metadata">Null until the provider answered once.</param>
/// <param name="Trouble">What is wrong now, in words; null when nothing is.</param>
internal sealed record ProviderStatus(ProviderMetadata? Metadata, string? Trouble);

/// <summary>
/// Finds out about the provider in the background, so that nobody waits for one that is down: at once, every few seconds
/// until it answers, and now and then after that. Starting the gateway never depends on it.
/// </summary>
internal sealed partial class Provider : BackgroundService
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _refresh = TimeSpan.FromHours(1);
    private static readonly TimeSpan _betweenRefreshes = TimeSpan.FromSeconds(1);

    private readonly Live<Configuration> _live;
    private readonly ProviderHttp _http;
    private readonly TimeProvider _clock;
    private readonly ILogger<Provider> _log;
    private readonly SemaphoreSlim _one = new(1);
    private volatile Known? _known;
    private long _refreshedAt;
    private CancellationTokenSource _changed = new();

    public Provider(Live<Configuration> live, ProviderHttp http, TimeProvider clock, ILogger<Provider> log)
    {
        (_live, _http, _clock, _log) = (live, http, clock, log);
        live.OnReplaced(_ => Interlocked.Exchange(ref _changed, new CancellationTokenSource()).Cancel());
    }

    /// <summary>Null when sign-in with a provider is not configured.</summary>
    public ProviderStatus? Status => _live.Current.Settings.Oidc is not { } settings ? null
        : KnownOf(settings)?.Status ?? new ProviderStatus(null, "the provider was not asked yet");

    /// <summary>What is known; asks when nothing is.</summary>
    /// <exception cref="SignInException">It cannot be used; the message says why.</exception>
    public async ValueTask<ProviderMetadata> GetAsync(CancellationToken cancel) =>
        Status?.Metadata ?? (await AskAsync(known => _clock.GetElapsedTime(known.At) < _retry, cancel)).Metadata ?? throw new SignInException(SignInFailure.ProviderUnavailable, Status?.Trouble ?? "no provider is configured");

    /// <summary>
    /// Fetches everything anew because of a token that does not go with the keys in <paramref name="seen"/>: at most once a
    /// second, and not when somebody else did meanwhile.
    /// </summary>
    public async Task<ProviderMetadata> RefreshAsync(ProviderMetadata seen, CancellationToken cancel) =>
        (await AskAsync(known => known.Status.Metadata != seen || !MayRefresh(), cancel)).Metadata ?? seen;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            using var wake = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, Volatile.Read(ref _changed).Token);
            try
            {
                var isFine = _live.Current.Settings.Oidc is null || await AskAsync(_ => false, wake.Token) is { Trouble: null };
                await Task.Delay(isFine ? _refresh : _retry, _clock, wake.Token);
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // The configuration changed: ask the provider that it names now.
            }
        }
    }

    /// <summary>Everybody who needs an answer at the same time shares one.</summary>
    /// <param name="isEnough">Whether what is known will do.</param>
    private async Task<ProviderStatus> AskAsync(Func<Known, bool> isEnough, CancellationToken cancel)
    {
        if (_live.Current.Settings.Oidc is not { } settings)
        {
            return new(null, "no provider is configured");
        }

        await _one.WaitAsync(cancel);
        try
        {
            var before = KnownOf(settings);
            if (before is not null && isEnough(before))
            {
                return before.Status;
            }

            var status = await FetchAsync(settings, before?.Status.Metadata, cancel);
            Report(before?.Status, status);
            _known = new Known(settings, status, _clock.GetTimestamp());
            return status;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Asked by one at a time: whoever sends rubbish must not make us hammer the provider.</summary>
    private bool MayRefresh()
    {
        if (_refreshedAt != 0 && _clock.GetElapsedTime(_refreshedAt) < _betweenRefreshes)
        {
            return false;
        }

        _refreshedAt = _clock.GetTimestamp();
        return true;
    }

    /// <summary>What was found out about the provider of these settings and no others.</summary>
    private Known? KnownOf(OidcSettings settings) => _known?.Settings == settings ? _known : null;

    /// <summary>A provider that fails after it once answered keeps what it said: its keys are still its keys.</summary>
    private async Task<ProviderStatus> FetchAsync(OidcSettings settings, ProviderMetadata? before, CancellationToken cancel)
    {
        try
        {
            var document = settings.Endpoints.AreComplete ? new OpenIdConnectConfiguration { Issuer = settings.Issuer } : await DiscoverAsync(settings, cancel);
            var metadata = Combine(settings, document);
            var keys = await GetAsync(metadata.KeysEndpoint, text => new JsonWebKeySet(text), cancel);
            return new(metadata with { Keys = [.. keys.Keys] }, keys.Keys.Count == 0 ? $"{metadata.KeysEndpoint} has no keys" : null);
        }
        catch (SignInException e)
        {
            return new(before, e.Message);
        }
    }

    private async Task<OpenIdConnectConfiguration> DiscoverAsync(OidcSettings settings, CancellationToken cancel)
    {
        var document = await GetAsync(settings.Issuer.TrimEnd('/') + "/.well-known/openid-configuration", OpenIdConnectConfiguration.Create, cancel);
        return document.Issuer == settings.Issuer ? document : throw Unusable(document.Issuer?.TrimEnd('/') == settings.Issuer.TrimEnd('/')
            ? $"the provider calls itself '{document.Issuer}'; write oidc.issuer exactly so, with or without the slash at its end"
            : $"the provider calls itself '{document.Issuer}', and oidc.issuer is '{settings.Issuer}'");
    }

    private static ProviderMetadata Combine(OidcSettings settings, OpenIdConnectConfiguration document)
    {
        var by = settings.Endpoints;
        return new ProviderMetadata
        {
            Issuer = settings.Issuer,
            AuthorizationEndpoint = Required(by.Authorization, document.AuthorizationEndpoint, "authorization_endpoint"),
            TokenEndpoint = Required(by.Token, document.TokenEndpoint, "token_endpoint"),
            UserInfoEndpoint = by.UserInfo?.OriginalString ?? document.UserInfoEndpoint,
            EndSessionEndpoint = by.EndSession?.OriginalString ?? document.EndSessionEndpoint,
            KeysEndpoint = Required(by.Keys, document.JwksUri, "jwks_uri"),
            ClientAuthentications = [.. document.TokenEndpointAuthMethodsSupported],
            NamesIssuer = document.AdditionalData.TryGetValue("authorization_response_iss_parameter_supported", out var names) && names is true,
            Keys = [],
        };
    }

    private static string Required(Uri? configured, string? published, string name) =>
        configured?.OriginalString ?? (Uri.TryCreate(published, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" ? published
            : throw Unusable($"the provider publishes no usable {name}; set oidc.{name}"));

    private async Task<T> GetAsync<T>(string address, Func<string, T> read, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        var answer = await _http.SendAsync(request, cancel);
        if (answer.Status != StatusCodes.Status200OK)
        {
            throw Unusable($"{address} answered {answer.Status}");
        }

        try
        {
            return read(answer.Body);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever a stranger's document does to a parser, it is no reason to end.
            throw Unusable($"{address} did not answer with the JSON that belongs there");
        }
    }

    private static SignInException Unusable(string detail) => new(SignInFailure.ProviderUnavailable, detail);

    private void Report(ProviderStatus? before, ProviderStatus after)
    {
        if (after.Trouble is { } trouble && trouble != before?.Trouble)
        {
            LogTrouble(trouble);
        }
        else if (after.Trouble is null && before is not { Trouble: null })
        {
            LogReady(after.Metadata!.Issuer, after.Metadata.Keys.Count);
        }
    }

    public override void Dispose()
    {
        _one.Dispose();
        _changed.Dispose();
        base.Dispose();
    }

    private sealed record Known(OidcSettings Settings, ProviderStatus Status, long At);

    [LoggerMessage(1, LogLevel.Warning, "Sign-in with the provider is unavailable: {Trouble}")]
    private partial void LogTrouble(string trouble);

    [LoggerMessage(2, LogLevel.Information, "Sign-in with {Issuer} is available; it has {Keys} keys")]
    private partial void LogReady(string issuer, int keys);
}
