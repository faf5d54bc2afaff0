using System.CommandLine;
using System.Globalization;
using Gateway.Audit;
using Gateway.Policy;
using Gateway.Store;

namespace Gateway.Cli;

/// <summary><c>gateway audit</c>.</summary>
internal static class AuditVerb
{
    private const int PageSize = 500;

    private static readonly Option<string?> _since = new("--since") { Description = "from this time (2026-01-31T12:00:00Z) or this long ago (30m, 12h, 7d)" };
    private static readonly Option<bool> _follow = new("--follow") { Description = "go on printing new entries" };

    public static Command Create()
    {
        var verb = new Command("audit", "Print what was decided and done, oldest first.") { _since, _follow, CommandLine.Json };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(_since) is { } since && ParseSince(since, TimeProvider.System) is null)
            {
                result.AddError($"'{since}' is neither a time such as 2026-01-31T12:00:00Z nor a span such as 30m, 12h or 7d");
            }
        });
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var store = new SqliteAuditStore(SqliteFile.Open(configuration.Settings.Store.File));
        var since = parsed.GetValue(_since) is { } text ? ParseSince(text, TimeProvider.System)!.Value : DateTimeOffset.UnixEpoch;
        var last = 0L;
        try
        {
            while (true)
            {
                var page = store.Read(last, since, PageSize);
                foreach (var entry in page)
                {
                    Print(entry, parsed.GetValue(CommandLine.Json));
                    last = entry.Id;
                }

                if (page.Count == PageSize)
                {
                    continue;
                }

                if (!parsed.GetValue(_follow))
                {
                    return Output.Fine;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            return Output.Fine;
        }
    }

    private static DateTimeOffset? ParseSince(string text, TimeProvider clock)
    {
        if (text is [.. var number, 'm' or 'h' or 'd'] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            var span = text[^1] switch
            {
                'm' => TimeSpan.FromMinutes(count),
                'h' => TimeSpan.FromHours(count),
                _ => TimeSpan.FromDays(Math.Min(count, 36500)),
            };
            return clock.GetUtcNow() - span;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    private static void Print(AuditEntry entry, bool json)
    {
        if (json)
        {
            Output.Json(
                new AuditLine(
                    entry.Id, entry.At, entry.RequestId, SnakeCase.From(entry.Kind.ToString()), entry.Actor, entry.Role, entry.HeadscaleUser, entry.Row,
                    entry.Method, entry.Path, entry.Reason, entry.Status, entry.Client, entry.Duration, entry.Detail),
                CliJson.Default.AuditLine);
            return;
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.At:yyyy-MM-dd HH:mm:ss}Z {entry.Status?.ToString(CultureInfo.InvariantCulture) ?? "?",3} {entry.Reason,-18} {entry.Actor ?? "-",-20} {entry.Role ?? "-",-13} {entry.Method,-6} {entry.Path} [{entry.Row ?? "no row"}] {entry.Client ?? "-"} {entry.Duration ?? 0:0.0}ms {entry.RequestId}"));
    }
}
