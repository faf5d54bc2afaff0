using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>
/// Calls that own pages make for the person who looks at them: authorized, sent, filtered and audited like those that come in
/// over the API.
/// </summary>
internal sealed class HeadscaleCalls(Authorizer authorizer, AuthorizedCall calls, ClientSenders senders, UpstreamMonitor upstream)
{
    /// <summary>Makes one call. The first of a request has the request's reference, the others that with a number.</summary>
    /// <param name="about">What it is about in the person's own words, for the audit.</param>
    public async Task<ApiResponse> SendAsync(HttpContext context, Principal principal, Operation operation, string? about = null)
    {
        var (request, cancel) = (RequestContext.Of(context), context.RequestAborted);
        var source = new RuleCall(operation, request.Configuration.Table);
        var result = await authorizer.AuthorizeAsync(new(source, principal.Facts(isCrossSite: false)), cancel);
        var reference = RequestReferences.Next(context);
        var path = source.Rule is { } rule && rule.Path.FirstWrong(operation.Path) is null
            ? rule.Path.Write(operation.Path)
            : operation.Rule;
        var caller = new AuthenticationState(principal);
        var sender = senders.For(context, caller, reference);

        // A second click cancels the first request, and what it began must still come to its end.
        var patience = result.Call.IsSafe ? cancel : CancellationToken.None;
        var outcome = await calls.RunAsync(new(request, reference, path, caller, result) { About = about }, sender, patience);
        return new(
            result.Decision with { Reason = outcome.Reason, Detail = sender.Detail ?? result.Decision.Detail }, sender.Status, sender.Json);
    }

    /// <summary>Whether a page offers something, by what decides it when it is asked for.</summary>
    /// <param name="rule">The id of the rule.</param>
    /// <param name="ownership">Whose the thing is.</param>
    /// <param name="sets">The arguments that would be set.</param>
    public bool Can(HttpContext context, Principal principal, string rule, Ownership ownership, params ReadOnlySpan<string> sets) =>
        Authorizer.Can(
        RequestContext.Of(context).Configuration.Table, rule, principal.Role, principal.User, ownership, upstream.Assumed, sets);
}
