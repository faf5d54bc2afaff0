using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>
/// What is known of callers' own Headscale keys from Headscale's answers. A key that Headscale took a moment ago may read over its
/// socket, which spares Headscale the comparison of a hash; what changes something is always judged by Headscale.
/// </summary>
internal sealed class OwnKeyProof(ProvenKeys proven, UpstreamMonitor upstream, CallLimits limits)
{
    /// <summary>Whether a call with an own key may go over the socket: it is understood completely, and the key is proven.</summary>
    public bool Covers(RequestContext request, Credential.HeadscaleKey key, AuthorizationResult result)
    {
        var settings = request.Configuration.Settings.Headscale;
        return settings is { Socket: not null, KeyProof: var within } && within > TimeSpan.Zero && !key.IsToken
            && result.Call is { Method: "GET", Problem: null, NeedsVersion: false, ExpectsBody: false }
            && result.Decision.Rule is { Plane: Plane.Api, Since: 0, Headers.Count: 0 } rule && Upstreams.IsHeadscale(rule)
            && proven.IsProven(key.Fingerprint, within);
    }

    /// <summary>
    /// Headscale judged a key over TCP. Where a version has no such operation, it may have answered without looking at it.
    /// </summary>
    /// <param name="status">The status of its answer.</param>
    /// <param name="contentType">The media type of its answer.</param>
    public void Note(RequestContext request, Credential.HeadscaleKey key, RouteRule? rule, int status, string? contentType)
    {
        if (HeadscaleAnswers.SaysKeyRefused(status, contentType, upstream.Status.Version))
        {
            limits.KeyWasAnswered(key, wasTaken: false, request);
        }
        else if (status is >= 200 and < 300 && rule is not null && upstream.Status.Version is { Minor: var minor } && rule.Since <= minor
            && HeadscaleAnswers.IsJson(contentType))
        {
            // 0.28 answers 200 with an empty page to every path that it does not have.
            limits.KeyWasAnswered(key, wasTaken: true, request);
        }
    }
}
