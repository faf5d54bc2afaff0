using System.Globalization;
using System.Text.Json;
using Gateway.Audit;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Users;

namespace Gateway.Web.Control;

/// <summary>
/// State as a whole: taken out for a backup, and put back. Sessions and tokens are not part of it, and end with a restore: one that was
/// revoked since would come back.
/// </summary>
internal sealed class StateCopies(DocumentSet documents)
{
    /// <summary>What stays although a backup has not got it: what earlier signatures and cookies were made with, and numbers.</summary>
    private static readonly string[] _kept = ["protection-key", Counter.Kind, AuditHeads.Kind];

    public async Task<IReadOnlyList<Document>> ExportAsync(CancellationToken cancel) =>
        [.. (await documents.ExportAsync(cancel)).Where(one => !IsCredential(one))];

    /// <summary>What is wrong with documents that are to be restored; null when nothing is.</summary>
    public string? Complaint(IReadOnlyList<Document> backup) => documents.Complaint(backup) ?? CounterComplaint(backup);

    /// <summary>Somebody new must not get the number of somebody who is there.</summary>
    private static string? CounterComplaint(IReadOnlyList<Document> backup)
    {
        var people = backup.Where(one => one.Kind == PersonKeys.Kind).ToArray();
        var highest = people.Length == 0
            ? 0
            : people.Max(one => long.Parse(one.Id[(PersonKeys.Kind.Length + 1)..], CultureInfo.InvariantCulture));
        var last = backup.FirstOrDefault(one => one.Id == $"{Counter.Kind}/{PersonKeys.Kind}") is { } counter ? LastOf(counter) : 0;
        return last >= highest ? null : $"the last number of a person is said to be {last}, and there is one with {highest}";
    }

    /// <summary>Puts a backup in the place of the state, all at once, and in effect at once.</summary>
    /// <exception cref="Settings.StoreException">Nothing was changed.</exception>
    public async Task RestoreAsync(IReadOnlyList<Document> backup, CancellationToken cancel)
    {
        var present = (await documents.ExportAsync(cancel)).ToDictionary(one => one.Id, StringComparer.Ordinal);
        var restored = backup.Where(one => !IsCredential(one)).Select(one =>
            present.GetValueOrDefault(one.Id) is { } now && (IsHigher(now, one) || IsOfTheAudit(one)) ? now : one);
        await documents.ReplaceAsync([.. restored], one => _kept.Contains(one.Kind), cancel);
    }

    private static bool IsCredential(Document document) => document.Kind is SessionStore.Kind or TokenStore.Kind;

    /// <summary>Numbers that were given since the backup are not given again.</summary>
    private static bool IsHigher(Document present, Document other) =>
        present.Kind == Counter.Kind && LastOf(present) > LastOf(other);

    /// <summary>The audit is not restored, and so neither is where it ended.</summary>
    private static bool IsOfTheAudit(Document document) => document.Kind == AuditHeads.Kind;

    private static long LastOf(Document counter) => JsonSerializer.Deserialize(counter.Json, CounterJson.Default.Counter)?.Last ?? 0;
}
