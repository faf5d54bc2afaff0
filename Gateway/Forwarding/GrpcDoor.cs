using System.Text.Json;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;
using Gateway.Policy;
using Gateway.Users;
using Grpc.Core;

namespace Gateway.Forwarding;

/// <summary>
/// gRPC, as the <c>headscale</c> command line speaks it up to 0.29: a call becomes the operation that does the same, is authorized,
/// sent, filtered and audited like one of the JSON API, and its answer becomes a message again.
/// </summary>
internal sealed class GrpcDoor(
    Authentication authentication, CallLimits limits, Authorizer authorizer, AuthorizedCall calls, ClientSenders senders,
    UpstreamMonitor upstream)
{
    private const int LargestWithoutBody = 64 * 1024;

    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool IsCall(HttpContext context) =>
        context.Request.ContentType?.StartsWith(GrpcFrame.MediaType, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>Answers a call. Errors are headers alone, with gRPC's codes.</summary>
    public async Task RunAsync(HttpContext context)
    {
        var (cancel, response) = (context.RequestAborted, context.Response);
        try
        {
            if (!HttpProtocol.IsHttp2(context.Request.Protocol))
            {
                throw new GrpcFrameException(StatusCode.Internal, "gRPC needs HTTP/2 all the way; see docs/fronts.md for the front");
            }

            if (context.Request.Path.Value?.Split('/') is not ["", GrpcMethods.Service, var name]
                || GrpcMethods.Find(name) is not { } method)
            {
                throw new GrpcFrameException(StatusCode.Unimplemented, "there is no such method");
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            if (GrpcFrame.TimeoutOf(context.Request) is { } timeout)
            {
                patience.CancelAfter(timeout);
            }

            await AnswerAsync(context, method, patience.Token);
        }
        catch (GrpcFrameException e)
        {
            GrpcFrame.Fail(response, e.Code, e.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            GrpcFrame.Fail(response, StatusCode.DeadlineExceeded, "the caller's time is over");
        }
    }

    private async Task AnswerAsync(HttpContext context, GrpcMethod method, CancellationToken cancel)
    {
        // :: Steps 1 and 2. The edge, and one credential: as for the JSON API.
        var request = RequestContext.Of(context);
        var caller = await authentication.AuthenticateAsync(context);

        // :: Step 3. Authorize: nothing is asked or read for who has no share left, or no credential that counts.
        var (rule, version) = (GrpcCall.RuleOf(method, request.Configuration.Table), HeadscaleVersion.Oldest);
        var (path, result) = (method.Pattern, RefusalOf(request, caller, method, rule));
        if (result is null)
        {
            version = await VersionAsync(cancel);
            var message = await GrpcFrame.ReadAsync(context.Request, LargestFor(rule), cancel);
            var source = new GrpcCall(method, rule, message, version, request.Configuration.Table, hasOwnKey: caller.OwnKey is not null);
            result = await authorizer.AuthorizeAsync(new(source, ApiPipeline.FactsOf(context, caller)) { Version = version }, cancel);
            path = source.Path;
        }

        if (caller.OwnKey is not null && !result.Decision.IsAllowed)
        {
            limits.KeyWasRefused(request);
        }

        // :: Steps 4 to 6. Audit, send, audit. A change that was begun comes to its end, whatever the caller's deadline.
        var sender = senders.For(context, caller, request.RequestId);
        var call = new DecidedCall(request, request.RequestId, path, caller, result);
        var outcome = await calls.RunAsync(call, sender, result.Call.IsSafe ? cancel : CancellationToken.None);
        await ShowAsync(context, method, version, caller, result.Decision with { Reason = outcome.Reason }, sender);
    }

    /// <summary>Why a call is refused before it is read; null when it is not.</summary>
    private AuthorizationResult? RefusalOf(RequestContext request, AuthenticationState caller, GrpcMethod method, RouteRule? rule) =>
        limits.Take(caller, request) is not null ? AuthorizationResult.Refused(method.Verb, Reason.TooMany)
        : caller.Problem is var (reason, detail) ? AuthorizationResult.Refused(method.Verb, reason, detail)
        : caller.Principal is null && caller.OwnKey is null
            ? new(new Decision(Reason.SignInRequired, rule), new Call { Method = method.Verb })
            : null;

    /// <summary>The largest message of an operation: what its body may have over HTTP.</summary>
    private static int LargestFor(RouteRule? rule) => rule?.Body is { } name ? Bodies.All[name].Limit : LargestWithoutBody;

    private async ValueTask<HeadscaleVersion> VersionAsync(CancellationToken cancel)
    {
        try
        {
            var version = await upstream.VersionAsync(cancel);
            return version.Minor <= GrpcMethods.LastMinor
                ? version
                : throw new GrpcFrameException(
                    StatusCode.Unimplemented, $"Headscale {version} has no gRPC: use the command line of that version, which speaks HTTP");
        }
        catch (HeadscaleException e)
        {
            throw new GrpcFrameException(StatusCode.Unavailable, Refusals.TextOf(new(e.Reason)));
        }
    }

    private static async Task ShowAsync(
        HttpContext context, GrpcMethod method, HeadscaleVersion version, AuthenticationState caller, Decision decision,
        ClientSender sender)
    {
        if (decision.Reason is not (Reason.Allowed or Reason.PassedThrough))
        {
            var refusal = new Refusal(decision.Reason, caller.Principal?.Role.Name, decision.Lacks, decision.Detail);
            throw new GrpcFrameException(GrpcErrors.CodeOf(Refusals.StatusOf(decision.Reason)), Refusals.TextOf(refusal));
        }

        if (caller.OwnKey is not null && HeadscaleAnswers.SaysKeyRefused(sender.Status, sender.ContentType, version))
        {
            throw new GrpcFrameException(StatusCode.Unauthenticated, "Headscale does not take this API key");
        }

        if (sender.Status is < 200 or >= 300)
        {
            throw new GrpcFrameException(
                HeadscaleErrors.CodeOf(sender.Json) is { } code ? (StatusCode)code : GrpcErrors.CodeOf(sender.Status),
                HeadscaleErrors.TextOf(sender.Json) ?? $"Headscale answered {sender.Status}");
        }

        try
        {
            using var json = JsonDocument.Parse(sender.Json);
            await GrpcFrame.WriteAsync(context.Response, GrpcJson.Read(method.Response, json.RootElement, version), context.RequestAborted);
        }
        catch (Exception e) when (e is JsonException or WireException or InvalidOperationException)
        {
            throw new GrpcFrameException(StatusCode.Internal, Refusals.TextOf(new(Reason.UpstreamNotUnderstood)));
        }
    }
}
