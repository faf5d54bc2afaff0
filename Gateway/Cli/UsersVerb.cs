using System.CommandLine;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary><c>gateway users …</c>: done by the running gateway, when there is one, and in effect at once.</summary>
internal static class UsersVerb
{
    private static readonly Argument<string> _who = new("ID") { Description = "the number, or the identity such as proxy:alice" };
    private static readonly Argument<string> _role = new("ROLE") { Description = "the role" };
    private static readonly Argument<string> _headscaleUser = new("HEADSCALE_USER") { Description = "Headscale's user id" };
    private static readonly Option<string> _source = new("--source") { Description = "proxy or oidc", Required = true };
    private static readonly Option<string> _issuer = new("--issuer")
    {
        Description = "the issuer of the subject",
        DefaultValueFactory = _ => "",
    };
    private static readonly Option<string> _subject = new("--subject")
    {
        Description = "the subject: the user header's value, or the provider's sub",
        Required = true,
    };
    private static readonly Option<string> _newRole = new("--role") { Description = "the role", Required = true };
    private static readonly Option<string?> _link = new("--headscale-user") { Description = "Headscale's user id to link to" };
    private static readonly Option<string?> _email = new("--email") { Description = "the e-mail address" };
    private static readonly Option<string?> _name = new("--name") { Description = "the name" };

    public static Command Create()
    {
        _source.AcceptOnlyFromAmong("proxy", "oidc");
        return new Command("users", "List people and change their roles and links.")
        {
            Verb("list", "List everyone.", ListAsync, CommandLine.Json),
            Verb("show", "Show one person.", ShowAsync, _who, CommandLine.Json),
            Verb("add", "Add a person before the first sign-in.", AddAsync, _source, _issuer, _subject, _newRole, _link, _email, _name),
            Change("set-role", "role", "Give a role by hand; it stays until it is taken back with 'unpin'.", _who, _role),
            Change("unpin", "unpin", "Take a role back that was given by hand: groups decide again.", _who),
            Change("link", "link", "Link a person to a Headscale user.", _who, _headscaleUser),
            Change("unlink", "unlink", "Remove a link; nothing links the person again by itself.", _who),
            Change("remove", "remove", "Remove a person; a new sign-in starts over.", _who),
            Change("transfer-ownership", "owner", "Make a person the owner; the owner until now becomes admin.", _who),
        };
    }

    private static Command Verb(
        string name, string help, Func<Configuration, ParseResult, CancellationToken, Task<int>> run, params ReadOnlySpan<Symbol> symbols)
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

        verb.SetAction(
            async (parsed, cancel) => CommandLine.Load(parsed) is var (_, configuration, _) ? await run(configuration, parsed, cancel)
                : Output.Failed);
        return verb;
    }

    /// <param name="action">The change, as pages call it.</param>
    /// <param name="symbols">The person, and what is set.</param>
    private static Command Change(string name, string action, string help, params Argument<string>[] symbols) =>
        Verb(name, help, (configuration, parsed, cancel) =>
    {
        var (who, value) = (parsed.GetValue(symbols[0])!, symbols.Length > 1 ? parsed.GetValue(symbols[1]) : null);
        var request = ControlClient.Request("users.change", ("who", who), ("action", action), ("value", value));
        return ControlClient.DoAsync(configuration, request, $"{name}: {OutsideText.Clean(who, 300)}: done", cancel);
    }, [.. symbols]);

    private static async Task<int> ListAsync(Configuration configuration, ParseResult parsed, CancellationToken cancel)
    {
        if (await ControlClient.AskAsync(configuration, ControlClient.Request("users.list"), ControlJson.Default.IReadOnlyListPersonLine,
            cancel) is not { } people)
        {
            return Output.Failed;
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(people, ControlJson.Default.IReadOnlyListPersonLine);
        }
        else
        {
            Output.Table(["ID", "IDENTITY", "ROLE", "HEADSCALE USER", "NAME", "E-MAIL"], people.Select(one => (string?[])
            [
                $"{one.Id}", one.Identity, $"{one.Role}{(one.RoleIsPinned ? " (by hand)" : "")}",
                one.HeadscaleUser is { } user ? $"{user} ({one.LinkSource})" : null, one.Name, one.Email,
            ]));
        }

        return Output.Fine;
    }

    private static async Task<int> ShowAsync(Configuration configuration, ParseResult parsed, CancellationToken cancel)
    {
        var request = ControlClient.Request("users.show", ("who", parsed.GetValue(_who)));
        if (await ControlClient.AskAsync(configuration, request, ControlJson.Default.PersonLine, cancel) is not { } person)
        {
            return Output.Failed;
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(person, ControlJson.Default.PersonLine);
            return Output.Fine;
        }

        var role = configuration.Table.RoleNamed(person.Role);
        Output.Table(["WHAT", "VALUE"],
        [
            ["id", $"{person.Id}"], ["identity", person.Identity], ["role", person.Role],
            ["why this role", person.RoleIsPinned ? "given by hand; 'gateway users unpin' takes it back" : person.RoleNote],
            [
                "name", person.Name,
            ],
            ["e-mail", person.Email is null ? null : $"{person.Email} ({(person.EmailIsTrusted ? "trusted" : "not trusted")})"],
            ["Headscale user", person.HeadscaleUser], ["linked by", person.LinkSource], ["why not linked", person.WhyUnlinked],
            ["since", $"{person.CreatedAt:u}"], ["capabilities", string.Join(' ', role.Held.Select(one => one.Name).Order())],
        ]);
        return Output.Fine;
    }

    private static async Task<int> AddAsync(Configuration configuration, ParseResult parsed, CancellationToken cancel)
    {
        if (OutsideText.Complaint(parsed.GetValue(_subject)!, OutsideText.LongestSubject) is { } complaint)
        {
            return Output.Fail($"--subject {complaint}; nobody who signs in could have it");
        }

        if (parsed.GetValue(_email) is { } email && !EmailAddress.IsUsable(email))
        {
            return Output.Fail($"--email: '{OutsideText.Clean(email)}' is not an address with exactly one @");
        }

        var request = ControlClient.Request(
            "users.add", ("source", parsed.GetValue(_source)), ("issuer", parsed.GetValue(_issuer)),
            ("subject", parsed.GetValue(_subject)), ("name", parsed.GetValue(_name)),
            ("email", parsed.GetValue(_email)), ("role", parsed.GetValue(_newRole)), ("headscale_user", parsed.GetValue(_link)));
        return await ControlClient.DoAsync(
            configuration, request, $"add: {parsed.GetValue(_source)}:{parsed.GetValue(_subject)}: done", cancel);
    }
}
