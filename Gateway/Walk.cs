using Gateway.Web;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway;

/// <summary>
/// The way of a request through YARP's pipeline, from what is known about it to the answer:
/// 1 edge (<see cref="RequestContext"/>, before this), 2 identity, 3 link and 4 role, 5 decision, 6 forward, 7 audit.
/// </summary>
internal sealed class Walk(
    Authentication authentication, RateLimits limits, Judge judge, UpstreamMonitor upstream, UserDirectory directory, OwnerLookup owners, AuditLog audit, TimeProvider clock)
{
    /// <summary>Middleware in YARP's pipeline: <paramref name="forward"/> sends the request on.</summary>
    public Task RunAsync(HttpContext context, RequestDelegate forward)
    {
        var request = context.Features.GetRequiredFeature<RequestContext>();
        var route = context.GetReverseProxyFeature().Route.Config.RouteId;
        var target = RawTarget.Of(context);
        var (row, _) = request.Configuration.Table.Find(context.Request.Method, target?.Path ?? "");
        if (row is { Plane: Plane.Client } && row.Id == route)
        {
            if (row.UpgradeOnly && context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true })
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                return Task.CompletedTask;
            }

            context.Features.Set<ForwardingPlan>(new ForwardingPlan.PassThrough(KeepsHost: row.Cluster == RouteRule.Headscale, row.Tunnel));
            return row.Since > 0 ? AskForTokenAsync(context, request, row, forward) : forward(context);
        }

        if (!context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            // ASP.NET folds case and decodes where the rows do not: such a request has no row.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        // The row that YARP chose and the row that is judged are the same, or there is none.
        return CallApiAsync(context, request, row is not null && row.Id != route ? null : target, forward);
    }

    /// <summary>An OAuth client shows its secret, which somebody may be guessing. Older versions do not have that.</summary>
    private async Task AskForTokenAsync(HttpContext context, RequestContext request, RouteRule row, RequestDelegate forward)
    {
        if (limits.TakeAnonymous(request.Peer.Client) is { } wait)
        {
            RateLimits.SetRetryAfter(context.Response, wait);
            await Refusals.WriteAsync(context, new(Reason.TooMany), StyleOf(context));
            return;
        }

        try
        {
            if ((await upstream.VersionAsync(context.RequestAborted)).Minor >= row.Since)
            {
                await forward(context);
                return;
            }
        }
        catch (HeadscaleException e)
        {
            await Refusals.WriteAsync(context, new(e.Reason), StyleOf(context));
            return;
        }

        await Refusals.WriteAsync(context, new(Reason.NoSuchRoute, Detail: $"Headscale has it since 0.{row.Since}"), StyleOf(context));
    }

    private async Task CallApiAsync(HttpContext context, RequestContext request, RawTarget? target, RequestDelegate forward)
    {
        var ruling = await RuleAsync(context, request, target);
        var decision = ruling.Judgement.Decision;
        if (ruling.Key is not null && !decision.IsAllowed)
        {
            // Whether the key is good was never asked: it may be anybody's.
            limits.TakeAnonymous(request.Peer.Client);
        }

        if (decision.IsAllowed && !IsSafe(context) && !await audit.BeginAsync(Entry(context, request, ruling), context.RequestAborted))
        {
            await Refusals.WriteAsync(context, new(Reason.AuditUnavailable), StyleOf(context));
            return;
        }

        var reason = decision.Reason;
        try
        {
            reason = decision.IsAllowed ? await ForwardAsync(context, request, ruling, forward) : reason;
            if (reason is Reason.SignInRequired && PageAnswers.IsNavigation(context) && PageAnswers.HasLogin(request.Configuration))
            {
                context.Response.Redirect(PageAnswers.LoginUrl(context, target?.ToString() ?? "/"));
            }
            else if (reason is not (Reason.Allowed or Reason.PassedThrough) && !context.Response.HasStarted)
            {
                await Refusals.WriteAsync(context, new(reason, ruling.Principal?.Role.Name, decision.Lacks, decision.Detail), StyleOf(context));
            }
        }
        finally
        {
            await RecordAsync(context, request, ruling, reason);
        }
    }

    /// <summary>Steps 2 to 5.</summary>
    private async Task<Ruling> RuleAsync(HttpContext context, RequestContext request, RawTarget? target)
    {
        var configuration = request.Configuration;
        var (principal, key, problem) = await authentication.AuthenticateAsync(context, request);
        if (TakeFromLimits(request, principal, key) is { } wait)
        {
            RateLimits.SetRetryAfter(context.Response, wait);
            return Ruling.Of(context, Reason.TooMany) with { Principal = principal, Key = key };
        }

        if (problem is var (reason, detail))
        {
            return Ruling.Of(context, reason, detail);
        }

        Task<(byte[], (Reason, string)?)> ReadBodyAsync(BodyForm form) => BodyReader.ReadAsync(context, form);
        ValueTask<HeadscaleVersion> VersionAsync() => upstream.VersionAsync(context.RequestAborted);
        if (key is not null)
        {
            var asked = new Case(configuration.Table, context.Request.Method, target, BodyReader.HasBody(context), Facts.Nobody);
            return new Ruling(await judge.DecideOwnKeyAsync(asked, ReadBodyAsync, VersionAsync, context.RequestAborted), null) { Key = key };
        }

        var facts = new Facts(
            SignedIn: principal is not null,
            principal?.Role ?? Role.Unknown,
            principal?.User,
            SameOrigin.IsCrossSite(context.Request, configuration.Settings.Server.BaseUrl),
            Ownership.Unknown);
        var judgement = await judge.DecideAsync(
            new Case(configuration.Table, context.Request.Method, target, BodyReader.HasBody(context), facts) { Header = name => context.Request.Headers[name].ToArray() },
            ReadBodyAsync,
            VersionAsync,
            context.RequestAborted);
        return new Ruling(judgement, principal);
    }

    /// <summary>How long to wait. Whether a key of one's own is good is known only after Headscale was asked.</summary>
    private TimeSpan? TakeFromLimits(RequestContext request, Principal? principal, string? key) =>
        principal is not null ? limits.TakeCaller(principal.Label)
        : key is not null ? limits.CheckAnonymous(request.Peer.Client) ?? limits.TakeCaller($"key:{key}")
        : limits.TakeAnonymous(request.Peer.Client);

    /// <summary>Step 6. Gives the reason that the caller is answered with.</summary>
    private async Task<Reason> ForwardAsync(HttpContext context, RequestContext request, Ruling ruling, RequestDelegate forward)
    {
        var judgement = ruling.Judgement;
        var key = request.Configuration.Settings.Headscale.ApiKey;
        ForwardingPlan.Rewritten? judged = null;
        if (judgement.Decision.Reason is Reason.PassedThrough)
        {
            context.Features.Set<ForwardingPlan>(new ForwardingPlan.PassThrough(KeepsHost: false, IsTunnel: false));
            context.Response.OnStarting(() =>
            {
                if (Answers.RefusedKey(context.Response.StatusCode, upstream.Status.Version))
                {
                    limits.TakeAnonymous(request.Peer.Client);
                }

                return Task.CompletedTask;
            });
            if (judgement.Call.Body is not null)
            {
                // It was read and judged, and so it is what is sent.
                RebuiltBody.Replace(context, judgement.UpstreamBody);
            }
        }
        else
        {
            var isHeadscale = judgement.Decision.Rule!.Cluster == RouteRule.Headscale;
            if (isHeadscale && key is null)
            {
                return Reason.UpstreamKeyMissing;
            }

            judged = new ForwardingPlan.Rewritten(judgement.UpstreamTarget, judgement.UpstreamBody, isHeadscale ? key : null, ruling.Filter) { Headers = judgement.Call.Headers, BodyType = judgement.UpstreamBodyType };
            context.Features.Set<ForwardingPlan>(judged);
            RebuiltBody.Replace(context, judged.Body);
        }

        await forward(context);
        if (!IsSafe(context))
        {
            directory.Invalidate();
            owners.Invalidate();
        }

        if (judged?.Withheld is Reason.UpstreamKeyRejected)
        {
            upstream.KeyWasRejected();
        }

        return judged?.Withheld ?? (context.GetForwarderErrorFeature() is { Error: not (ForwarderError.RequestCanceled or ForwarderError.ResponseBodyCanceled) }
            ? Reason.UpstreamUnavailable
            : judgement.Decision.Reason);
    }

    /// <summary>Step 7: the outcome of a begun call, or the whole entry of every other.</summary>
    private ValueTask RecordAsync(HttpContext context, RequestContext request, Ruling ruling, Reason reason)
    {
        var (status, duration) = (context.Response.StatusCode, clock.GetElapsedTime(request.Started).TotalMilliseconds);
        return ruling.Judgement.Decision.IsAllowed && !IsSafe(context)
            ? audit.CompleteAsync(new AuditOutcome(request.RequestId, CallEntry.NameOf(reason), status, duration))
            : audit.RecordAsync(Entry(context, request, ruling) with { Reason = CallEntry.NameOf(reason), Status = status, Duration = duration }, CancellationToken.None);
    }

    private AuditEntry Entry(HttpContext context, RequestContext request, Ruling ruling) =>
        CallEntry.Of(request, context.Request.Method, RawTarget.Of(context)?.Path ?? "", ruling.Judgement, ruling.Principal, ruling.Key, clock.GetUtcNow());

    private ErrorStyle StyleOf(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/api/v2", StringComparison.Ordinal) ? ErrorStyle.Tailscale : upstream.ErrorStyle;

    private static bool IsSafe(HttpContext context) => context.Request.Method is "GET" or "HEAD" or "OPTIONS";

    /// <summary>Everything that was found out about a call up to the decision.</summary>
    private sealed record Ruling(Judgement Judgement, Principal? Principal)
    {
        /// <summary>The public prefix of the caller's own Headscale key.</summary>
        public string? Key { get; init; }

        public ResponseFilter Filter => ResponseFilter.For(Judgement.Decision, Principal?.User?.Id, Principal?.Role) with { OwnNodes = Judgement.OwnNodes };

        public static Ruling Of(HttpContext context, Reason reason, string? detail = null) =>
            new(new Judgement(new Decision(reason, null, Detail: detail), new Call { Method = context.Request.Method }), null);
    }
}
