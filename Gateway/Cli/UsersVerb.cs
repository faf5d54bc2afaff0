using System.CommandLine;
using Gateway.Audit;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Users;

namespace Gateway.Cli;

/// <summary><c>gateway users …</c>: works on the store directly; a running gateway notices within a second.</summary>
internal static class UsersVerb
{
    private const int LongestSubject = 255;

    private static readonly Argument<string> _who = new("ID") { Description = "the number, or the identity such as proxy:alice" };
    private static readonly Argument<string> _role = new("ROLE") { Description = "the role" };
    private static readonly Argument<string> _headscaleUser = new("HEADSCALE_USER") { Description = "Headscale's user id" };
    private static readonly Option<string> _source = new("--source") { Description = "proxy or oidc", Required = true };
    private static readonly Option<string> _issuer = new("--issuer") { Description = "the issuer of the subject", DefaultValueFactory = _ => "" };
    private static readonly Option<string> _subject = new("--subject") { Description = "the subject: the user header's value, or the provider's sub", Required = true };
    private static readonly Option<string> _newRole = new("--role") { Description = "the role", Required = true };
    private static readonly Option<string?> _link = new("--headscale-user") { Description = "Headscale's user id to link to" };
    private static readonly Option<string?> _email = new("--email") { Description = "the e-mail address" };
    private static readonly Option<string?> _name = new("--name") { Description = "the name" };

    public static Command Create()
    {
        _source.AcceptOnlyFromAmong("proxy", "oidc");
        return new Command("users", "List people and change their roles and links.")
        {
            Verb("list", "List everyone.", List, CommandLine.Json),
            Verb("show", "Show one person.", ShowAsync, _who, CommandLine.Json),
            Verb("add", "Add a person before the first sign-in.", AddAsync, _source, _issuer, _subject, _newRole, _link, _email, _name),
            Verb("set-role", "Change a role.", (session, parsed) => session.Change(parsed.GetValue(_who)!, person =>
                RoleOf(session, parsed.GetValue(_role)!) is { } role ? session.Store.SetRole(person.Id, role) : null), _who, _role),
            Verb("link", "Link a person to a Headscale user.", LinkAsync, _who, _headscaleUser),
            Verb("unlink", "Remove a link.", (session, parsed) => session.Change(parsed.GetValue(_who)!, person => session.Store.Unlink(person.Id)), _who),
            Verb("remove", "Remove a person; a new sign-in starts over.", (session, parsed) => session.Change(parsed.GetValue(_who)!, person => session.Store.Remove(person.Id)), _who),
            Verb("transfer-ownership", "Make a person the owner; the owner until now becomes admin.", (session, parsed) =>
                session.Change(parsed.GetValue(_who)!, person => session.Store.TransferOwnership(person.Id, session.Configuration.Table.Roles[1].Name)), _who),
        };
    }

    private static Command Verb(string name, string help, Func<UsersSession, ParseResult, int> run, params Symbol[] symbols) =>
        Verb(name, help, (session, parsed, _) => Task.FromResult(run(session, parsed)), symbols);

