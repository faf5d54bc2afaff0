using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Activity;

/// <summary>An audit entry as pages show it.</summary>
/// <param name="Id">The position in the log.</param>
/// <param name="At">When.</param>
/// <param name="Actor">Who; null for nobody.</param>
/// <param name="Role">With which role.</param>
/// <param name="Method">What was asked: the method,</param>
/// <param name="Path">and the path, or whom a change was about.</param>
/// <param name="Row">The row of the policy that decided, or the name of a change.</param>
/// <param name="Reason">What was decided.</param>
/// <param name="Status">The status of the answer; null: it is not known how the call ended.</param>
/// <param name="Client">The address that it came from.</param>
/// <param name="RequestId">The reference that the answer carried.</param>
/// <param name="Detail">What else is to be said.</param>
/// <param name="HeadscaleUser">The Headscale user that they were linked to.</param>
/// <param name="Duration">Milliseconds from request to answer.</param>
/// <param name="Before">What a change replaced, where that is known.</param>
/// <param name="After">What it set.</param>
public sealed record AuditLine(
    long Id, DateTimeOffset At, string? Actor, string? Role, string Method, string Path, string? Row, string Reason, int? Status,
    string? Client, string RequestId, string? Detail,
    string? HeadscaleUser, double? Duration, string? Before, string? After)
{
    /// <summary>How many of the same kind it stands for, within a minute.</summary>
    public long Count { get; init; }

    /// <summary>When the last of them was; null for a single one.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>The token of a program that acted for them; null for none.</summary>
    public string? Token { get; init; }
}

/// <summary><c>/api/audit</c>.</summary>
internal sealed record AuditAnswer(IReadOnlyList<AuditLine> Entries, long? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AuditAnswer))]
internal sealed partial class AuditJson : JsonSerializerContext;

/// <summary>What is looked for in the activity.</summary>
/// <param name="Q">Part of actor, action, path or reason, or a reference.</param>
/// <param name="Show">changes, refused or all.</param>
/// <param name="Refused">As <c>show=refused</c>, for older links.</param>
/// <param name="Days">Not older than so many days; 0: of any age.</param>
/// <param name="Who">A person by name, address or identity.</param>
/// <param name="What">A row of the policy, or the name of a change.</param>
/// <param name="Device">The number of a device.</param>
/// <param name="Before">Older than this entry.</param>
internal sealed record AuditQuery(
    string? Q, string? Show, bool Refused, int Days, string? Who, string? What, string? Device, long? Before)
{
    /// <summary>Whether nothing is looked for.</summary>
    public bool IsOpen => string.IsNullOrWhiteSpace(Q + Who + What + Device);

    /// <summary>As it stands in an address.</summary>
    /// <exception cref="BadHttpRequestException">A number is none.</exception>
    public static AuditQuery Of(HttpContext context)
    {
        var query = context.Request.Query;
        return new(
            query["q"], query["show"], query["refused"] == "true", (int)(Number("days") ?? 0), query["who"], query["what"],
            query["device"].ToString().Trim(), Number("before"));

        long? Number(string name) => query[name].ToString() is not { Length: > 0 } text ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new BadHttpRequestException($"{name} must be a number");
    }
}

/// <summary>What was decided and done, newest first: as a page, as a table for spreadsheets, and as JSON.</summary>
internal static class AuditEndpoints
{
    private const string ChangesOnly = "changes";
    private const string RefusedOnly = "refused";
    private const string Everything = "all";

    private const string Columns =
        "at,actor,role,method,path,row,reason,status,client,request_id,detail,before,after,count,token\r\n";

