using System.Text.Json.Serialization;
using Gateway.Documents;

namespace Gateway.Audit;

/// <summary>Where a chain ended when it was signed last.</summary>
/// <param name="Chain">Which chain; in files there is one.</param>
/// <param name="Number">Its last line.</param>
/// <param name="Hash">The hash of that line.</param>
internal sealed record AuditHead(string Chain, long Number, string Hash)
{
    /// <summary>The only chain of an audit in files.</summary>
    public const string Files = "files";

    /// <summary>When that was.</summary>
    public DateTimeOffset At { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AuditHead))]
internal sealed partial class AuditHeadJson : JsonSerializerContext;

/// <summary>
/// Remembers in the store where the audit's chains were signed last, so that lines up to there cannot be taken off or written anew unseen.
/// </summary>
internal sealed class AuditHeads(DocumentSet documents)
{
    public const string Kind = "audit-head";

    private readonly DocumentCollection<AuditHead> _heads = documents.Add(NewCollection());

    /// <summary>Of every chain that was signed at least once.</summary>
    public IReadOnlyList<AuditHead> All => [.. _heads.Snapshot.Values];

    public static DocumentCollection<AuditHead> NewCollection() => new(Kind, AuditHeadJson.Default.AuditHead, one => one.Chain, _ => []);

    /// <exception cref="Settings.StoreException">It could not be stored.</exception>
    public Task RememberAsync(AuditHead head) => documents.ChangeAsync(batch =>
    {
        if (_heads.Snapshot.Find(_heads.IdOf(head)) is not { } known || known.Number < head.Number)
        {
            batch.Put(_heads, head);
        }

        return 0;
    });

    /// <summary>Forgets chains that ended before a time: retention deleted them.</summary>
    /// <exception cref="Settings.StoreException">It could not be stored.</exception>
    public Task ForgetAsync(DateTimeOffset before) => documents.ChangeAsync(batch =>
    {
        foreach (var old in All.Where(one => one.At < before && one.Chain != AuditHead.Files))
        {
            batch.Remove(_heads, old);
        }

        return 0;
    });
}
