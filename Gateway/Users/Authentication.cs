using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>Who sent a request: someone, an own Headscale key, a problem, or nobody.</summary>
/// <param name="Principal">Someone with a role.</param>
/// <param name="OwnKey">The public prefix of the caller's own Headscale key.</param>
/// <param name="Problem">Why what was said is not accepted.</param>
internal sealed record Authenticated(Principal? Principal = null, string? OwnKey = null, (Reason Reason, string Detail)? Problem = null);

/// <summary>Identity, link and role of a request, for the API and for the gateway's own pages alike.</summary>
internal sealed class Authentication(Credentials credentials, PrincipalResolver principals, People people)
{
    public async ValueTask<Authenticated> AuthenticateAsync(HttpContext context, RequestContext request)
    {
        try
        {
            return credentials.Identify(context.Request, request.Headers, request.Peer, request.Configuration.Settings) switch
            {
                Identification.Rejected rejected => new(Problem: (rejected.Reason, rejected.Detail)),
                Identification.OwnKey key => new(OwnKey: key.Prefix),
                Identification.Known known => Agreeing(known, await principals.ResolveAsync(known.Caller, request.Configuration, context.RequestAborted)),
                Identification.InSession session => new(await principals.ResolveAsync(session.Session, request.Configuration, context.RequestAborted)),
                _ => new(),
            };
        }
        catch (HeadscaleException e)
        {
            return new(Problem: (e.Reason, e.Message));
        }
        catch (StoreException e)
        {
            return new(Problem: (Reason.StoreUnavailable, e.Message));
        }
    }

    /// <summary>Headers of one person and the session of another: nobody can say who is meant.</summary>
    private Authenticated Agreeing(Identification.Known known, Principal principal)
    {
        if (known.Session is not { } session || session.PersonId == principal.Person?.Id)
        {
            return new(principal);
        }

        var other = session.PersonId is { } id ? people.Snapshot.Find(id) : null;
        return other is null && session.Kind is SessionKind.Oidc || (other?.Link?.HeadscaleUserId is { } user && user == principal.User?.Id)
            ? new(principal)
            : new(Problem: (Reason.CredentialsDisagree, "the proxy in front names one person, and the session cookie belongs to another; sign out of one of the two"));
    }
}