    private const int PerPage = 50;
    private const int MostAtOnce = 500;

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static void MapAuditLog(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/audit", ShowAsync).RequireCapability(Capability.ReadAudit);
        admin.MapGet("/audit/{id:long}", ShowOneAsync).RequireCapability(Capability.ReadAudit);
        admin.MapGet("/audit.csv", DownloadCsv).RequireCapability(Capability.ReadAudit).TakesTokens();
        admin.MapGet("/audit.jsonl", DownloadJson).RequireCapability(Capability.ReadAudit).TakesTokens();
        admin.MapGet("/api/audit", AnswerAsync).RequireCapability(Capability.ReadAudit).TakesTokens();
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, AuditReader audit, People people, TimeProvider clock)
    {
        var query = AuditQuery.Of(context);
        // What was looked at would bury what was done. Whoever looks for something may mean that, too.
        var show = query.Show ?? (query.Refused ? RefusedOnly : query.IsOpen ? ChangesOnly : Everything);
        var search = SearchFor(query with { Show = show }, people, clock);
        var (entries, next) = await FindAsync(audit, search, query.Before, PerPage, context.RequestAborted);
        var table = RequestContext.Of(context).Configuration.Table;
        return PageResults.Page<AuditPage>(
            StatusCodes.Status200OK, ("Layout", layout.For(context, principal)),
            ("Entries", entries.Select(one => Sentence.Of(one, people, table)).ToArray()), ("Search", search.Text),
            ("Show", search.ChangesOnly ? ChangesOnly : search.RefusedOnly ? RefusedOnly : Everything), ("Next", next),
            ("Hours", query.Before is null && query.IsOpen ? await HoursAsync(audit, clock.GetUtcNow(), context.RequestAborted) : []),
            ("IsFirst", query.Before is null), ("Days", query.Days), ("Who", query.Who?.Trim() ?? ""), ("What", search.Row ?? ""),
            ("Device", search.Device ?? ""),
            ("Now", clock.GetUtcNow()));
    }

    /// <summary>So many days ago; null where all of it is meant.</summary>
    private static DateTimeOffset? SinceOf(int days, TimeProvider clock) =>
        days is > 0 and <= 36_500 ? clock.GetUtcNow().AddDays(-days) : null;

    /// <summary>Refusals in each of the last 24 hours, the oldest first; of very many, the newest are counted.</summary>
    public static async Task<int[]> HoursAsync(AuditReader audit, DateTimeOffset now, CancellationToken cancel)
    {
        var hours = new int[24];
        var search = new AuditSearch { RefusedOnly = true, Since = now.AddHours(-24) };
        foreach (var one in await audit.FindAsync(search, null, MostAtOnce, cancel))
        {
            hours[23 - Math.Clamp((int)(now - one.At).TotalHours, 0, 23)] += (int)Math.Max(1, one.Count);
        }

        return hours;
    }