    private static Command Verb(string name, string help, Func<UsersSession, ParseResult, CancellationToken, Task<int>> run, params Symbol[] symbols)
    {
        var verb = new Command(name, help);
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case System.CommandLine.Argument argument:
                    verb.Add(argument);
                    break;
                case Option option:
                    verb.Add(option);
                    break;
            }
        }

        verb.SetAction(async (parsed, cancel) => CommandLine.Load(parsed) is var (_, configuration, _)
            ? await run(new UsersSession(configuration, name, TimeProvider.System), parsed, cancel)
            : Output.Failed);
        return verb;
    }

    private static int List(UsersSession session, ParseResult parsed)
    {
        var people = session.People;
        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json<IReadOnlyList<PersonLine>>([.. people.Select(ToLine)], CliJson.Default.IReadOnlyListPersonLine);
        }
        else
        {
            Output.Table(["ID", "IDENTITY", "ROLE", "HEADSCALE USER", "NAME", "E-MAIL"], people.Select(one =>
                (string?[])[$"{one.Id}", one.Label, one.Role, one.Link is { } link ? $"{link.HeadscaleUserId} ({SnakeCase.From(link.Source.ToString())})" : null, one.Name, one.Email]));
        }

        return Output.Fine;
    }

    private static async Task<int> ShowAsync(UsersSession session, ParseResult parsed, CancellationToken cancel)
    {
        if (PersonReference.Find(session.People, parsed.GetValue(_who)!) is not { } person)
        {
            return Output.Fail(PersonReference.NotFound(parsed.GetValue(_who)!));
        }

        var whyUnlinked = await session.WhyUnlinkedAsync(person, cancel);
        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(ToLine(person) with { WhyUnlinked = whyUnlinked }, CliJson.Default.PersonLine);
            return Output.Fine;
        }

        var role = session.Configuration.Table.RoleNamed(person.Role);
        Output.Table(["WHAT", "VALUE"],
        [
            ["id", $"{person.Id}"], ["identity", person.Label], ["role", person.Role], ["why this role", person.RoleNote], ["name", person.Name],
            ["e-mail", person.Email is null ? null : $"{person.Email} ({(person.EmailIsTrusted ? "trusted" : "not trusted")})"],
            ["Headscale user", person.Link?.HeadscaleUserId], ["linked by", person.Link is { } link ? SnakeCase.From(link.Source.ToString()) : null],
            ["why not linked", whyUnlinked],
            ["since", $"{person.CreatedAt:u}"], ["capabilities", string.Join(' ', role.Held.Select(one => one.Name).Order())],
        ]);
        return Output.Fine;
    }

    private static async Task<int> AddAsync(UsersSession session, ParseResult parsed, CancellationToken cancel)
    {
        if (RoleOf(session, parsed.GetValue(_newRole)!) is not { } role)
        {
            return Output.Failed;
        }

        if (OutsideText.Complaint(parsed.GetValue(_subject)!, LongestSubject) is { } complaint)
        {
            return Output.Fail($"--subject {complaint}; nobody who signs in could have it");
        }

        if (parsed.GetValue(_email) is { } email && !EmailAddress.IsUsable(email))
        {
            return Output.Fail($"--email: '{OutsideText.Clean(email)}' is not an address with exactly one @");
        }

        var person = new NewPerson(
            Sources.Parse(parsed.GetValue(_source)!)!.Value, parsed.GetValue(_issuer)!, parsed.GetValue(_subject)!, parsed.GetValue(_name), parsed.GetValue(_email), null, role);
        var link = parsed.GetValue(_link) is { } id ? await session.LinkToAsync(id, cancel) : null;
        return parsed.GetValue(_link) is not null && link is null
            ? Output.Failed
            : session.Finish($"{parsed.GetValue(_source)}:{person.Subject}", session.Store.Add(person, link));
    }

    private static async Task<int> LinkAsync(UsersSession session, ParseResult parsed, CancellationToken cancel) =>
        await session.LinkToAsync(parsed.GetValue(_headscaleUser)!, cancel) is { } link
            ? session.Change(parsed.GetValue(_who)!, person => session.Store.Link(person.Id, link))
            : Output.Failed;

    private static string? RoleOf(UsersSession session, string role)
    {
        if (session.Configuration.Table.HasRole(role))
        {
            return role;
        }

        Output.Fail($"there is no role '{role}'{Problems.Suggest(role, session.Configuration.Table.Roles.Select(one => one.Name))}");
        return null;
    }

    private static PersonLine ToLine(Person one) => new(
        one.Id, one.Source.Name, one.Issuer, one.Subject, one.Name, one.Email, one.Role,
        one.Link?.HeadscaleUserId, one.Link is { } link ? SnakeCase.From(link.Source.ToString()) : null, one.CreatedAt)
    {
        EmailIsTrusted = one.EmailIsTrusted,
        RoleNote = one.RoleNote,
    };
}

