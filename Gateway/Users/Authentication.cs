using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>
/// From a request to whoever sent it: one credential, and the principal that it stands for. The schemes of ASP.NET wrap this for
/// the pages; the API asks it directly.
/// </summary>
internal sealed class Authentication(CredentialReader credentials, PrincipalResolver principals, People people)
{
    /// <summary>The credential of a request; it is read once.</summary>
    public Credential CredentialOf(HttpContext context)
    {
        if (context.Features.Get<Credential>() is { } known)
        {
            return known;
        }

        Credential credential;
        try
        {
            credential = credentials.Read(context.Request, RequestContext.Of(context));
        }
        catch (StoreException e)
        {
            credential = new Credential.Rejected(Reason.StoreUnavailable, e.Message);
        }

        context.Features.Set(credential);
        return credential;
    }

    /// <summary>Finds out who sent a request. From then on, <see cref="AuthenticationState.Of"/> says it.</summary>
    public async ValueTask<AuthenticationState> AuthenticateAsync(HttpContext context)
    {
        var credential = CredentialOf(context);
        AuthenticationState state;
        try
        {
            state = await StateOfAsync(credential, RequestContext.Of(context).Configuration, context.RequestAborted);
        }
        catch (HeadscaleException e)
        {
            // Forms that were shown to them stay theirs, and they can sign out.
            state = new(Problem: (e.Reason, e.Message)) { Name = NameOf(credential) };
        }
        catch (StoreException e)
        {
            state = new(Problem: (Reason.StoreUnavailable, e.Message));
        }

        context.Features.Set(state);
        return state;
    }

    private async ValueTask<AuthenticationState> StateOfAsync(Credential credential, Configuration configuration, CancellationToken cancel)
    {
        switch (credential)
        {
            case Credential.Rejected rejected:
                return new(Problem: (rejected.Reason, rejected.Detail)) { Token = rejected.Token };

            // Whether their key is good, Headscale says.
            case Credential.HeadscaleKey key:
                return new(OwnKey: key);
            case Credential.OfToken token:
                return await principals.ResolveAsync(token, configuration, cancel) is { } holder
                    ? new(holder)
                    : new(Problem: (Reason.MalformedCredential,
                        $"the person of the token {token.Token.Label} is gone, or comes in by a way that is switched off"))
                    {
                        Token = token.Token.Label,
                    };
            case Credential.OfSession { Session: var session }:
                return new(await principals.ResolveAsync(session, configuration, cancel));
            case Credential.ProxyIdentity identity:
                var principal = await principals.ResolveAsync(identity.Caller, configuration, cancel);
                return identity.Session is not { } other || other.PersonId == principal.Person?.Id || IsOfSameUser(other, principal)
                    ? new(principal)
                    : new(Problem: (Reason.CredentialsDisagree,
                        "the proxy in front names one person, and the session cookie belongs to another; sign out of one of the two"));
            default:
                return AuthenticationState.Anonymous;
        }
    }

    /// <summary>Whether a session of another identity is of the same Headscale user, or of a person who is gone.</summary>
    private bool IsOfSameUser(Session session, Principal principal)
    {
        var other = session.PersonId is { } id ? people.Snapshot.Find(id) : null;
        return other is null ? session.Kind is SessionKind.Oidc : other.Link?.HeadscaleUserId is { } user && user == principal.User?.Id;
    }

    /// <summary>The name of somebody who is known already; null where only Headscale could tell.</summary>
    private string? NameOf(Credential credential)
    {
        var known = people.Snapshot;
        return credential switch
        {
            Credential.OfSession { Session: var session } => Person.LabelOf(session, session.PersonId is { } id ? known.Find(id) : null),
            Credential.OfToken { Token.PersonId: var id } => known.Find(id)?.Label,
            Credential.ProxyIdentity { Caller: var caller } => known.Find(caller.Source, caller.Issuer, caller.Subject)?.Label,
            _ => null,
        };
    }
}
