using System.Globalization;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;

namespace Gateway.Web.Control;

/// <summary>What the verbs <c>gateway users</c> do: by the same code as the pages.</summary>
internal sealed class UserOperations(
    People people, PersonChanges changes, PrincipalResolver principals, UserDirectory directory, ControlAudit log)
{
    /// <summary>Runs one of them; null when there is none of that name.</summary>
    public async Task<ControlAnswer?> RunAsync(ControlRequest request, CancellationToken cancel) => request.Verb switch
    {
        "users.list" => ControlAnswer.Of<IReadOnlyList<PersonLine>>(
            [.. people.Snapshot.Everyone.Select(LineOf)], ControlJson.Default.IReadOnlyListPersonLine),
        "users.show" => await ShowAsync(request, cancel),
        "users.add" => AnswerOf(
            await changes.AddAsync(log.OriginOf(), log.WhoOf(request), NewPersonOf(request), request["headscale_user"], cancel)),
        "users.change" => await ChangeAsync(request, cancel),
        "users.import" => await ImportAsync(request, cancel),
        _ => null,
    };

    private async Task<ControlAnswer> ShowAsync(ControlRequest request, CancellationToken cancel)
    {
        if (Find(request) is not { } person)
        {
            return NotFound(request);
        }

        string? why;
        try
        {
            why = principals.WhyUnlinked(person, await directory.GetAsync(cancel), log.Configuration.Settings)?.English();
        }
        catch (HeadscaleException e)
        {
            why = person.Link is null ? $"Headscale could not be asked: {e.Message}" : null;
        }

        return ControlAnswer.Of(LineOf(person) with { WhyUnlinked = why }, ControlJson.Default.PersonLine);
    }

    private async Task<ControlAnswer> ChangeAsync(ControlRequest request, CancellationToken cancel)
    {
        if (Find(request) is not { } person)
        {
            return NotFound(request);
        }

        return request["action"] is { } action && PersonChanges.ByOthers.Contains(action)
            ? AnswerOf(
                await changes.ApplyAsync(log.OriginOf(), log.WhoOf(request), person, action, request["value"] ?? "", cancel), person.Label)
            : ControlAnswer.Fail("there is no such action");
    }

    private async Task<ControlAnswer> ImportAsync(ControlRequest request, CancellationToken cancel)
    {
        var person = NewPersonOf(request);
        var link = request["headscale_user"] is { } user ? new UserLink(user, request["fingerprint"] ?? "", LinkSource.Auto) : null;
        var whom = $"{person.Source.Name}:{person.Subject}";
        var outcome = Change.None;
        await log.RecordAsync(
            request, "import.headplane", whom, null, $"{person.Role}, Headscale user {link?.HeadscaleUserId ?? "none"}", AddAsync, cancel);
        return ControlAnswer.Of(SnakeCase.From(outcome.ToString()), ControlJson.Default.String);

        async Task<bool> AddAsync()
        {
            outcome = await people.AddAsync(person, link);
            return outcome is Change.Done;
        }
    }

    private Person? Find(ControlRequest request) => Find(request, people);

    /// <summary>The person whom a verb names by number or identity; null when there is none.</summary>
    public static Person? Find(ControlRequest request, People people) => request["who"] is not { } who ? null
        : long.TryParse(who, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? people.Snapshot.Find(id)
        : people.Snapshot.Everyone.FirstOrDefault(one => one.Label == who);

    public static ControlAnswer NotFound(ControlRequest request) =>
        ControlAnswer.Fail($"there is no person '{OutsideText.Clean(request["who"] ?? "", 300)}'; 'gateway users list' shows everyone");

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

    /// <summary>How a change ended, as the verb tells it.</summary>
    public static ControlAnswer AnswerOf(PersonChanged changed, string? whom = null) =>
        changed.Complaint is { } complaint
            ? ControlAnswer.Fail(FormattableString.Invariant($"{(whom is null ? "" : $"{whom}: ")}{complaint}"))
            : ControlAnswer.Done with { Note = changed.Note?.English() };
}
