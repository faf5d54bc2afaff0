using Gateway.Audit;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forward;

/// <summary>What the audit says of a call, before it is known how it ends.</summary>
internal static class CallEntry
{
    private const int LongestPath = 256;

    /// <param name="ownKey">The public prefix of the caller's own Headscale key.</param>
    public static AuditEntry Of(Visit visit, string method, string path, Judgement judgement, Admitted? who, string? ownKey, DateTimeOffset now) => new()
    {
        At = now,
        RequestId = visit.RequestId,
        Kind = AuditKind.Api,
        Actor = ownKey is not null ? $"key:{ownKey}" : who?.Label,
        Role = who?.Role.Name,
        HeadscaleUser = who?.User?.Id,
        Row = judgement.Decision.Row?.Id,
        Method = method,
        Path = path.Length > LongestPath ? path[..LongestPath] : path,
        Reason = NameOf(judgement.Decision.Reason),
        Client = visit.Peer.Client?.ToString(),
        Detail = judgement.Decision.Detail,
    };

    public static string NameOf(Reason reason) => SnakeCase.From(reason.ToString());
}
