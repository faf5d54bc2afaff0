using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Gateway.Audit;
using Gateway.Policy;

namespace Gateway.Authorization;

/// <summary>What the audit says of a call, before it is known how it ends.</summary>
internal sealed class AuditEntryFactory(TimeProvider clock)
{
    private const int LongestPath = 256;
    private const int LongestArguments = 1024;
    private const int LongestText = 255;
    private const string Hidden = "(hidden)";

    /// <summary>Arguments that are a secret, or stand for a device that is just being let in.</summary>
    private static readonly FrozenSet<string> _secrets = FrozenSet.Create(StringComparer.Ordinal, "key", "authId");

    private static readonly FrozenDictionary<Reason, string> _reasons =
        Enum.GetValues<Reason>().ToFrozenDictionary(reason => reason, reason => SnakeCase.From(reason.ToString()));

    /// <summary>The entry of a call that is about to be sent.</summary>
    public AuditEntry Create(DecidedCall call) => Create(call, call.Result.Decision.Reason, null, null);

    /// <summary>The entry of a call that has ended.</summary>
    /// <param name="duration">How long it took.</param>
    public AuditEntry Create(DecidedCall call, UpstreamOutcome outcome, TimeSpan duration) =>
        Create(call, outcome.Reason, outcome.Status, duration);

    private AuditEntry Create(DecidedCall call, Reason reason, int? status, TimeSpan? duration)
    {
        var (result, principal) = (call.Result, call.Caller.Principal);
        return new()
        {
            At = clock.GetUtcNow() - (duration ?? TimeSpan.Zero),
            RequestId = call.Reference,
            Kind = AuditKind.Api,
            Actor = call.Caller.OwnKey is { } key ? $"key:{key.Prefix}" : principal?.Label,
            Token = principal?.TokenLabel ?? call.Caller.Token,
            Role = principal?.Role.Name,
            HeadscaleUser = principal?.User?.Id,
            Row = result.Decision.Rule?.Id,
            Method = result.Call.Method,
            Path = Cut(call.Path),
            Reason = NameOf(reason),
            Status = status,
            Client = call.Request.Peer.Client?.ToString(),
            Duration = duration?.TotalMilliseconds,
            Detail = result.Decision.Detail ?? principal?.NoteFor(result.Decision.Reason),
            After = result.Call.IsSafe ? null : Arguments(result.Call),
        };
    }

    /// <summary>A path as the audit has it.</summary>
    public static string Cut(string path) => path.Length > LongestPath ? path[..LongestPath] : path;

    /// <summary>How a reason is written.</summary>
    public static string NameOf(Reason reason) => _reasons[reason];

    /// <summary>
    /// What a change sets, as it was judged: each argument by name, the policy by its hash, and nothing that opens a door.
    /// </summary>
    private static string? Arguments(Call call)
    {
        var given = call.Query.Select(argument => (argument.Key, Text: argument.Value))
            .Concat((call.Body ?? Call.NoMembers).Select(member => (member.Key, Text: TextOf(member.Value))))
            .OrderBy(one => one.Key, StringComparer.Ordinal);
        var text = string.Join(", ", given.Select(one => $"{one.Key}: {(_secrets.Contains(one.Key) ? Hidden : one.Text)}"));
        return text.Length == 0 ? null : text.Length > LongestArguments ? text[..LongestArguments] : text;
    }

    private static string TextOf(Argument argument) => argument switch
    {
        { List: { } list } => $"[{string.Join(", ", list)}]",
        { Text: { Length: > LongestText } text } =>
            $"{text.Length} characters, sha256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}",
        { Text: { } text } => text,
        { Flag: { } flag } => flag ? "true" : "false",
        _ => $"{argument.Number}",
    };
}
