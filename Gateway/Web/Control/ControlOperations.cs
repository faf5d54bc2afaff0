using System.Globalization;
using Gateway.Audit;
using Gateway.Documents;
using Gateway.Headscale;
using Gateway.Settings;
using Gateway.Users;

namespace Gateway.Web.Control;

/// <summary>
/// What the verbs of the command line do: in the running gateway, when there is one, and else in the process of the verb. The
/// same code as behind the pages, so that every change is judged, written down before and after, and in effect at once.
/// </summary>
internal sealed class ControlOperations(
    UserOperations users, CredentialOperations credentials, People people, AuditReader audit, StateCopies copies, ControlAudit log)
{
    private const int MostEntries = 1000;

    public async Task<ControlAnswer> RunAsync(ControlRequest request, CancellationToken cancel)
    {
        try
        {
            return await users.RunAsync(request, cancel) ?? await credentials.RunAsync(request, cancel) ?? request.Verb switch
            {
                "audit.read" => await ReadAuditAsync(request, cancel),
                "audit.verify" => ControlAnswer.Of(await audit.VerifyAsync(cancel), ControlJson.Default.AuditVerification),
                "state.export" => ControlAnswer.Of(await copies.ExportAsync(cancel), ControlJson.Default.IReadOnlyListDocument),
                "state.backup" => await BackUpAsync(request, cancel),
                "state.restore" => await RestoreAsync(request, cancel),
                _ => ControlAnswer.Fail($"the running gateway does not know '{request.Verb}'; is it of another version than this program?"),
            };
        }
        catch (Exception e) when (e is StoreException or HeadscaleException or IOException or UnauthorizedAccessException)
        {
            return ControlAnswer.Fail(e.Message);
        }
    }

    private async Task<ControlAnswer> ReadAuditAsync(ControlRequest request, CancellationToken cancel)
    {
        var search = new AuditSearch
        {
            Actor = request["user"],
            Row = request["row"],
            Device = request["device"],
            Since = request["since"] is { } since ? DateTimeOffset.Parse(since, CultureInfo.InvariantCulture) : null,
            RefusedOnly = request["refused"] is not null,
            ChangesOnly = request["changes"] is not null,
        };
        var after = long.Parse(request["after"] ?? "0", CultureInfo.InvariantCulture);
        var entries = await audit.ReadAsync(search, after, MostEntries, cancel);
        return ControlAnswer.Of<IReadOnlyList<AuditEntryLine>>(
            [.. entries.Select(AuditEntryLine.Of)], ControlJson.Default.IReadOnlyListAuditEntryLine);
    }

    private async Task<ControlAnswer> BackUpAsync(ControlRequest request, CancellationToken cancel)
    {
        IReadOnlyList<Document> documents = [];
        var isDone = await log.RecordAsync(request, "backup", request["file"] ?? "", null, null, ExportAsync, cancel);

        // A full disk is when a backup is wanted most: it is made also when that cannot be written down.
        return ControlAnswer.Of(isDone ? documents : await copies.ExportAsync(cancel), ControlJson.Default.IReadOnlyListDocument) with
        {
            Note = isDone ? null : "the audit cannot be written, so it does not have this backup",
        };

        async Task<bool> ExportAsync()
        {
            documents = await copies.ExportAsync(cancel);
            return true;
        }
    }

    private async Task<ControlAnswer> RestoreAsync(ControlRequest request, CancellationToken cancel)
    {
        if (request.Documents is not { } documents)
        {
            return ControlAnswer.Fail("nothing was given to restore");
        }

        if (copies.Complaint(documents) is { } complaint)
        {
            return ControlAnswer.Fail($"this is no backup that can be restored, and nothing was changed: {complaint}");
        }

        var after = $"{documents.Count(one => one.Kind == PersonKeys.Kind)} people; all sessions ended";
        var isDone = await log.RecordAsync(
            request, "restore", request["file"] ?? "", $"{people.Snapshot.Count} people", after, ReplaceAsync, cancel);
        return isDone ? ControlAnswer.Done : ControlAnswer.Fail("the audit cannot be written, so nothing was restored");

        async Task<bool> ReplaceAsync()
        {
            await copies.RestoreAsync(documents, cancel);
            return true;
        }
    }
}
