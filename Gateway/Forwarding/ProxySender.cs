using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>Makes the senders of calls that come over the API.</summary>
internal sealed class ProxySenders(Forwarder forwarder, ApiAnswers answers, OwnKeyProof proof)
{
    public ProxySender For(HttpContext context, AuthenticationState caller) => new(context, caller, forwarder, answers, proof);
}

/// <summary>Sends a call of the API on by YARP and answers its caller.</summary>
internal sealed class ProxySender(
    HttpContext context, AuthenticationState caller, Forwarder forwarder, ApiAnswers answers, OwnKeyProof proof) : IUpstreamSender
{
    private readonly RequestContext _request = RequestContext.Of(context);
    private RouteRule? _rule;

    public Task<UpstreamOutcome> SendAsync(AuthorizationResult result, CancellationToken cancel)
    {
        Upgrades.Remove(context);
        return caller.OwnKey is not { } key ? SendAuthorizedAsync(result)
            : proof.Covers(_request, key, result) ? SendProvenAsync(result)
            : SendWithOwnKeyAsync(result);
    }

    public async ValueTask<int> RefuseAsync(AuthorizationResult result, Reason reason)
    {
        if (context.Response.HasStarted)
        {
            return context.Response.StatusCode;
        }

        foreach (var name in AuthorizedTransformer.PassedOn.Where(name => name != AuthorizedTransformer.RetryAfter))
        {
            context.Response.Headers.Remove(name);
        }

        // What did not become of Headscale's answer says nothing to the caller; when to come back does.
        await answers.RefuseAsync(context, caller, result.Decision with { Reason = reason });
        return context.Response.StatusCode;
    }

    /// <summary>As it was judged, on the gateway's own account.</summary>
    private async Task<UpstreamOutcome> SendAuthorizedAsync(AuthorizationResult result)
    {
        var (configuration, decision) = (_request.Configuration, result.Decision);
        var isHeadscale = Upstreams.IsHeadscale(decision.Rule);
        if (isHeadscale && !configuration.Settings.Headscale.ServesPeople)
        {
            return new(Reason.UpstreamKeyMissing, 0);
        }

        var transformer = new AuthorizedTransformer(
            result, Upstreams.AddressOf(configuration, decision.Rule), isHeadscale, result.FilterFor(caller.Principal));
        RequestBodyFeature.Replace(context, result.UpstreamBody);
        var error = await forwarder.SendJudgedAsync(context, transformer, isHeadscale);
        forwarder.Notice(context, error);
        var reason = transformer.Withheld ?? (IsFailure(error) ? Reason.UpstreamUnavailable : decision.Reason);
        return OutcomeOf(reason) with { Made = transformer.Made };
    }

    /// <summary>For a caller whose key Headscale took a moment ago: all that a key may see, without asking for it again.</summary>
    private async Task<UpstreamOutcome> SendProvenAsync(AuthorizationResult result)
    {
        var transformer = new AuthorizedTransformer(
            result, Upstreams.AddressOf(_request.Configuration, result.Decision.Rule), isHeadscale: false, ResponseFilter.Everything)
        {
            Credential = context.Request.Headers.Authorization.ToString(),
        };
        RequestBodyFeature.Replace(context, null);
        var error = await forwarder.SendJudgedAsync(context, transformer, isHeadscale: true);
        forwarder.Notice(context, error);
        return OutcomeOf(IsFailure(error) ? Reason.UpstreamUnavailable : result.Decision.Reason);
    }

    /// <summary>With the caller's own key, as it came: Headscale judges it.</summary>
    private async Task<UpstreamOutcome> SendWithOwnKeyAsync(AuthorizationResult result)
    {
        if (result.Call.Body is not null)
        {
            // It was read and judged, and so it is what is sent.
            RequestBodyFeature.Replace(context, result.UpstreamBody);
            context.Request.ContentType = result.UpstreamBody is null ? null : result.UpstreamBodyType;
        }

        _rule = result.Decision.Rule;
        // What was judged of a call on API keys is what is sent: also its path and query.
        var isJudged = !result.Call.IsSafe && result.Decision.Rule is { SparesGatewayKey: true };
        var transformer = new PassThroughTransformer(
            Upstreams.AddressOf(_request.Configuration, null), keepsHost: false, target: isJudged ? result.UpstreamTarget : null);
        context.Response.OnStarting(NoteAnswerAsync);
        var error = await forwarder.SendAsync(context, transformer, Upstreams.Calls);
        forwarder.Notice(context, error);
        return OutcomeOf(IsFailure(error) ? Reason.UpstreamUnavailable : result.Decision.Reason);
    }

    private Task NoteAnswerAsync()
    {
        proof.Note(_request, caller.OwnKey!, _rule, context.Response.StatusCode, context.Response.ContentType);
        return Task.CompletedTask;
    }

    private UpstreamOutcome OutcomeOf(Reason reason) => new(reason, context.Response.StatusCode);

    /// <summary>Whether Headscale could not be reached. A caller who left is no trouble of Headscale's.</summary>
    private bool IsFailure(ForwarderError error) =>
        !context.RequestAborted.IsCancellationRequested
            && error is not (ForwarderError.None or ForwarderError.RequestCanceled or ForwarderError.ResponseBodyCanceled);
}
