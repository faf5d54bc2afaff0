using System.Security.Claims;
using System.Text.Encodings.Web;
using Gateway.Identity;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Gateway.Users;

/// <summary>The authentication schemes: one for each kind of credential, and a policy scheme that picks the one a request needs.</summary>
internal static class GatewaySchemes
{
    /// <summary>The scheme that picks.</summary>
    public const string Policy = "gateway";

    /// <summary>People whom a trusted proxy names.</summary>
    public const string ProxyHeaders = "proxy-headers";

    /// <summary>People with a session of ours, and sessions that an API key began.</summary>
    public const string Session = "session";

    /// <summary>Callers with a Headscale key of their own.</summary>
    public const string HeadscaleKey = "headscale-key";

    /// <summary>Programs with a token of the gateway's own.</summary>
    public const string Token = "token";

    /// <summary>Adds them; <see cref="Policy"/> is the default.</summary>
    public static AuthenticationBuilder AddGatewaySchemes(this AuthenticationBuilder schemes) => schemes
        .AddPolicyScheme(Policy, null, options => options.ForwardDefaultSelector = Pick)
        .AddScheme<AuthenticationSchemeOptions, CredentialHandler>(ProxyHeaders, null)
        .AddScheme<AuthenticationSchemeOptions, CredentialHandler>(Session, null)
        .AddScheme<AuthenticationSchemeOptions, CredentialHandler>(HeadscaleKey, null)
        .AddScheme<AuthenticationSchemeOptions, CredentialHandler>(Token, null);

    /// <summary>The scheme of a credential; requests that have none may have lost their session.</summary>
    public static string Of(Credential credential) => credential switch
    {
        Credential.HeadscaleKey => HeadscaleKey,
        Credential.OfToken => Token,
        Credential.ProxyIdentity => ProxyHeaders,
        _ => Session,
    };

    private static string Pick(HttpContext context) =>
        Of(context.RequestServices.GetRequiredService<Authentication>().CredentialOf(context));
}

/// <summary>What ASP.NET hears of <see cref="Authentication"/>, for the credentials of one scheme.</summary>
internal sealed class CredentialHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, Authentication authentication)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (GatewaySchemes.Of(authentication.CredentialOf(Context)) != Scheme.Name)
        {
            return AuthenticateResult.NoResult();
        }

        var state = await authentication.AuthenticateAsync(Context);
        var name = state.Principal?.Label ?? state.Name ?? (state.OwnKey is { } key ? $"key:{key.Prefix}" : null);
        return name is null
            ? state.Problem is { } problem ? AuthenticateResult.Fail(problem.Detail) : AuthenticateResult.NoResult()
            : AuthenticateResult.Success(
                new(new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name)], Scheme.Name)), Scheme.Name));
    }
}
