using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Forwarding;

/// <summary>What the audit says of a call, before it is known how it ends.</summary>
internal static class CallEntry
{
    private const int LongestPath = 256;
    private const int LongestArguments = 1024;
    private const int LongestText = 255;
    private const string Hidden = "(hidden)";

    /// <summary>Arguments that are a secret, or stand for a device that is just being let in.</summary>
    private static readonly FrozenSet<string> _secrets = FrozenSet.Create(StringComparer.Ordinal, "key", "authId");

    private static readonly FrozenDictionary<Reason, string> _reasons = Enum.GetValues<Reason>().ToFrozenDictionary(one => one, one => SnakeCase.From(one.ToString()));

    /// <param name="ownKey">The public prefix of the caller's own Headscale key.</param>
    public static AuditEntry Of(RequestContext request, string method, string path, Judgement judgement, Principal? who, string? ownKey, DateTimeOffset now) => new()
    {
        At = now,
        RequestId = request.RequestId,
        Kind = AuditKind.Api,
        Actor = ownKey is not null ? $"key:{ownKey}" : who?.Label,
        Role = who?.Role.Name,
        HeadscaleUser = who?.User?.Id,
        Row = judgement.Decision.Rule?.Id,
        Method = method,
        Path = Cut(path),
        Reason = NameOf(judgement.Decision.Reason),
        Client = request.Peer.Client?.ToString(),
        Detail = judgement.Decision.Detail ?? who?.NoteFor(judgement.Decision.Reason),
        After = judgement.Call.IsSafe ? null : Arguments(judgement.Call),
    };

    /// <summary>What a change sets, as it was judged: each argument, the policy by its hash, and nothing that opens a door.</summary>
    private static string? Arguments(Call call)
    {
        var given = call.Query.Select(one => $"{one.Key}: {(_secrets.Contains(one.Key) ? Hidden : one.Value)}")
            .Concat((call.Body ?? FrozenDictionary<string, Argument>.Empty).Select(one => $"{one.Key}: {(_secrets.Contains(one.Key) ? Hidden : TextOf(one.Value))}"));
        var text = string.Join(", ", given);
        return text.Length == 0 ? null : text.Length > LongestArguments ? text[..LongestArguments] : text;
    }

    private static string TextOf(Argument argument) => argument switch
    {
        { List: { } list } => $"[{string.Join(", ", list)}]",
        { Text: { Length: > LongestText } text } => $"{text.Length} characters, sha256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}",
        { Text: { } text } => text,
        { Flag: { } flag } => flag ? "true" : "false",
        _ => $"{argument.Number}",
    };

    /// <summary>A path as the audit has it.</summary>
    public static string Cut(string path) => path.Length > LongestPath ? path[..LongestPath] : path;

    public static string NameOf(Reason reason) => _reasons[reason];
}
