using System.Text.Json;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>Makes the senders of calls whose answer is shown as something else: on a page, or by gRPC.</summary>
internal sealed class ClientSenders(Upstreams upstreams, OwnKeyProof proof)
{
    /// <param name="reference">The reference of the call.</param>
    public ClientSender For(HttpContext context, AuthenticationState caller, string reference) =>
        new(context, caller, reference, upstreams, proof);
}

/// <summary>Sends a call to Headscale by an HTTP client and keeps the answer, as far as the caller may see it.</summary>
/// <param name="reference">The reference of the call.</param>
internal sealed class ClientSender(
    HttpContext context, AuthenticationState caller, string reference, Upstreams upstreams, OwnKeyProof proof) : IUpstreamSender
{
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);

    /// <summary>What an answer says of its length is believed up to here; a list of 10,000 nodes has 20 MB.</summary>
    private const int LargestGuess = 32 * 1024 * 1024;

    private bool _isJudgedThere;

    /// <summary>Headscale's status; 0 when it was not asked.</summary>
    public int Status { get; private set; }

    /// <summary>Headscale's answer as far as the person may see it.</summary>
    public byte[] Json { get; private set; } = [];

    /// <summary>The media type of Headscale's answer.</summary>
    public string? ContentType { get; private set; }

    /// <summary>What went wrong on the way.</summary>
    public string? Detail { get; private set; }

    public async Task<UpstreamOutcome> SendAsync(AuthorizationResult result, CancellationToken cancel)
    {
        var (configuration, decision) = (RequestContext.Of(context).Configuration, result.Decision);
        var isHeadscale = Upstreams.IsHeadscale(decision.Rule);
        if (isHeadscale && caller.OwnKey is null && !configuration.Settings.Headscale.ServesPeople)
        {
            return new(Reason.UpstreamKeyMissing, 0);
        }

        var address = UpstreamHeaders.AddressOf(Upstreams.AddressOf(configuration, decision.Rule), result.UpstreamTarget);
        using var message = new HttpRequestMessage(
            new HttpMethod(result.Call.Method), address)
        { Content = UpstreamHeaders.BodyOf(result) };
        UpstreamHeaders.WriteAuthorized(message, context, result, reference);
        var http = HttpFor(message, result, isHeadscale);
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(_longest);
            using var answer = await http.SendAsync(message, patience.Token);
            return isHeadscale && caller.OwnKey is null && await HeadscaleAnswers.IsKeyRejectedAsync(answer, patience.Token)
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

    /// <summary>The way of a call: what Headscale still has to judge goes over TCP, with the caller's own key.</summary>
    private HttpMessageInvoker HttpFor(HttpRequestMessage message, AuthorizationResult result, bool isHeadscale)
    {
        if (caller.OwnKey is not { } key)
        {
            return isHeadscale ? upstreams.Judged : upstreams.Http;
        }

        var credential = context.Request.Headers.Authorization.ToString();
        if (proof.Covers(RequestContext.Of(context), key, result))
        {
            HeadscaleHandler.SetCredential(message, credential);
            return upstreams.Judged;
        }

        _isJudgedThere = true;
        message.Headers.TryAddWithoutValidation("Authorization", credential);
        return upstreams.Http;
    }

    /// <summary>Without a copy where all of what was set aside was needed.</summary>
    private static byte[] BytesOf(MemoryStream stream) => stream.Length == stream.Capacity ? stream.GetBuffer() : stream.ToArray();

    public ValueTask<int> RefuseAsync(AuthorizationResult result, Reason reason) => new(Refusals.StatusOf(reason));

    private async Task<UpstreamOutcome> ReadAsync(HttpResponseMessage answer, AuthorizationResult result, CancellationToken cancel)
    {
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancel);
            using var json = new MemoryStream((int)Math.Clamp(answer.Content.Headers.ContentLength ?? 0, 0, LargestGuess));
            var filter = caller.OwnKey is not null ? ResponseFilter.Everything : result.FilterFor(caller.Principal);
            await (answer.IsSuccessStatusCode
                && !filter.IsTransparent ? filter.CopyAsync(body, json, cancel) : body.CopyToAsync(json, cancel));
            (Status, Json, ContentType) = ((int)answer.StatusCode, BytesOf(json), answer.Content.Headers.ContentType?.MediaType);
            if (_isJudgedThere)
            {
                proof.Note(RequestContext.Of(context), caller.OwnKey!, result.Decision.Rule, Status, ContentType);
            }

            var isMade = answer.IsSuccessStatusCode && !result.Call.IsSafe;
            return new(result.Decision.Reason, Status, isMade ? ChangeSubjects.MadeBy(Json) : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new(Reason.UpstreamNotUnderstood, 0);
        }
    }
}
