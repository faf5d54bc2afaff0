using System.CommandLine;
using Gateway.Audit;
using Gateway.Policy;
using Gateway.Store;
using Gateway.Users;

namespace Gateway.Cli;

/// <summary><c>gateway sessions …</c>: works on the store directly; a running gateway notices within a second.</summary>
internal static class SessionsVerb
{
    private static readonly Argument<long> _id = new("ID") { Description = "the session's number" };

    public static Command Create()
    {
        var list = new Command("list", "List all sessions.") { CommandLine.Json };
        list.SetAction(List);
        var revoke = new Command("revoke", "End a session.") { _id };
        revoke.SetAction(Revoke);
        return new Command("sessions", "List and end sign-ins.") { list, revoke };
    }

    private static int List(ParseResult parsed)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var file = SqliteFile.Open(configuration.Settings.Store.File);
        var people = new SqlitePersonStore(file, TimeProvider.System).List().People.ToDictionary(one => one.Id);
        var lines = new SqliteSessionStore(file).List().Sessions.Select(one => new SessionLine(
            one.Id, SnakeCase.From(one.Kind.ToString()), Person.LabelOf(one, one.PersonId is { } id ? people.GetValueOrDefault(id) : null),
            one.CreatedAt, one.LastUsedAt, one.ExpiresAt, one.Client, one.UserAgent)).ToArray();
        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json<IReadOnlyList<SessionLine>>(lines, CliJson.Default.IReadOnlyListSessionLine);
        }
        else
        {
            Output.Table(
                ["ID", "IDENTITY", "SINCE", "LAST USED", "UNTIL", "FROM", "BROWSER"],
                lines.Select(one => (string?[])[$"{one.Id}", one.Identity, $"{one.CreatedAt:u}", $"{one.LastUsedAt:u}", $"{one.ExpiresAt:u}", one.Client, one.UserAgent]));
        }

        return Output.Fine;
    }

    private static int Revoke(ParseResult parsed)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var (file, id) = (SqliteFile.Open(configuration.Settings.Store.File), parsed.GetValue(_id));
        if (!new SqliteSessionStore(file).Remove(id))
        {
            return Output.Fail($"there is no session {id}; 'gateway sessions list' shows all");
        }

        new SqliteAuditStore(file).Write([AuditEntry.OfVerb("sessions.revoke", $"session {id}", TimeProvider.System)], []);
        Console.WriteLine($"session {id} was ended");
        return Output.Fine;
    }
}
