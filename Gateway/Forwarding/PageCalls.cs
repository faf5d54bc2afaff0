using System.Text;
using System.Text.Json;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>What a call of a page came to.</summary>
/// <param name="Decision">What was decided, or what else kept it from its answer.</param>
/// <param name="Status">Headscale's status; 0 when it was not asked.</param>
/// <param name="Json">Headscale's answer as far as the person may see it; empty for none.</param>
internal sealed record PageCall(Decision Decision, int Status, byte[] Json)
{
    public bool IsDone => Decision.IsAllowed && Status is >= 200 and < 300;

    /// <summary>What Headscale said was wrong, in its own words.</summary>
    public string? Complaint
    {
        get
        {
            try
            {
                using var json = JsonDocument.Parse(Json);
                return json.RootElement.TryGetProperty("message", out var text) || json.RootElement.TryGetProperty("detail", out text) ? text.GetString() : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}

/// <summary>
/// Calls that own pages make for the person who looks at them: judged, written anew, filtered and audited like those that
/// come in over the API.
/// </summary>
internal sealed class PageCalls(Judge judge, HeadscaleClient headscale, UpstreamMonitor upstream, UserDirectory directory, OwnerLookup owners, AuditLog audit, TimeProvider clock)
{
    private static readonly object _count = new();

    /// <summary>Makes one call. The first of a request has the request's reference, the others that with a number.</summary>
    /// <param name="target">Path and query.</param>
    public async Task<PageCall> SendAsync(HttpContext context, RequestContext request, Principal who, string method, string target, string body = "")
    {
        var (cancel, bytes) = (context.RequestAborted, Encoding.UTF8.GetBytes(body));
        var judgement = await judge.DecideAsync(
            CaseOf(request, who, method, target, bytes, Ownership.Unknown), _ => Task.FromResult<(byte[], (Reason, string)?)>((bytes, null)), () => upstream.VersionAsync(cancel), cancel);
        var number = context.Items[_count] is int before ? before + 1 : 1;
        context.Items[_count] = number;
        var reference = number == 1 ? request.RequestId : $"{request.RequestId}-{number}";
        var entry = CallEntry.Of(request, method, RawTarget.Parse(target)?.Path ?? "", judgement, who, null, clock.GetUtcNow()) with { RequestId = reference };
        var changes = judgement.Decision.IsAllowed && !judgement.Call.IsSafe;
        if (changes && !await audit.BeginAsync(entry, cancel))
        {
            return new(new(Reason.AuditUnavailable, judgement.Decision.Rule), 0, []);
        }

        var started = clock.GetTimestamp();
        var result = judgement.Decision.IsAllowed
            // A second click cancels the first request, and what it began must still come to its end.
            ? await AskAsync(request, who, judgement, changes ? CancellationToken.None : cancel)
            : new(judgement.Decision, 0, []);
        var (reason, status, took) = (CallEntry.NameOf(result.Decision.Reason), result.Status > 0 ? result.Status : Refusals.StatusOf(result.Decision.Reason), clock.GetElapsedTime(started).TotalMilliseconds);
        if (changes)
        {
            directory.Invalidate();
            owners.Invalidate();
            await audit.CompleteAsync(new AuditOutcome(reference, reason, status, took));
        }
        else
        {
            await audit.RecordAsync(entry with { Reason = reason, Status = status, Duration = took }, CancellationToken.None);
        }

        return result;
    }

    /// <summary>Whether a page should offer something: decided by what decides it when it is asked for.</summary>
    public bool Offers(RequestContext request, Principal who, string method, string target, bool isOwn, string body = "")
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var one = CaseOf(request, who, method, target, bytes, isOwn ? Ownership.Own : Ownership.Foreign);
        return Judge.Foresee(one with { Facts = one.Facts with { Key = TargetKey.Other } }, bytes, upstream.Assumed).IsAllowed;
    }

    private static Case CaseOf(RequestContext request, Principal who, string method, string target, byte[] body, Ownership owner) =>
        new(request.Configuration.Table, method, RawTarget.Parse(target), body.Length > 0, new Facts(true, who.Role, who.User, false, owner));

    private async Task<PageCall> AskAsync(RequestContext request, Principal who, Judgement judgement, CancellationToken cancel)
    {
        var decision = judgement.Decision;
        try
        {
            using var answer = await headscale.SendJudgedAsync(judgement.Call.Method, judgement.UpstreamTarget, judgement.UpstreamBody, judgement.UpstreamBodyType, cancel);
            if (await HeadscaleClient.IsKeyRejectedAsync(answer, cancel))
            {
                upstream.KeyWasRejected();
                return new(decision with { Reason = Reason.UpstreamKeyRejected }, 0, []);
            }

            await using var body = await answer.Content.ReadAsStreamAsync(cancel);
            using var json = new MemoryStream();
            var filter = ResponseFilter.For(decision, who.User?.Id, who.Role) with { OwnNodes = judgement.OwnNodes };
            if (!answer.IsSuccessStatusCode || filter.IsTransparent)
            {
                await body.CopyToAsync(json, cancel);
            }
            else
            {
                await filter.CopyAsync(body, json, cancel);
            }

            return new(decision, (int)answer.StatusCode, json.ToArray());
        }
        catch (HeadscaleException e)
        {
            return new(decision with { Reason = e.Reason, Detail = e.Message }, 0, []);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or HttpRequestException or IOException)
        {
            return new(decision with { Reason = Reason.UpstreamNotUnderstood }, 0, []);
        }
    }
}
