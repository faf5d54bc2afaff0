using System.Text.Json.Serialization;
using Gateway.Documents;

namespace Gateway.Audit;

/// <summary>Where a chain ended when it was closed last.</summary>
/// <param name="Number">Its last line.</param>
/// <param name="Hash">The hash of that line.</param>
internal sealed record AuditHead(long Number, string Hash);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AuditHead))]
internal sealed partial class AuditHeadJson : JsonSerializerContext;

/// <summary>Remembers in the store where the audit's files ended, so that lines cannot be taken off their end while no gateway runs.</summary>
internal sealed class AuditHeads(DocumentSet documents)
{
    public const string Kind = "audit-head";

    private readonly DocumentCollection<AuditHead> _heads = documents.Add(NewCollection());

    /// <summary>Null when it was never closed.</summary>
    public AuditHead? Last => _heads.Snapshot.Find($"{Kind}/last");

    public static DocumentCollection<AuditHead> NewCollection() => new(Kind, AuditHeadJson.Default.AuditHead, _ => "last", _ => []);

    /// <exception cref="Settings.StoreException">It could not be stored.</exception>
    public Task RememberAsync(AuditHead head) => documents.ChangeAsync(batch =>
    {
        if (head != Last)
        {
            batch.Put(_heads, head);
        }

        return 0;
    });
}