/// <summary>One verb's work on the store: the change, its words, its audit entry.</summary>
internal sealed class UsersSession
{
    private readonly IAuditStore _audit;
    private readonly TimeProvider _clock;
    private readonly string _verb;

    public UsersSession(Configuration configuration, string verb, TimeProvider clock)
    {
        var file = SqliteFile.Open(configuration.Settings.Store.File);
        (Configuration, Store, _audit, _clock, _verb) = (configuration, new SqlitePersonStore(file, clock), new SqliteAuditStore(file), clock, verb);
    }

    public Configuration Configuration { get; }

    public IPersonStore Store { get; }

    public IReadOnlyList<Person> People => Store.List().People;

    /// <summary>Changes one person; the change gives null when it already complained.</summary>
    public int Change(string who, Func<Person, Change?> change)
    {
        if (PersonReference.Find(People, who) is not { } person)
        {
            return Output.Fail(PersonReference.NotFound(who));
        }

        return change(person) is { } outcome ? Finish(person.Label, outcome) : Output.Failed;
    }

    /// <summary>Says and records how a change ended.</summary>
    public int Finish(string who, Change outcome)
    {
        if (outcome is Users.Change.Done)
        {
            _audit.Write([AuditEntry.OfVerb($"users.{_verb}", who, _clock)], []);
        }

        return outcome switch
        {
            Users.Change.Done => Say($"{_verb}: {who}: done"),
            Users.Change.None => Output.Fail($"{who}: nothing was changed"),
            Users.Change.NoSuchPerson => Output.Fail(PersonReference.NotFound(who)),
            Users.Change.Claimed => Output.Fail($"{who}: that Headscale user is linked to somebody else; unlink that person first"),
            Users.Change.IsOwner => Output.Fail($"{who} is the owner; use 'gateway users transfer-ownership' first"),
            Users.Change.OwnerExists => Output.Fail("there is an owner already; use 'gateway users transfer-ownership'"),
            Users.Change.Exists => Output.Fail($"{who} exists already; use 'gateway users set-role' or 'link'"),
        };
    }

    /// <summary>A link to a Headscale user that exists; null after a complaint. Without Headscale, it is pinned at first use.</summary>
    public async Task<UserLink?> LinkToAsync(string headscaleUser, CancellationToken cancel)
    {
        if (!ParameterTypes.IsId(headscaleUser))
        {
            Output.Fail($"'{headscaleUser}' is not the id of a Headscale user; ids are numbers");
            return null;
        }

        using var client = Headscale();
        try
        {
            if ((await client.ListUsersAsync(cancel)).FirstOrDefault(one => one.Id == headscaleUser) is { } user)
            {
                return new UserLink(user.Id, user.Fingerprint, LinkSource.Admin);
            }

            Output.Fail($"Headscale has no user with the id {headscaleUser}");
            return null;
        }
        catch (HeadscaleException e)
        {
            await Console.Error.WriteLineAsync($"note: Headscale could not be asked ({e.Message}); the link is pinned when the gateway first sees that user");
            return new UserLink(headscaleUser, UserLink.Unpinned, LinkSource.Admin);
        }
    }

    /// <summary>Why somebody is linked to nobody, by what Headscale says now; null when they are linked.</summary>
    public async Task<string?> WhyUnlinkedAsync(Person person, CancellationToken cancel)
    {
        using var client = Headscale();
        try
        {
            var (users, everyone) = (new UserSnapshot(await client.ListUsersAsync(cancel)), People);
            return Admission.WhyUnlinked(person, users, id => everyone.Any(one => one.Id != person.Id && one.Link?.HeadscaleUserId == id), Configuration.Settings);
        }
        catch (HeadscaleException e)
        {
            return person.Link is null ? $"Headscale could not be asked: {e.Message}" : null;
        }
    }

    private HeadscaleClient Headscale() => new(new Live<Configuration>(Configuration), _clock);

    private static int Say(string text)
    {
        Console.WriteLine(text);
        return Output.Fine;
    }
}
