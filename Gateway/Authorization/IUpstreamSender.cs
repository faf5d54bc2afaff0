using Gateway.Policy;

namespace Gateway.Authorization;

/// <summary>How a call ended.</summary>
/// <param name="Reason">What the caller is answered with; allowed or passed through when it is Headscale's own answer.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Made">What a change made, in words; null where it made nothing.</param>
internal readonly record struct UpstreamOutcome(Reason Reason, int Status, string? Made = null);

/// <summary>
/// Sends an authorized call to Headscale and shows the answer, filtered: through YARP to a caller of the API, or through an
/// HttpClient to a page.
/// </summary>
internal interface IUpstreamSender
{
    /// <summary>Sends the call.</summary>
    Task<UpstreamOutcome> SendAsync(AuthorizationResult result, CancellationToken cancel);

    /// <summary>Shows why the call was not sent, or why its answer is not shown.</summary>
    /// <returns>The status that was answered.</returns>
    ValueTask<int> RefuseAsync(AuthorizationResult result, Reason reason);
}
