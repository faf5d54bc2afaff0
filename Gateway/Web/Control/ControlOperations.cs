using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Audit;
using Gateway.Documents;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;

namespace Gateway.Web.Control;

/// <summary>
/// What the verbs of the command line do: in the running gateway, when there is one, and else in the process of the verb. The
/// same code as behind the pages, so that every change is judged, written down before and after, and in effect at once.
/// </summary>
internal sealed class ControlOperations(
    People people, PersonChanges changes, PrincipalResolver principals, Sessions sessions, UserDirectory directory, AuditLog audit,
    StateCopies copies,
    ConfigurationMonitor monitor, TimeProvider clock)
{
    private const int MostEntries = 1000;

    public async Task<ControlAnswer> RunAsync(ControlRequest request, CancellationToken cancel)
    {
        try
        {
            return request.Verb switch
            {
                "users.list" =>
                    Answer<IReadOnlyList<PersonLine>>(
                        [.. people.Snapshot.Everyone.Select(LineOf)], ControlJson.Default.IReadOnlyListPersonLine),
                "users.show" => await ShowAsync(request, cancel),
                "users.add" =>
                    AnswerOf(await changes.AddAsync(OriginOf(), WhoOf(request), NewPersonOf(request), request["headscale_user"], cancel)),
                "users.change" => await ChangeAsync(request, cancel),
                "users.import" => await ImportAsync(request, cancel),
                "sessions.list" =>
                    Answer<IReadOnlyList<SessionLine>>([.. sessions.All.Select(LineOf)], ControlJson.Default.IReadOnlyListSessionLine),
                "sessions.revoke" => await RevokeAsync(request, cancel),
                "audit.read" => await ReadAuditAsync(request, cancel),
                "audit.verify" => Answer(await audit.VerifyAsync(cancel), ControlJson.Default.AuditVerification),
                "state.export" => Answer(await copies.ExportAsync(cancel), ControlJson.Default.IReadOnlyListDocument),
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

    private async Task<ControlAnswer> ShowAsync(ControlRequest request, CancellationToken cancel)
    {
        if (Find(request) is not { } person)
        {
            return NotFound(request);
        }

        string? why;
        try
        {
            why = principals.WhyUnlinked(person, await directory.GetAsync(cancel), monitor.Current.Settings);
        }
        catch (HeadscaleException e)
        {
            why = person.Link is null ? $"Headscale could not be asked: {e.Message}" : null;
        }

        return Answer(LineOf(person) with { WhyUnlinked = why }, ControlJson.Default.PersonLine);
    }

    private async Task<ControlAnswer> ChangeAsync(ControlRequest request, CancellationToken cancel)
    {
        if (Find(request) is not { } person)
        {
            return NotFound(request);
        }

        return request["action"] is { } action && PersonChanges.ByOthers.Contains(action)
            ? AnswerOf(await changes.ApplyAsync(OriginOf(), WhoOf(request), person, action, request["value"] ?? "", cancel), person.Label)
            : ControlAnswer.Fail("there is no such action");
    }

    private async Task<ControlAnswer> ImportAsync(ControlRequest request, CancellationToken cancel)
    {
        var person = NewPersonOf(request);
        var link = request["headscale_user"] is { } user ? new UserLink(user, request["fingerprint"] ?? "", LinkSource.Auto) : null;
        var whom = $"{person.Source.Name}:{person.Subject}";
        var outcome = Change.None;
        await RecordAsync(
            request, "import.headplane", whom, null, $"{person.Role}, Headscale user {link?.HeadscaleUserId ?? "none"}", AddAsync, cancel);
        return Answer(SnakeCase.From(outcome.ToString()), ControlJson.Default.String);

        async Task<bool> AddAsync()
        {
            outcome = await people.AddAsync(person, link);
            return outcome is Change.Done;
        }
    }

    private async Task<ControlAnswer> RevokeAsync(ControlRequest request, CancellationToken cancel)
    {
        var id = long.Parse(request["id"] ?? "0", CultureInfo.InvariantCulture);
        if (sessions.Find(id) is not { } session)
        {
            return ControlAnswer.Fail($"there is no session {id}; 'gateway sessions list' shows all");
        }

        var isDone = await RecordAsync(
            request, "session.revoke", $"session {id}", LabelOf(session), null, () => sessions.EndAsync(id), cancel);
        return isDone
            ? ControlAnswer.Done
            : ControlAnswer.Fail($"session {id} could not be ended: the audit cannot be written, or it ended meanwhile");
    }

    private async Task<ControlAnswer> ReadAuditAsync(ControlRequest request, CancellationToken cancel)
    {
        await audit.FlushAsync(cancel);
        var search = new AuditSearch
        {
            Actor = request["user"],
            Row = request["row"],
            Since = request["since"] is { } since ? DateTimeOffset.Parse(since, CultureInfo.InvariantCulture) : null,
            RefusedOnly = request["refused"] is not null,
            ChangesOnly = request["changes"] is not null,
        };
        var after = long.Parse(request["after"] ?? "0", CultureInfo.InvariantCulture);
        var entries = await audit.Store.ReadAsync(search, after, MostEntries, cancel);
        return Answer<IReadOnlyList<AuditEntryLine>>(
            [.. entries.Select(AuditEntryLine.Of)], ControlJson.Default.IReadOnlyListAuditEntryLine);
    }

    private async Task<ControlAnswer> BackUpAsync(ControlRequest request, CancellationToken cancel)
    {
        IReadOnlyList<Document> documents = [];
        var isDone = await RecordAsync(request, "backup", request["file"] ?? "", null, null, ExportAsync, cancel);

        // A full disk is when a backup is wanted most: it is made also when that cannot be written down.
        return Answer(isDone ? documents : await copies.ExportAsync(cancel), ControlJson.Default.IReadOnlyListDocument) with
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
        var isDone = await RecordAsync(
            request, "restore", request["file"] ?? "", $"{people.Snapshot.Count} people", after, ReplaceAsync, cancel);
        return isDone ? ControlAnswer.Done : ControlAnswer.Fail("the audit cannot be written, so nothing was restored");

        async Task<bool> ReplaceAsync()
        {
            await copies.RestoreAsync(documents, cancel);
            return true;
        }
    }

    /// <summary>Writes down what is about to be done, does it, and writes down how it ended.</summary>
    /// <returns>Whether it was done.</returns>
    private async Task<bool> RecordAsync(
        ControlRequest request, string what, string whom, string? before, string? after, Func<Task<bool>> change, CancellationToken cancel)
    {
        var (origin, started) = (OriginOf(), clock.GetTimestamp());
        var entry = new AuditEntry
        {
            At = clock.GetUtcNow(),
            RequestId = origin.RequestId,
            Kind = AuditKind.Cli,
            Actor = WhoOf(request).Label,
            Row = what,
            Method = origin.Method,
            Path = whom,
            Reason = "allowed",
            Before = before,
            After = after,
        };
        if (!await audit.BeginAsync(entry, cancel))
        {
            return false;
        }

        var (isDone, reason) = (false, "failed");
        try
        {
            isDone = await change();
            reason = isDone ? "done" : "not_done";
        }
        finally
        {
            await audit.CompleteAsync(new AuditOutcome(origin.RequestId, reason, 0, clock.GetElapsedTime(started).TotalMilliseconds));
        }

        return isDone;
    }

    private Person? Find(ControlRequest request) => request["who"] is not { } who ? null
        : long.TryParse(who, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? people.Snapshot.Find(id)
        : people.Snapshot.Everyone.FirstOrDefault(one => one.Label == who);

    private static ControlAnswer NotFound(ControlRequest request) =>
        ControlAnswer.Fail($"there is no person '{OutsideText.Clean(request["who"] ?? "", 300)}'; 'gateway users list' shows everyone");

    private Principal WhoOf(ControlRequest request) => Principal.Console(request.Account, monitor.Current.Table.Roles[0]);

    private ChangeOrigin OriginOf() => new(Guid.NewGuid().ToString("n"), AuditKind.Cli, "CLI", null, clock.GetTimestamp(), monitor.Current);

    private static NewPerson NewPersonOf(ControlRequest request) => new(
        Sources.Parse(request["source"] ?? "") ?? Source.None, request["issuer"] ?? "", request["subject"] ?? "", request["name"],
            request["email"], null, request["role"] ?? "");

    private static PersonLine LineOf(Person one) => new(
        one.Id, one.Label, one.Source.Name, one.Issuer, one.Subject, one.Name, one.Email, one.Role,
        one.Link?.HeadscaleUserId, one.Link is { } link ? SnakeCase.From(link.Source.ToString()) : null, one.CreatedAt)
    {
        EmailIsTrusted = one.EmailIsTrusted,
        RoleNote = one.RoleNote,
        RoleIsPinned = one.RoleIsPinned,
    };

    private SessionLine LineOf(Session one) => new(
        one.Id, SnakeCase.From(one.Kind.ToString()), LabelOf(one), one.CreatedAt, one.LastUsedAt, one.ExpiresAt, one.Client, one.UserAgent);

    private string LabelOf(Session session) => Person.LabelOf(session, session.PersonId is { } id ? people.Snapshot.Find(id) : null);

    private static ControlAnswer AnswerOf(PersonChanged changed, string? whom = null) =>
        changed.Complaint is { } complaint
            ? ControlAnswer.Fail(whom is null ? complaint : $"{whom}: {complaint}")
            : ControlAnswer.Done with { Note = changed.Note };

    private static ControlAnswer Answer<T>(T value, JsonTypeInfo<T> type) => new(null, JsonSerializer.SerializeToElement(value, type));
}
