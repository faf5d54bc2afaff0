using System.Globalization;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Web.Control;

/// <summary>What the verbs <c>gateway sessions</c> and <c>gateway tokens</c> do: by the same code as the pages.</summary>
internal sealed class CredentialOperations(Sessions sessions, AccessTokens tokens, TokenChanges changes, People people, ControlAudit log)
{
    /// <summary>Runs one of them; null when there is none of that name.</summary>
    public async Task<ControlAnswer?> RunAsync(ControlRequest request, CancellationToken cancel) => request.Verb switch
    {
        "sessions.list" => ControlAnswer.Of<IReadOnlyList<SessionLine>>(
            [.. sessions.All.Select(LineOf)], ControlJson.Default.IReadOnlyListSessionLine),
        "sessions.revoke" => await EndSessionAsync(request, cancel),
        "tokens.list" => ControlAnswer.Of<IReadOnlyList<TokenLine>>(
            [.. tokens.All.Select(one => TokenLine.Of(one, changes.HolderOf(one)))], ControlJson.Default.IReadOnlyListTokenLine),
        "tokens.create" => await CreateTokenAsync(request, cancel),
        "tokens.rotate" => FindToken(request) is { } token
            ? AnswerOf(await changes.RotateAsync(log.OriginOf(), log.WhoOf(request), token, OverlapIn(request), cancel))
            : NoSuchToken(request),
        "tokens.revoke" => FindToken(request) is { } token
            ? UserOperations.AnswerOf(await changes.RevokeAsync(log.OriginOf(), log.WhoOf(request), token, cancel))
            : NoSuchToken(request),
        _ => null,
    };

    private async Task<ControlAnswer> EndSessionAsync(ControlRequest request, CancellationToken cancel)
    {
        var id = NumberIn(request, "id");
        if (sessions.Find(id) is not { } session)
        {
            return ControlAnswer.Fail($"there is no session {id}; 'gateway sessions list' shows all");
        }

        var isDone = await log.RecordAsync(
            request, "session.revoke", $"session {id}", LabelOf(session), null, () => sessions.EndAsync(id), cancel);
        return isDone
            ? ControlAnswer.Done
            : ControlAnswer.Fail($"session {id} could not be ended: the audit cannot be written, or it ended meanwhile");
    }

    private async Task<ControlAnswer> CreateTokenAsync(ControlRequest request, CancellationToken cancel)
    {
        if (UserOperations.Find(request, people) is not { } person)
        {
            return UserOperations.NotFound(request);
        }

        var wish = new TokenWish(
            request["name"] ?? "", request["role"] ?? "", (int)NumberIn(request, "days"), Words(request["networks"]),
            Words(request["operations"]));
        return AnswerOf(await changes.CreateAsync(log.OriginOf(), log.WhoOf(request), person, wish, cancel));
    }

    private ControlAnswer AnswerOf(TokenChanged changed) => changed is { Token: { } token, Text: { } text }
        ? ControlAnswer.Of(TokenLine.Of(token, changes.HolderOf(token)) with { Token = text }, ControlJson.Default.TokenLine)
        : UserOperations.AnswerOf(changed.Changed);

    private Token? FindToken(ControlRequest request) => tokens.Find(NumberIn(request, "id"));

    private static ControlAnswer NoSuchToken(ControlRequest request) =>
        ControlAnswer.Fail($"there is no token {NumberIn(request, "id")}; 'gateway tokens list' shows all");

    private static long NumberIn(ControlRequest request, string name) =>
        long.TryParse(request[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static int OverlapIn(ControlRequest request) =>
        int.TryParse(request["overlap_hours"], CultureInfo.InvariantCulture, out var hours) ? hours : -1;

    private static string[] Words(string? text) =>
        text?.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private SessionLine LineOf(Session one) => new(
        one.Id, SnakeCase.From(one.Kind.ToString()), LabelOf(one), one.CreatedAt, one.LastUsedAt, one.ExpiresAt, one.Client, one.UserAgent);

    private string LabelOf(Session session) => Person.LabelOf(session, session.PersonId is { } id ? people.Snapshot.Find(id) : null);
}
