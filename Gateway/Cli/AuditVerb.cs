using System.CommandLine;
using System.Globalization;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary><c>gateway audit</c> and <c>gateway audit verify</c>.</summary>
internal static class AuditVerb
{
    private static readonly Option<string?> _since = new("--since")
    {
        Description = "from this time (2026-01-31T12:00:00Z) or this long ago (30m, 12h, 7d)",
    };
    private static readonly Option<string?> _user = new("--user") { Description = "only of this identity, such as proxy:alice" };
    private static readonly Option<string?> _row = new("--row")
    {
        Description = "only of this row of the policy or this change, such as nodes.delete",
    };
    private static readonly Option<string?> _device = new("--device") { Description = "only of the device with this number" };
    private static readonly Option<bool> _refused = new("--refused") { Description = "only what was not let through" };
    private static readonly Option<bool> _changes = new("--changes") { Description = "only what was changed, and who came and went" };
    private static readonly Option<bool> _follow = new("--follow") { Description = "go on printing new entries" };

    public static Command Create()
    {
        var verify = new Command("verify", "Look at every line: whether one was altered, removed, inserted or moved.") { CommandLine.Json };
        verify.SetAction(VerifyAsync);
        var verb = new Command("audit", "Print what was decided and done, oldest first.")
        {
            _since, _user, _row, _device, _refused, _changes, _follow, CommandLine.Json, verify,
        };
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

        var last = 0L;
        try
        {
            while (true)
            {
                if (await ControlClient.AskAsync(
                    configuration, RequestOf(parsed, last), ControlJson.Default.IReadOnlyListAuditEntryLine, cancel) is not { } page)
                {
                    return Output.Failed;
                }

                foreach (var entry in page)
                {
                    Print(entry, parsed.GetValue(CommandLine.Json));
                    last = entry.Id;
                }

                if (page.Count > 0)
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

    /// <summary>Asks for what is wanted of the entries after one.</summary>
    private static ControlRequest RequestOf(ParseResult parsed, long after)
    {
        var since = parsed.GetValue(_since) is { } text
            ? ParseSince(text, TimeProvider.System)!.Value.ToString("o", CultureInfo.InvariantCulture)
            : null;
        return ControlClient.Request(
            "audit.read", ("since", since), ("user", parsed.GetValue(_user)), ("row", parsed.GetValue(_row)),
            ("device", parsed.GetValue(_device)),
            ("refused", parsed.GetValue(_refused) ? "" : null), ("changes", parsed.GetValue(_changes) ? "" : null),
            ("after", after.ToString(CultureInfo.InvariantCulture)));
    }

    private static async Task<int> VerifyAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _)
            || await ControlClient.AskAsync(configuration, ControlClient.Request("audit.verify"), ControlJson.Default.AuditVerification,
                cancel) is not { } result)
        {
            return Output.Failed;
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(result, ControlJson.Default.AuditVerification);
        }
        else
        {
            foreach (var note in result.Notes)
            {
                Console.WriteLine($"note: {note}");
            }

            foreach (var problem in result.Problems)
            {
                Console.WriteLine($"problem: {problem}");
            }

            Console.WriteLine(result.Problems.Count == 0
                ? $"The audit is as it was written: {result.Lines} lines."
                : $"{result.Problems.Count} problem(s) found in {result.Lines} lines.");
        }

        return result.Problems.Count == 0 ? Output.Fine : Output.Failed;
    }

    private static DateTimeOffset? ParseSince(string text, TimeProvider clock)
    {
        if (text is [.. var number, 'm' or 'h' or 'd']
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            var minutes = count * text[^1] switch
            {
                'm' => 1L,
                'h' => 60,
                _ => 24 * 60,
            };

            // The calendar begins in the year 1.
            return clock.GetUtcNow().AddMinutes(-Math.Min(minutes, 36_500L * 24 * 60));
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    private static void Print(AuditEntryLine entry, bool json)
    {
        if (json)
        {
            Output.Json(entry, ControlJson.Default.AuditEntryLine);
            return;
        }

        var many = entry.Count > 1 ? $" ({entry.Count} times)" : "";
        var set = (entry.Before, entry.After) switch
        {
            (null, null) => "",
            (null, var after) => $" sets {after}",
            var (before, after) => $" {before} -> {after}",
        };
        var status = entry.Status?.ToString(CultureInfo.InvariantCulture) ?? "?";
        var who = string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.At:yyyy-MM-dd HH:mm:ss}Z {status,3} {entry.Reason,-18} {entry.Actor ?? "-",-20} {entry.Role ?? "-",-13}");
        var token = entry.Token is null ? "" : $" by token {entry.Token}";
        var what = $"{entry.Method,-6} {entry.Path}{many}{set} [{entry.Row ?? "no row"}]{token}";
        var rest = string.Create(CultureInfo.InvariantCulture, $"{entry.Client ?? "-"} {entry.DurationMs ?? 0:0.0}ms {entry.RequestId}");
        Console.WriteLine(Output.Clean($"{who} {what} {rest}"));
    }
}
