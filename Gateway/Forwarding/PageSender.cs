using System.Text.Json;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>Sends a call of a page to Headscale and keeps the answer for the page.</summary>
/// <param name="reference">The reference of the call.</param>
internal sealed class PageSender(HttpContext context, Principal principal, string reference, Upstreams upstreams) : IUpstreamSender
{
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);

    /// <summary>Headscale's status; 0 when it was not asked.</summary>
    public int Status { get; private set; }

    /// <summary>Headscale's answer as far as the person may see it.</summary>
    public byte[] Json { get; private set; } = [];

    /// <summary>What went wrong on the way.</summary>
    public string? Detail { get; private set; }

    public async Task<UpstreamOutcome> SendAsync(AuthorizationResult result, CancellationToken cancel)
    {
        var (configuration, decision) = (RequestContext.Of(context).Configuration, result.Decision);
        var isHeadscale = Upstreams.IsHeadscale(decision.Rule);
        if (isHeadscale && !configuration.Settings.Headscale.ServesPeople)
        {
            return new(Reason.UpstreamKeyMissing, 0);
        }

        var address = UpstreamHeaders.AddressOf(Upstreams.AddressOf(configuration, decision.Rule), result.UpstreamTarget);
        using var message = new HttpRequestMessage(
            new HttpMethod(result.Call.Method), address)
        { Content = UpstreamHeaders.BodyOf(result) };
        UpstreamHeaders.WriteAuthorized(message, context, result, reference);
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(_longest);
            using var answer = await (isHeadscale ? upstreams.Judged : upstreams.Http).SendAsync(message, patience.Token);
            return isHeadscale && await HeadscaleAnswers.IsKeyRejectedAsync(answer, patience.Token)
                ? new(Reason.UpstreamKeyRejected, 0)
                : await ReadAsync(answer, result, patience.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            Detail = e.Message;
            return new(Reason.UpstreamUnavailable, 0);
        }
    }

    public ValueTask<int> RefuseAsync(AuthorizationResult result, Reason reason) => new(Refusals.StatusOf(reason));

    private async Task<UpstreamOutcome> ReadAsync(HttpResponseMessage answer, AuthorizationResult result, CancellationToken cancel)
    {
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancel);
            using var json = new MemoryStream();
            var filter = ResponseFilter.For(result.Decision, principal.User?.Id, principal.Role) with { OwnNodes = result.OwnNodes };
            await (answer.IsSuccessStatusCode
                && !filter.IsTransparent ? filter.CopyAsync(body, json, cancel) : body.CopyToAsync(json, cancel));
            (Status, Json) = ((int)answer.StatusCode, json.ToArray());
            var isMade = answer.IsSuccessStatusCode && !result.Call.IsSafe;
            return new(result.Decision.Reason, Status, isMade ? ChangeSubjects.MadeBy(Json) : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new(Reason.UpstreamNotUnderstood, 0);
        }
    }
}
