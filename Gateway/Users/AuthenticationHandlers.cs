using System.Security.Claims;
using System.Text.Encodings.Web;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Gateway.Users;

/// <summary>The authentication schemes: one for each kind of credential, and a policy scheme that picks the one a request needs.</summary>
internal static class GatewaySchemes
{
    /// <summary>The scheme that picks.</summary>
    public const string Policy = "gateway";

    public const string ProxyHeaders = "proxy-headers";

    public const string Session = "session";

    public const string HeadscaleKey = "headscale-key";

    /// <summary>Adds them; <see cref="Policy"/> is the default.</summary>
    public static AuthenticationBuilder AddGatewaySchemes(this AuthenticationBuilder schemes) => schemes
        .AddPolicyScheme(Policy, null, options => options.ForwardDefaultSelector = Pick)
        .AddScheme<AuthenticationSchemeOptions, ProxyHeadersHandler>(ProxyHeaders, null)
        .AddScheme<AuthenticationSchemeOptions, SessionHandler>(Session, null)
        .AddScheme<AuthenticationSchemeOptions, HeadscaleKeyHandler>(HeadscaleKey, null);

    private static string Pick(HttpContext context)
    {
        Credential credential;
        try
        {
            credential = context.Features.Get<Credential>()
                ?? context.RequestServices.GetRequiredService<CredentialReader>().Read(context.Request, RequestContext.Of(context));
        }
        catch (StoreException e)
        {
            credential = new Credential.Rejected(Reason.StoreUnavailable, e.Message);
        }

        context.Features.Set(credential);
        return credential switch
        {
            Credential.HeadscaleKey => HeadscaleKey,
            Credential.ProxyIdentity => ProxyHeaders,
            _ => Session,
        };
    }
}

/// <summary>What the handlers share: from a credential to a principal, or to the reason why there is none.</summary>
internal abstract class CredentialHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    /// <summary>Finds the principal of a credential.</summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    /// <exception cref="StoreException">Something new could not be stored.</exception>
    protected abstract ValueTask<AuthenticationState> AuthenticateAsync(Credential credential, RequestContext request);

    protected sealed override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var state = await StateAsync();
        Context.Features.Set(state);
        var name = state.Principal?.Label ?? state.Name ?? (state.OwnKey is { } key ? $"key:{key.Prefix}" : null);
        return name is null
            ? state.Problem is { } problem ? AuthenticateResult.Fail(problem.Detail) : AuthenticateResult.NoResult()
            : AuthenticateResult.Success(
                new(new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name)], Scheme.Name)), Scheme.Name));
    }

    /// <summary>The name of somebody who is known already; null where only Headscale could tell.</summary>
    private string? NameOf(Credential? credential)
    {
        var known = Context.RequestServices.GetRequiredService<People>().Snapshot;
        return credential switch
        {
            Credential.OfSession { Session: var session } => Person.LabelOf(session, session.PersonId is { } id ? known.Find(id) : null),
            Credential.ProxyIdentity { Caller: var caller } => known.Find(caller.Source, caller.Issuer, caller.Subject)?.Label,
            _ => null,
        };
    }

    private async ValueTask<AuthenticationState> StateAsync()
    {
        try
        {
            return Context.Features.Get<Credential>() switch
            {
                Credential.Rejected rejected => new(Problem: (rejected.Reason, rejected.Detail)),
                { } credential => await AuthenticateAsync(credential, RequestContext.Of(Context)),
                null => AuthenticationState.Anonymous,
            };
        }
        catch (HeadscaleException e)
        {
            // Forms that were shown to them stay theirs, and they can sign out.
            return new(Problem: (e.Reason, e.Message)) { Name = NameOf(Context.Features.Get<Credential>()) };
        }
        catch (StoreException e)
        {
            return new(Problem: (Reason.StoreUnavailable, e.Message));
        }
    }
}

/// <summary>People whom a trusted proxy names.</summary>
internal sealed class ProxyHeadersHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, PrincipalResolver principals,
        People people)
    : CredentialHandler(options, logs, encoder)
{
    protected override async ValueTask<AuthenticationState> AuthenticateAsync(Credential credential, RequestContext request)
    {
        if (credential is not Credential.ProxyIdentity identity)
        {
            return AuthenticationState.Anonymous;
        }

        var principal = await principals.ResolveAsync(identity.Caller, request.Configuration, Context.RequestAborted);
        return identity.Session is not { } session || session.PersonId == principal.Person?.Id || IsOfSameUser(session, principal)
            ? new(principal)
            : new(Problem: (Reason.CredentialsDisagree,
                "the proxy in front names one person, and the session cookie belongs to another; sign out of one of the two"));
    }

    /// <summary>Whether a session of another identity is of the same Headscale user, or of a person who is gone.</summary>
    private bool IsOfSameUser(Session session, Principal principal)
    {
        var other = session.PersonId is { } id ? people.Snapshot.Find(id) : null;
        return other is null ? session.Kind is SessionKind.Oidc : other.Link?.HeadscaleUserId is { } user && user == principal.User?.Id;
    }
}

/// <summary>People with a session of ours, and sessions that an API key began.</summary>
internal sealed class SessionHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, PrincipalResolver principals)
    : CredentialHandler(options, logs, encoder)
{
    protected override async ValueTask<AuthenticationState> AuthenticateAsync(Credential credential, RequestContext request) =>
        credential is Credential.OfSession session
            ? new(await principals.ResolveAsync(session.Session, request.Configuration, Context.RequestAborted))
            : AuthenticationState.Anonymous;
}

/// <summary>Callers with a Headscale key of their own: Headscale says whether it is good.</summary>
internal sealed class HeadscaleKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder)
    : CredentialHandler(options, logs, encoder)
{
    protected override ValueTask<AuthenticationState> AuthenticateAsync(Credential credential, RequestContext request) =>
        new(credential is Credential.HeadscaleKey key ? new AuthenticationState(OwnKey: key) : AuthenticationState.Anonymous);
}
