using System.CommandLine;
using System.Globalization;
using Gateway.Users;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary><c>gateway tokens …</c>: done by the running gateway, when there is one, and in effect at once.</summary>
internal static class TokensVerb
{
    private static readonly Argument<long> _id = new("ID") { Description = "the token's number" };
    private static readonly Argument<string> _who = new("PERSON")
    {
        Description = "whom it acts for: the number, or the identity such as proxy:alice",
    };
    private static readonly Option<string> _name = new("--name") { Description = "what it is for", Required = true };
    private static readonly Option<string> _role = new("--role") { Description = "the role that it has at most", Required = true };
    private static readonly Option<int> _days = new("--days")
    {
        Description = $"how long it counts, at most {TokenChanges.MostDays}",
        DefaultValueFactory = _ => 90,
    };
    private static readonly Option<string[]> _from = new("--from")
    {
        Description = "a network that it counts from, such as 10.0.0.0/8; repeat it for more",
    };
    private static readonly Option<string[]> _for = new("--for")
    {
        Description = "the id of a row of the policy that it may use, such as keys.create; repeat it for more",
    };
    private static readonly Option<int> _overlap = new("--overlap")
    {
        Description = $"how many hours the one before counts as well, at most {TokenChanges.LongestOverlapHours}",
        DefaultValueFactory = _ => 24,
    };

    public static Command Create()
    {
        var list = new Command("list", "List all tokens.") { CommandLine.Json };
        list.SetAction(ListAsync);
        var create = new Command("create", "Make a token with which a program acts for a person, and print it.")
        {
            _who, _name, _role, _days, _from, _for, CommandLine.Json,
        };
        create.SetAction((parsed, cancel) => PrintAsync(parsed, ControlClient.Request(
            "tokens.create", ("who", parsed.GetValue(_who)), ("name", parsed.GetValue(_name)), ("role", parsed.GetValue(_role)),
            ("days", Text(parsed.GetValue(_days))), ("networks", string.Join(' ', parsed.GetValue(_from) ?? [])),
            ("operations", string.Join(' ', parsed.GetValue(_for) ?? []))), cancel));
        var rotate = new Command("rotate", "Make a token anew, and print it; the one before counts a while longer.")
        {
            _id, _overlap, CommandLine.Json,
        };
        rotate.SetAction((parsed, cancel) => PrintAsync(parsed, ControlClient.Request(
            "tokens.rotate", ("id", Text(parsed.GetValue(_id))), ("overlap_hours", Text(parsed.GetValue(_overlap)))), cancel));
        var revoke = new Command("revoke", "End a token at once.") { _id };
        revoke.SetAction(RevokeAsync);
        return new Command("tokens", "Make, list, rotate and revoke tokens for programs.") { list, create, rotate, revoke };
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _)
            || await ControlClient.AskAsync(configuration, ControlClient.Request("tokens.list"),
                ControlJson.Default.IReadOnlyListTokenLine, cancel) is not { } tokens)
        {
            return Output.Failed;
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(tokens, ControlJson.Default.IReadOnlyListTokenLine);
        }
        else
        {
            Output.Table(
                ["ID", "NAME", "PERSON", "ROLE", "UNTIL", "LAST USED", "FROM", "FOR"],
                tokens.Select(one => (string?[])[$"{one.Id}", one.Name, one.Person, one.Role, $"{one.ExpiresAt:u}",
                    one.LastUsedAt is { } used ? $"{used:u}" : "never", WordsOf(one.Networks), WordsOf(one.Operations)]));
        }

        return Output.Fine;
    }

    /// <summary>The token alone is on standard output, so that a script can take it.</summary>
    private static async Task<int> PrintAsync(ParseResult parsed, ControlRequest request, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _)
            || await ControlClient.AskAsync(configuration, request, ControlJson.Default.TokenLine, cancel) is not { } made)
        {
            return Output.Failed;
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(made, ControlJson.Default.TokenLine);
            return Output.Fine;
        }

        await Console.Error.WriteLineAsync(Output.Clean(
            $"token {made.Id} ({made.Name}) acts for {made.Person} as {made.Role} until {made.ExpiresAt:u}; it is shown this once:"));
        Console.WriteLine(made.Token);
        return Output.Fine;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var id = Text(parsed.GetValue(_id));
        return await ControlClient.DoAsync(
            configuration, ControlClient.Request("tokens.revoke", ("id", id)), $"token {id} was revoked", cancel);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string? WordsOf(IReadOnlyList<string> words) => words.Count == 0 ? null : string.Join(' ', words);
}
