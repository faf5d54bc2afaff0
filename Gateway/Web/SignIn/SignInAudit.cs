using Gateway.Audit;
using Gateway.Authorization;
using Gateway.Edge;

namespace Gateway.Web.SignIn;

/// <summary>Writes down who came and went: sign-ins, refused ones, sign-outs and revoked sessions.</summary>
internal sealed class SignInAudit(AuditLog audit, TimeProvider clock)
{
    /// <param name="what">What happened, such as <c>sign_in.oidc</c>.</param>
    /// <param name="actor">Who; null when nobody is known yet.</param>
    /// <param name="reason"><c>done</c>, or why not, in snake case.</param>
    public ValueTask RecordAsync(
        HttpContext context, string what, string? actor, string reason, int status, string? role = null, string? detail = null)
    {
        var request = RequestContext.Of(context);
        return audit.RecordAsync(
            new AuditEntry
            {
                At = clock.GetUtcNow(),
                RequestId = request.RequestId,
                Kind = AuditKind.SignIn,
                Actor = actor,
                Role = role,
                Row = what,
                Method = context.Request.Method,
                Path = AuditEntryFactory.Cut(context.Request.Path),
                Reason = reason,
                Status = status,
                Client = request.Peer.Client?.ToString(),
                Duration = clock.GetElapsedTime(request.Started).TotalMilliseconds,
                Detail = detail,
            },
            CancellationToken.None);
    }
}
