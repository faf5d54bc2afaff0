using System.CommandLine;
using System.Globalization;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary><c>gateway sessions …</c>: done by the running gateway, when there is one, and in effect at once.</summary>
internal static class SessionsVerb
{
    private static readonly Argument<long> _id = new("ID") { Description = "the session's number" };

    public static Command Create()
    {
        var list = new Command("list", "List all sessions.") { CommandLine.Json };
        list.SetAction(ListAsync);
        var revoke = new Command("revoke", "End a session.") { _id };
        revoke.SetAction(RevokeAsync);
        return new Command("sessions", "List and end sign-ins.") { list, revoke };
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _)
            || await ControlClient.AskAsync(configuration, ControlClient.Request("sessions.list"),
                ControlJson.Default.IReadOnlyListSessionLine, cancel) is not { } sessions)
        {
            return Output.Failed;
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(sessions, ControlJson.Default.IReadOnlyListSessionLine);
        }
        else
        {
            Output.Table(
                ["ID", "IDENTITY", "SINCE", "LAST USED", "UNTIL", "FROM", "BROWSER"],
                sessions.Select(one => (string?[])[$"{one.Id}", one.Identity, $"{one.CreatedAt:u}", $"{one.LastUsedAt:u}",
                    $"{one.ExpiresAt:u}", one.Client, one.UserAgent]));
        }

        return Output.Fine;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var id = parsed.GetValue(_id).ToString(CultureInfo.InvariantCulture);
        return await ControlClient.DoAsync(
            configuration, ControlClient.Request("sessions.revoke", ("id", id)), $"session {id} was ended", cancel);
    }
}
