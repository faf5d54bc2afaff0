using System.Text.Json;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>Whether people can sign in at the provider, and if not, why.</summary>
/// <param name="Configuration">What it says about itself, with what the settings put in its place; null until it answered once.</param>
/// <param name="Trouble">What is wrong now, in words; null when nothing is.</param>
internal sealed record ProviderStatus(OpenIdConnectConfiguration? Configuration, string? Trouble);

/// <summary>
/// Finds out about the provider in the background, so that nobody waits for one that is down: at once, every few seconds
/// until it answers, and now and then after that. What it once said stays known while it is down. Starting the gateway
/// never depends on it.
/// </summary>
internal sealed partial class Provider : BackgroundService, IConfigurationManager<OpenIdConnectConfiguration>
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _refresh = TimeSpan.FromHours(1);
    private static readonly TimeSpan _betweenUnasked = TimeSpan.FromSeconds(1);

    private readonly ConfigurationMonitor _monitor;
    private readonly ProviderHttp _http;
    private readonly TimeProvider _clock;
    private readonly ILogger<Provider> _log;
    private readonly SemaphoreSlim _one = new(1);
    private volatile Known? _known;
    private CancellationTokenSource _changed = new();

    public Provider(ConfigurationMonitor monitor, ProviderHttp http, TimeProvider clock, ILogger<Provider> log)
    {
        (_monitor, _http, _clock, _log) = (monitor, http, clock, log);
        monitor.OnReplaced(_ => Interlocked.Exchange(ref _changed, new CancellationTokenSource()).Cancel());
    }

    /// <summary>Null when sign-in with a provider is not configured.</summary>
    public ProviderStatus? Status => _monitor.Current.Settings.Oidc is not { } settings ? null
        : KnownOf(settings)?.Status ?? new ProviderStatus(null, "the provider was not asked yet");

    /// <summary>What is known. Only before the first answer after a start does this wait for it.</summary>
    /// <exception cref="SignInException">The provider cannot be used; the message says why.</exception>
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel) =>
        Status?.Configuration ?? (await AskAsync(_ => true, cancel)).Configuration
            ?? throw new SignInException(SignInFailure.ProviderUnavailable, Status?.Trouble ?? "no provider is configured");

    /// <summary>
    /// The framework's hint that keys may have changed. They are asked for where a token shows it, within the same sign-in.
    /// </summary>
    public void RequestRefresh()
    {
    }

    /// <summary>
    /// Asks anew because a token does not go with the keys in <paramref name="seen"/>, unless somebody else did meanwhile.
    /// </summary>
    /// <param name="seen">What the token was compared with.</param>
    /// <param name="isFromProvider">Whether the provider itself gave the token. Whatever else asks for keys does so once a second at
    /// most.</param>
    /// <param name="cancel">Gives up waiting.</param>
    public async Task<OpenIdConnectConfiguration> RefreshAsync(
        OpenIdConnectConfiguration seen, bool isFromProvider, CancellationToken cancel) =>
        (await AskAsync(known => known.Status.Configuration != seen
            || (!isFromProvider && _clock.GetElapsedTime(known.At) < _betweenUnasked), cancel)).Configuration ?? seen;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            using var wake = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, Volatile.Read(ref _changed).Token);
            try
            {
                if (_monitor.Current.Settings.Oidc is not null)
                {
                    await AskAsync(known => known.Status.Trouble is null && _clock.GetElapsedTime(known.At) < _refresh, wake.Token);
                }

                // A sign-in may find trouble at any time, so this looks often and asks seldom.
                await Task.Delay(_retry, _clock, wake.Token);
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // The configuration changed: ask the provider that it names now.
            }
        }
    }

    /// <summary>Everybody who needs an answer at the same time shares one.</summary>
    /// <param name="isEnough">Whether what is known will do.</param>
    /// <param name="cancel">Gives up.</param>
    private async Task<ProviderStatus> AskAsync(Func<Known, bool> isEnough, CancellationToken cancel)
    {
        if (_monitor.Current.Settings.Oidc is not { } settings)
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

            var status = await FetchAsync(settings, before?.Status.Configuration, cancel);
            Report(before?.Status, status);
            _known = new Known(ProviderSource.Of(settings), status, _clock.GetTimestamp());
            return status;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>What was found out about the provider of these settings and no others.</summary>
    private Known? KnownOf(OidcSettings settings) => _known is { } known && known.Source == ProviderSource.Of(settings) ? known : null;

    /// <summary>A provider that fails after it once answered keeps what it said: its keys are still its keys.</summary>
    private async Task<ProviderStatus> FetchAsync(OidcSettings settings, OpenIdConnectConfiguration? before, CancellationToken cancel)
    {
        try
        {
            var document = settings.Endpoints.AreComplete
                ? new OpenIdConnectConfiguration { Issuer = settings.Issuer }
                : await DiscoverAsync(settings, cancel);
            var configuration = Combine(settings, document);
            configuration.JsonWebKeySet = await GetAsync(configuration.JwksUri, ReadKeys, cancel);
            return new(
                configuration,
                configuration.JsonWebKeySet.Keys.Count == 0 ? $"{configuration.JwksUri} has no keys that can be read" : null);
        }
        catch (SignInException e)
        {
            return new(before, e.Message);
        }
    }

    private async Task<OpenIdConnectConfiguration> DiscoverAsync(OidcSettings settings, CancellationToken cancel)
    {
        var document = await GetAsync(
            settings.Issuer.TrimEnd('/') + "/.well-known/openid-configuration", OpenIdConnectConfiguration.Create, cancel,
            WithoutDiscovery(settings));
        return document.Issuer == settings.Issuer ? document : throw Unusable(document.Issuer?.TrimEnd('/') == settings.Issuer.TrimEnd('/')
            ? $"the provider calls itself '{document.Issuer}'; write oidc.issuer exactly so, with or without the slash at its end"
            : $"the provider calls itself '{document.Issuer}', and oidc.issuer is '{settings.Issuer}'");
    }

    /// <summary>Which keys are missing where some endpoints were given by hand, for a provider that has no discovery document.</summary>
    private static string WithoutDiscovery(OidcSettings settings) => settings.Endpoints is { Missing: { Count: < 3 } missing }
        ? $"; a provider without this document needs {string.Join(" and ", missing)} as well"
        : "";

    /// <summary>What the settings name comes before what the provider publishes.</summary>
    private static OpenIdConnectConfiguration Combine(OidcSettings settings, OpenIdConnectConfiguration document)
    {
        var by = settings.Endpoints;
        document.AuthorizationEndpoint = Required(by.Authorization, document.AuthorizationEndpoint, "authorization_endpoint");
        document.TokenEndpoint = Required(by.Token, document.TokenEndpoint, "token_endpoint");
        document.JwksUri = Required(by.Keys, document.JwksUri, "jwks_uri");
        document.UserInfoEndpoint = by.UserInfo?.OriginalString ?? UsableOrNull(document.UserInfoEndpoint, "userinfo_endpoint");
        document.EndSessionEndpoint = by.EndSession?.OriginalString ?? UsableOrNull(document.EndSessionEndpoint, "end_session_endpoint");
        document.PushedAuthorizationRequestEndpoint = UsableOrNull(
            document.PushedAuthorizationRequestEndpoint, "pushed_authorization_request_endpoint");
        if (settings.PushedAuthorization is PushedAuthorization.Automatic && !document.RequirePushedAuthorizationRequests)
        {
            // The handler pushes wherever there is an endpoint; a provider that does not ask for it gets the plain request.
            document.PushedAuthorizationRequestEndpoint = null;
        }

        return document;

        string Required(Uri? configured, string? published, string name) =>
            configured?.OriginalString ?? UsableOrNull(published, name) ?? throw Unusable(
                $"the provider publishes no usable {name}; set oidc.{name}");

        string? UsableOrNull(string? published, string name) =>
            !Uri.TryCreate(published, UriKind.Absolute, out var url) || url is not { Scheme: "https" or "http", Host.Length: > 0 } ? null
            : url is { Scheme: "http", IsLoopback: false } && settings.Issuer.StartsWith("https:", StringComparison.Ordinal)
                ? throw Unusable(
                    $"the provider publishes {name} with http, and secrets would go unencrypted; tell the provider its own address "
                    + $"(behind a proxy, by X-Forwarded-Proto), or set oidc.{name}")
            : published;
    }

    /// <summary>RFC 7517 5: keys of types that nobody here knows are left out, and stand in nobody's way.</summary>
    private static JsonWebKeySet ReadKeys(string text)
    {
        using var document = JsonDocument.Parse(text);
        var keys = new JsonWebKeySet();
        foreach (var one in document.RootElement.GetProperty("keys").EnumerateArray())
        {
            try
            {
                var key = new JsonWebKey(one.GetRawText());

                // The library prefers the certificate to the modulus beside it, and only the modulus is measured.
                key.X5c.Clear();
                keys.Keys.Add(key);
            }
            catch (Exception e) when (e is ArgumentException or JsonException or InvalidOperationException or FormatException)
            {
                // It is no key that this library can read.
            }
        }

        return keys;
    }

    private async Task<T> GetAsync<T>(string address, Func<string, T> read, CancellationToken cancel, string remedy = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        var answer = await _http.SendAsync(request, cancel);
        if (answer.Status != StatusCodes.Status200OK)
        {
            throw Unusable($"{address} answered {answer.Status}{remedy}");
        }

        try
        {
            return read(answer.Body);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever a stranger's document does to a parser, it is no reason to end.
            throw Unusable($"{address} did not answer with the JSON that belongs there{remedy}");
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
            LogReady(after.Configuration!.Issuer, after.Configuration.JsonWebKeySet.Keys.Count);
        }
    }

    public override void Dispose()
    {
        _one.Dispose();
        _changed.Dispose();
        base.Dispose();
    }

    private sealed record Known(ProviderSource Source, ProviderStatus Status, long At);

    /// <summary>What of the settings says where the provider's words come from: another setting is no reason to forget them.</summary>
    private sealed record ProviderSource(
        string Issuer, Uri? Authorization, Uri? Token, Uri? UserInfo, Uri? EndSession, Uri? Keys, string? TlsCaPath,
        PushedAuthorization Pushed)
    {
        public static ProviderSource Of(OidcSettings settings)
        {
            var by = settings.Endpoints;
            return new(
                settings.Issuer, by.Authorization, by.Token, by.UserInfo, by.EndSession, by.Keys, settings.TlsCaPath,
                settings.PushedAuthorization);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Sign-in with the provider is unavailable: {Trouble}")]
    private partial void LogTrouble(string trouble);

    [LoggerMessage(2, LogLevel.Information, "Sign-in with {Issuer} is available; it has {Keys} keys")]
    private partial void LogReady(string issuer, int keys);
}
