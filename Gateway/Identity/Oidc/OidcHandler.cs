using System.Globalization;
using System.IdentityModel.Tokens.Jwt;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Edge;
using Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>Someone the provider signed in.</summary>
/// <param name="Caller">Who.</param>
/// <param name="IdToken">The token, which signing out there may need.</param>
/// <param name="ProviderSession">The provider's own session (<c>sid</c>), which it names when it ends it.</param>
internal sealed record SignedInAtProvider(Caller Caller, string IdToken, string? ProviderSession);

/// <summary>
/// The framework's authorization code flow (OpenID Connect Core 3.1) with what it has no option for. Each attempt has a
/// state, a cookie and secrets of its own, so tabs do not disturb each other. What the token must be is
/// <see cref="IdTokenHandler"/>'s; how the options come from the settings is <see cref="OidcOptionsSetup"/>'s.
/// </summary>
internal sealed class OidcHandler(
    IOptionsMonitor<OpenIdConnectOptions> options, ILoggerFactory logs, HtmlEncoder html, UrlEncoder encoder,
    Provider provider, UserInfo userInfo, ClientRequests client, UsedAttempts used)
    : OpenIdConnectHandler(options, logs, html, encoder)
{
    /// <summary>The name of the scheme.</summary>
    public const string SchemeName = "oidc";

    /// <summary>What <see cref="SignedInAtProvider"/> is handed on as.</summary>
    public const string Person = "person";

    /// <summary>Abandoned attempts leave a cookie each until it expires; only so many are kept.</summary>
    private const int MostAttempts = 24;

    private const string Nonce = "nonce";
    private const string Begun = "begun";
    private const string Correlation = ".xsrf";

    /// <summary>What an answer of the code flow may have. The framework would take tokens out of it, and names in any case.</summary>
    private static readonly string[] _ours = ["state", "code", "iss", "error", "error_description"];
    private static readonly string[] _ofOtherFlows = ["id_token", "access_token"];

    private bool? _isOfThisBrowser;

    private IdTokenHandler Tokens => (IdTokenHandler)Options.TokenHandler;

    /// <summary>Called by the framework when the authorization request is ready, before it is protected and sent.</summary>
    public Task CompleteRequestAsync(RedirectContext context)
    {
        // From configuration alone: a Host header has no say in where codes are sent.
        context.ProtocolMessage.RedirectUri = RedirectAddress.Of(RequestContext.Of(Context).Configuration.Settings);
        context.ProtocolMessage.Nonce = context.Properties.Items[Nonce] = Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(32));
        context.ProtocolMessage.AcrValues = Tokens.Settings.AcrValues;
        context.Properties.Items[Begun] = TimeProvider.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    /// <summary>
    /// Called by the framework where the request is pushed: the framework only knows how to put the secret into the body.
    /// </summary>
    public async Task PushAsync(PushedAuthorizationContext context) =>
        context.HandlePush(
            await client.PushAsync(context.ProtocolMessage.Parameters, await provider.GetConfigurationAsync(Context.RequestAborted),
                Tokens.Settings, Context.RequestAborted));

    /// <summary>Called by the framework once the token is good: it then compares the token's nonce with that of the attempt.</summary>
    public static Task BindNonceAsync(TokenValidatedContext context)
    {
        context.Nonce = context.Properties!.Items[Nonce];
        return Task.CompletedTask;
    }

    /// <summary>Off to the provider.</summary>
    /// <exception cref="SignInException">There is no way to ask it.</exception>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var configuration = await provider.GetConfigurationAsync(Context.RequestAborted);
        if (Tokens.Settings.PushedAuthorization switch
        {
            PushedAuthorization.Required => string.IsNullOrEmpty(configuration.PushedAuthorizationRequestEndpoint),
            PushedAuthorization.Off => configuration.RequirePushedAuthorizationRequests,
            PushedAuthorization.Automatic => false,
        })
        {
            throw new SignInException(
                SignInFailure.RequestRejected,
                "oidc.pushed_authorization does not go with the provider: it has no place for pushed requests, or demands them");
        }

        await base.HandleChallengeAsync(properties);
    }

    /// <summary>Who a request is from is not asked here: sessions are the gateway's own.</summary>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(AuthenticateResult.NoResult());

    /// <summary>
    /// The provider's answer. First what makes it an answer to this browser's question, in the order of RFC 6819 and RFC 9207;
    /// then the framework redeems the code.
    /// </summary>
    protected override async Task<HandleRequestResult> HandleRemoteAuthenticateAsync()
    {
        AuthenticationProperties? properties = null;
        try
        {
            RequireCodeFlow();
            properties = TakeAttempt();
            var configuration = await provider.GetConfigurationAsync(Context.RequestAborted);
            RequireIssuer(configuration);
            RequireCode();
            var result = await base.HandleRemoteAuthenticateAsync();
            return result.Failure is { } failure ? HandleRequestResult.Fail(Named(failure), properties) : result;
        }
        catch (SignInException e)
        {
            return HandleRequestResult.Fail(e, properties);
        }
    }

    protected override async Task<OpenIdConnectMessage> RedeemAuthorizationCodeAsync(OpenIdConnectMessage tokenEndpointRequest) =>
        await client.RedeemAsync(
            tokenEndpointRequest.Parameters, await provider.GetConfigurationAsync(Context.RequestAborted), Tokens.Settings,
            Context.RequestAborted);

    /// <summary>From good tokens to a person. The framework would take user info of any form, and ask for it each time.</summary>
    protected override async Task<HandleRequestResult> GetUserInformationAsync(
        OpenIdConnectMessage message, JwtSecurityToken jwt, ClaimsPrincipal principal, AuthenticationProperties properties)
    {
        var settings = Tokens.Settings;
        var idToken = IdTokenHandler.ClaimsOf(message.IdToken);
        var claims = new Claims(idToken, null);

        // Nobody is asked about somebody whom the token does not name.
        _ = claims.Subject(settings);
        if (claims.AreIncomplete(settings)
            && await userInfo.GetAsync(message.AccessToken, idToken, Tokens, Context.RequestAborted) is { } more)
        {
            claims = new Claims(idToken, more);
        }

        var caller = claims.ToCaller(settings);
        if (AccessRules.Complaint(caller, settings.Access) is { } complaint)
        {
            throw new SignInException(SignInFailure.NotAllowed, complaint);
        }

        properties.SetParameter(Person, new SignedInAtProvider(caller, message.IdToken, SessionOf(idToken)));
        return HandleRequestResult.Success(new AuthenticationTicket(principal, properties, Scheme.Name));
    }

    /// <summary>One cookie an attempt, named by the time so that the oldest can go when there are too many.</summary>
    protected override void GenerateCorrelationId(AuthenticationProperties properties)
    {
        var prefix = Options.CorrelationCookie.Name!;
        var open = Request.Cookies.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .ToArray();
        var cookie = Options.CorrelationCookie.Build(Context, TimeProvider.GetUtcNow());
        foreach (var old in open.Take(open.Length - MostAttempts + 1))
        {
            Response.Cookies.Delete(old, cookie);
        }

        var id = $"{TimeProvider.GetUtcNow().ToUnixTimeMilliseconds():x12}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        properties.Items[Correlation] = id;
        Response.Cookies.Append(prefix + id, "N", cookie);
    }

    /// <summary>Asked here first and by the framework again: an attempt counts once, and so does this answer.</summary>
    protected override bool ValidateCorrelationId(AuthenticationProperties properties) =>
        _isOfThisBrowser ??= base.ValidateCorrelationId(properties);

    private void RequireCodeFlow()
    {
        if (!HttpMethods.IsGet(Request.Method))
        {
            throw new SignInException(
                SignInFailure.MethodNotAllowed, $"the answer came by {Request.Method}; the gateway asks for response_mode=query");
        }

        if (Request.Query.FirstOrDefault(one => one.Value.Count > 1).Key is { } twice)
        {
            throw new SignInException(SignInFailure.ParameterRepeated, $"the answer has '{twice}' more than once");
        }

        if (Request.Query.Keys.FirstOrDefault(name => _ofOtherFlows.Contains(name, StringComparer.OrdinalIgnoreCase)
            || (_ours.Contains(name, StringComparer.OrdinalIgnoreCase) && !_ours.Contains(name, StringComparer.Ordinal))) is { } foreign)
        {
            throw new SignInException(
                SignInFailure.ParameterUnexpected, $"the answer has '{foreign}', which is not of the code flow that was asked for");
        }
    }

    /// <summary>The attempt that this answer belongs to: ours, recent, and of this browser.</summary>
    private AuthenticationProperties TakeAttempt()
    {
        if (Options.StateDataFormat.Unprotect(Request.Query["state"]) is not { } properties
            || !properties.Items.TryGetValue(Begun, out var begun))
        {
            throw new SignInException(SignInFailure.StateInvalid, "the answer's 'state' is missing or not ours");
        }

        if (TimeProvider.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(long.Parse(begun!, CultureInfo.InvariantCulture))
            > Options.RemoteAuthenticationTimeout)
        {
            throw new SignInException(
                SignInFailure.StateExpired,
                $"the sign-in was begun more than {Options.RemoteAuthenticationTimeout.TotalMinutes} minutes ago");
        }

        var id = properties.Items.TryGetValue(Correlation, out var attempt) ? attempt : null;
        return ValidateCorrelationId(properties) && id is not null && used.TryUse(id)
            ? properties
            : throw new SignInException(
                SignInFailure.CookieMissing,
                "this browser has no cookie of this sign-in: it was lost, the answer was used before, or it was begun elsewhere");
    }

    private void RequireIssuer(OpenIdConnectConfiguration configuration)
    {
        if (Request.Query["iss"] is [var issuer]
            ? issuer != configuration.Issuer
            : configuration.AuthorizationResponseIssParameterSupported)
        {
            throw new SignInException(
                SignInFailure.IssuerMixedUp,
                $"the answer's 'iss' is '{Request.Query["iss"]}' and not the provider that was asked (RFC 9207)");
        }
    }

    private void RequireCode()
    {
        if (Request.Query["error"] is [{ } code])
        {
            var error = new ProviderError(code, Request.Query["error_description"]);
            throw new SignInException(error.ToFailure(Options.UsePkce, SignInFailure.ProviderRefused), $"the provider answered {error}");
        }

        if (Request.Query["code"] is not [{ Length: > 0 }])
        {
            throw new SignInException(SignInFailure.CodeMissing, "the answer has neither a code nor an error");
        }
    }

    private static string? SessionOf(JsonElement idToken) =>
        idToken.TryGetProperty("sid", out var session) && session.ValueKind is JsonValueKind.String ? session.GetString() : null;

    /// <summary>The framework's own checks behind the signature, in the words of the failures here.</summary>
    private static SignInException Named(Exception failure) => failure switch
    {
        SignInException known => known,
        OpenIdConnectProtocolInvalidNonceException e =>
            new(SignInFailure.NonceWrong, "the token's 'nonce' is not the one of this attempt", e),
        OpenIdConnectProtocolException e =>
            new(SignInFailure.AccessTokenHashWrong, $"the token's 'at_hash' is not that of the access token: {e.Message}", e),
        SecurityTokenException or ArgumentException or FormatException =>
            new(SignInFailure.TokenMalformed, $"the token is not acceptable: {failure.Message}", failure),
        _ => new(SignInFailure.Unknown, $"{failure.GetType().Name}: {failure.Message}", failure),
    };
}
