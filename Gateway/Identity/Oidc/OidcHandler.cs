using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>The framework's part of the options; everything about the provider is in the settings, which may change.</summary>
internal sealed class OidcOptions : RemoteAuthenticationOptions
{
    /// <summary>The name of the scheme.</summary>
    public const string Scheme = "oidc";

    /// <summary>What <see cref="SignedInAtProvider"/> is handed on as.</summary>
    public const string Person = "person";

    public OidcOptions()
    {
        // Null in derived options unless set.
        Events = new RemoteAuthenticationEvents();
        RemoteAuthenticationTimeout = TimeSpan.FromMinutes(15);
    }

    /// <summary>Protects <c>state</c>: whoever brings it back got it from us.</summary>
    public PropertiesDataFormat State { get; set; } = null!;
}

/// <summary>Gives the options their protector.</summary>
internal sealed class OidcStateProtection(IDataProtectionProvider protection) : IPostConfigureOptions<OidcOptions>
{
    public void PostConfigure(string? name, OidcOptions options)
    {
        options.DataProtectionProvider ??= protection;
        options.State ??= new PropertiesDataFormat(options.DataProtectionProvider.CreateProtector("Gateway.Identity.Oidc.State.v1"));
    }
}

/// <summary>Authorization code flow (OpenID Connect Core 3.1). Each attempt has a state, a cookie and secrets of its own, so tabs do not disturb each other.</summary>
internal sealed class OidcHandler(
    IOptionsMonitor<OidcOptions> options, ILoggerFactory logs, UrlEncoder encoder, Live<Configuration> live, Provider provider, SignIn signIn)
    : RemoteAuthenticationHandler<OidcOptions>(options, logs, encoder)
{
    /// <summary>Abandoned attempts leave a cookie each until it expires; only so many are kept.</summary>
    private const int MostAttempts = 24;

    private const string Nonce = "nonce";
    private const string Verifier = "verifier";
    private const string Redirect = "redirect";
    private const string Begun = "begun";
    private const string Correlation = ".xsrf";

    private OidcSettings Settings => live.Current.Settings.Oidc ?? throw new SignInException(SignInFailure.NotConfigured, "the section oidc is missing or off");

    /// <summary>From configuration alone: a Host header has no say in where codes are sent.</summary>
    private string RedirectUri => live.Current.Settings.Server.BaseUrl!.GetLeftPart(UriPartial.Authority) + Options.CallbackPath;

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var settings = Settings;
        var metadata = await provider.GetAsync(Context.RequestAborted);
        GenerateCorrelationId(properties);
        properties.Items[Nonce] = Random();
        properties.Items[Redirect] = RedirectUri;
        properties.Items[Begun] = TimeProvider.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var query = new Dictionary<string, string?>(settings.ExtraParameters.ToDictionary(one => one.Key, one => (string?)one.Value))
        {
            ["response_type"] = "code",
            ["client_id"] = settings.ClientId,
            ["redirect_uri"] = RedirectUri,
            ["scope"] = string.Join(' ', settings.Scopes),
            ["nonce"] = properties.Items[Nonce],
        };
        if (settings.UsePkce)
        {
            var verifier = Random();
            properties.Items[Verifier] = verifier;
            query["code_challenge"] = Base64UrlEncoder.Encode(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(verifier)));
            query["code_challenge_method"] = "S256";
        }

        query["state"] = Options.State.Protect(properties);
        Response.Headers.CacheControl = "no-store";
        Response.Redirect(QueryHelpers.AddQueryString(metadata.AuthorizationEndpoint, query));
    }

    protected override async Task<HandleRequestResult> HandleRemoteAuthenticateAsync()
    {
        AuthenticationProperties? properties = null;
        try
        {
            properties = TakeState();
            var settings = Settings;
            var metadata = await provider.GetAsync(Context.RequestAborted);
            var attempt = new SignInAttempt(properties.Items[Nonce]!, properties.Items.TryGetValue(Verifier, out var verifier) ? verifier : null, properties.Items[Redirect]!);
            var person = await signIn.CompleteAsync(TakeCode(metadata), attempt, metadata, settings, Context.RequestAborted);
            properties.SetParameter(OidcOptions.Person, person);
            return HandleRequestResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity(Scheme.Name)), properties, Scheme.Name));
        }
        catch (SignInException e)
        {
            return HandleRequestResult.Fail(e, properties);
        }
    }

    /// <summary>Who a request is from is not asked here: sessions are the gateway's own.</summary>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(AuthenticateResult.NoResult());

    /// <summary>One cookie an attempt, named by the time so that the oldest can go when there are too many.</summary>
    protected override void GenerateCorrelationId(AuthenticationProperties properties)
    {
        var prefix = Options.CorrelationCookie.Name!;
        var open = Request.Cookies.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        var cookie = Options.CorrelationCookie.Build(Context, TimeProvider.GetUtcNow());
        foreach (var old in open.Take(open.Length - MostAttempts + 1))
        {
            Response.Cookies.Delete(old, cookie);
        }

        var id = $"{TimeProvider.GetUtcNow().ToUnixTimeMilliseconds():x12}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        properties.Items[Correlation] = id;
        Response.Cookies.Append(prefix + id, "N", cookie);
    }

    /// <summary>The attempt that this answer belongs to: ours, recent, and of this browser.</summary>
    private AuthenticationProperties TakeState()
    {
        foreach (var name in (ReadOnlySpan<string>)["state", "code", "iss", "error"])
        {
            if (Request.Query[name].Count > 1)
            {
                throw new SignInException(SignInFailure.ParameterRepeated, $"the answer has '{name}' more than once");
            }
        }

        var properties = Options.State.Unprotect(Request.Query["state"]);
        if (properties is null || !properties.Items.TryGetValue(Begun, out var begun)
            || TimeProvider.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(long.Parse(begun!, CultureInfo.InvariantCulture)) > Options.RemoteAuthenticationTimeout)
        {
            throw new SignInException(SignInFailure.StateInvalid, "the answer's 'state' is missing, not ours, or too old");
        }

        return ValidateCorrelationId(properties)
            ? properties
            : throw new SignInException(SignInFailure.StateInvalid, "this browser has no such attempt: its cookie is gone, or the answer was used before");
    }

    private string TakeCode(ProviderMetadata metadata)
    {
        var query = Request.Query;
        if (query["iss"] is [var issuer] ? issuer != metadata.Issuer : metadata.NamesIssuer)
        {
            throw new SignInException(SignInFailure.IssuerMixedUp, "the answer's 'iss' is not the provider that was asked (RFC 9207)");
        }

        if (query["error"] is [{ } error])
        {
            throw new SignInException(SignInFailure.ProviderRefused, $"the provider answered '{SignInException.Clean(error)}'");
        }

        return query["code"] is [{ Length: > 0 } value] ? value : throw new SignInException(SignInFailure.CodeMissing, "the answer has neither a code nor an error");
    }

    private static string Random() => Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(32));
}
