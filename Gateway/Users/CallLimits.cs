using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;

namespace Gateway.Users;

/// <summary>
/// Whose share a request counts against: that of a principal, of a key, or of an address. Everybody has one share for the API
/// and the pages together, and nobody can use up that of somebody else.
/// </summary>
internal sealed class CallLimits(RateLimits limits, ProvenKeys proven)
{
    /// <summary>Counts a request. How long to wait, or null when it is served.</summary>
    public TimeSpan? Take(AuthenticationState state, RequestContext request)
    {
        if (state.Principal is { } principal)
        {
            // A program that runs wild does not keep its person from revoking the token.
            return limits.TakeCaller(
                principal.Token is { Token.Id: var id } ? CallerKey.Of($"token {id}")
                : principal.Person is { } person ? CallerKey.Of(person.Id)
                : CallerKey.Of(principal.Label), request);
        }

        if (state.OwnKey is { } key)
        {
            // Whether a key is good is known only after Headscale was asked.
            return (proven.Contains(key.Fingerprint) ? null : limits.CheckAnonymous(request))
                ?? limits.TakeCaller(CallerKey.Of(key.Fingerprint), request);
        }

        return limits.TakeAnonymous(request);
    }

    /// <summary>Headscale took a key, or refused it: a refused one counts against the address that it came from.</summary>
    public void KeyWasAnswered(Credential.HeadscaleKey key, bool wasTaken, RequestContext request)
    {
        if (wasTaken)
        {
            proven.Add(key.Fingerprint, request.Started);
            return;
        }

        proven.Remove(key.Fingerprint);
        limits.TakeAnonymous(request);
    }

    /// <summary>A key was refused here, before Headscale could judge it: it may be anybody's.</summary>
    public void KeyWasRefused(RequestContext request) => limits.TakeAnonymous(request);
}