    /// <summary>The newest of what changed something, told.</summary>
    public static async Task<Sentence[]> NewestAsync(HttpContext context, AuditReader audit, People people, int most)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        var found = await audit.FindAsync(new AuditSearch { ChangesOnly = true }, null, most, context.RequestAborted);
        return [.. found.Select(one => Sentence.Of(LineOf(one), people, table))];
    }

    private static async Task<IResult> ShowOneAsync(
        HttpContext context, long id, Principal principal, PageLayout layout, AuditReader audit, People people)
    {
        return await audit.FindAsync(id, context.RequestAborted) is { } entry
            ? PageResults.Page<AuditEntryPage>(
                StatusCodes.Status200OK, ("Layout", layout.For(context, principal)),
                ("Sentence", Sentence.Of(LineOf(entry), people, RequestContext.Of(context).Configuration.Table)),
                ("PersonPage", PersonPageOf(context, entry.Actor, principal, people)), ("Explain", ExplainOf(context, entry, principal)))
            : PageResults.Failure(
                context, StatusCodes.Status404NotFound, T("Not found"),
                T("There is no such entry, or it was deleted at the end of its retention."));
    }

    private static string? PersonPageOf(HttpContext context, string? actor, Principal principal, People people) =>
        principal.Role.Has(Capability.ReadUsers) && people.Snapshot.Everyone.FirstOrDefault(one => one.Label == actor) is { } person
            ? $"{PageResults.BasePath(context)}/users/{person.Id}"
            : null;

    /// <summary>The question why, already asked, for calls of the API.</summary>
    private static string? ExplainOf(HttpContext context, AuditEntry entry, Principal principal) =>
        principal.Role.Has(Capability.UiAccess) && entry is { Role: { } role, Path: ['/', 'a', 'p', 'i', '/', ..] }
            ? $"{PageResults.BasePath(context)}/access?method={entry.Method}&path={Uri.EscapeDataString(entry.Path)}&role={role}"
            : null;

    private static async Task AnswerAsync(
        HttpContext context, AuditReader audit, People people, TimeProvider clock)
    {
        var query = AuditQuery.Of(context);
        var search = SearchFor(query with { Show = query.Show ?? (query.Refused ? RefusedOnly : null) }, people, clock);
        var (entries, next) = await FindAsync(audit, search, query.Before, PerPage, context.RequestAborted);
        await context.Response.WriteAsJsonAsync(new AuditAnswer(entries, next), AuditJson.Default.AuditAnswer);
    }

    private static IResult DownloadCsv(
        HttpContext context, AuditReader audit, People people, TimeProvider clock)
    {
        var search = SearchFor(AuditQuery.Of(context), people, clock);
        return Results.Stream(
            body => WriteAsync(body, audit, search, CsvOf, Columns, context.RequestAborted), "text/csv; charset=utf-8");
    }

    /// <summary>One object a line.</summary>
    private static IResult DownloadJson(
        HttpContext context, AuditReader audit, People people, TimeProvider clock)
    {
        var search = SearchFor(AuditQuery.Of(context), people, clock);
        return Results.Stream(
            body => WriteAsync(
                body, audit, search, one => JsonSerializer.Serialize(one, AuditJson.Default.AuditLine) + "\n", "", context.RequestAborted),
            "application/x-ndjson");
    }

    private static string CsvOf(AuditLine one) => Csv.Line(
    [
        Csv.Time(one.At), one.Actor, one.Role, one.Method, one.Path, one.Row, one.Reason,
        one.Status?.ToString(CultureInfo.InvariantCulture), one.Client, one.RequestId, one.Detail, one.Before, one.After,
        one.Count.ToString(CultureInfo.InvariantCulture), one.Token,
    ]) + "\r\n";

    /// <summary>All of it, some hundred entries in memory at a time.</summary>
    private static async Task WriteAsync(
        Stream body, AuditReader audit, AuditSearch search, Func<AuditLine, string> write, string head, CancellationToken cancel)
    {
        await using var text = new StreamWriter(body, _utf8, leaveOpen: true);
        await text.WriteAsync(head);
        long? before = null;
        do
        {
            (var entries, before) = await FindAsync(audit, search, before, MostAtOnce, cancel);
            foreach (var one in entries)
            {
                await text.WriteAsync(write(one));
            }

            await text.FlushAsync(cancel);
        }
        while (before is not null);
    }

    private static AuditSearch SearchFor(AuditQuery query, People people, TimeProvider clock) => new()
    {
        Text = query.Q?.Trim() ?? "",
        ChangesOnly = query.Show == ChangesOnly,
        RefusedOnly = query.Show == RefusedOnly,
        Since = SinceOf(query.Days, clock),
        Actor = query.Who?.Trim() is { Length: > 0 } who ? ActorNamed(who, people) : null,
        Row = query.What is { Length: > 0 } what ? what : null,
        Device = query.Device is { Length: > 0 } device ? device : null,
    };

    /// <summary>The identity of whoever has this name or address; as it is given where nobody, or more than one, has it.</summary>
    private static string ActorNamed(string who, People people)
    {
        Person[] named =
        [
            .. people.Snapshot.Everyone.Where(one => who == one.Label || who == one.DisplayName || who == one.Email || who == one.Subject),
        ];
        return named is [var only] ? only.Label : who;
    }

    private static async Task<(IReadOnlyList<AuditLine> Entries, long? Next)> FindAsync(
        AuditReader audit, AuditSearch search, long? before, int most, CancellationToken cancel)
    {
        var found = await audit.FindAsync(search, before, most + 1, cancel);
        return ([.. found.Take(most).Select(LineOf)], found.Count > most ? found[most - 1].Id : null);
    }

    private static AuditLine LineOf(AuditEntry one) => new(
        one.Id, one.At, one.Actor, one.Role, one.Method, one.Path, one.Row, one.Reason, one.Status, one.Client, one.RequestId, one.Detail,
            one.HeadscaleUser, one.Duration, one.Before, one.After)
    {
        Count = one.Count,
        Last = one.Last,
        Token = one.Token,
    };
}
