using System.CommandLine;
using Gateway.Headscale;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>
/// <c>gateway init</c>: from a few answers to settings that work and the configuration of the front. What is not given is asked for,
/// where somebody is there to ask, until the answer can be used.
/// </summary>
internal static class InitVerb
{
    private const string Insecure = "--base-url: sign-in needs https, since browsers send no secure cookie over http";

    private static readonly Option<string?> _headscale = new("--headscale")
    {
        Description = "where Headscale listens, such as 127.0.0.1:8080 or https://headscale.internal",
    };
    private static readonly Option<string?> _baseUrl = new("--base-url")
    {
        Description = "the public address, such as https://headscale.example.com; a port is kept",
    };
    private static readonly Option<string?> _front = new("--front")
    {
        Description = "nginx, caddy, haproxy, apache, traefik, or none for TLS at the gateway itself",
    };
    private static readonly Option<string?> _signIn = new("--sign-in")
    {
        Description = "oidc (at the gateway), or what the front does: "
            + "authelia, authentik, tinyauth, oauth2-proxy, basic-auth, lemonldap, openidc",
    };
    private static readonly Option<string?> _owner = new("--owner")
    {
        Description = "who becomes the owner: the name that the front reports, an e-mail address, or ISSUER#SUBJECT",
    };
    private static readonly Option<string?> _issuer = new("--issuer") { Description = "with oidc: the provider, as it writes itself" };
    private static readonly Option<string?> _clientId = new("--client-id")
    {
        Description = "with oidc: the client that the provider knows (default: headtower)",
    };
    private static readonly Option<string?> _listen = new("--listen")
    {
        Description = "where the gateway listens for the front (default: 127.0.0.1:3000)",
    };
    private static readonly Option<string?> _authUrl = new("--auth-url")
    {
        Description = "where the front asks Authelia, authentik, oauth2-proxy or Tinyauth, such as http://authelia:9091",
    };
    private static readonly Option<string?> _portal = new("--portal")
    {
        Description = "where people see that service, such as https://auth.example.com; signing out leads there",
    };
    private static readonly Option<string?> _certificate = new("--tls-cert") { Description = "PEM file of the certificate with its chain" };
    private static readonly Option<string?> _certificateKey = new("--tls-key") { Description = "PEM file of its key" };
    private static readonly Option<string> _output = new("--output")
    {
        Description = "the folder to write to",
        DefaultValueFactory = _ => "/etc/headtower",
    };
    private static readonly Option<string> _data = new("--data")
    {
        Description = "the folder of the store",
        DefaultValueFactory = _ => "/var/lib/headtower",
    };
    private static readonly Option<bool> _systemd = new("--systemd")
    {
        Description = "secrets reach the gateway as credentials of the unit, and stay for root alone",
    };
    private static readonly Option<string?> _socket = new("--socket")
    {
        Description = $"Headscale's own socket, such as {SocketAccess.UsualPaths[0]}; no API key is needed with it",
    };
    private static readonly Option<bool> _install = new("--install")
    {
        Description = "as --systemd, and put the units into /etc/systemd/system for this program where it is",
    };
    private static readonly Option<string> _root = new("--root")
    {
        Description = "with --install: the root of the system to install into",
        DefaultValueFactory = _ => "/",
    };
    private static readonly Option<bool> _offline = new("--offline") { Description = "do not ask Headscale and the provider now" };
    private static readonly Option<bool> _force = new("--force") { Description = "write over files that are there" };

    public static Command Create()
    {
        var verb = new Command(
            "init", "Write settings and the front's configuration. Headscale is reached by its socket, or by an API key on standard input.")
        {
            _headscale, _baseUrl, _front, _signIn, _owner, _issuer, _clientId, _listen, _authUrl, _portal, _certificate, _certificateKey,
            _output, _data, _systemd, _install, _root, _socket, _offline, _force,
        };
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var front = parsed.GetValue(_front) ?? Questions.Ask(
            "What stands in front (nginx, caddy, haproxy, apache, traefik, none)?", "nginx",
            answer => InitFiles.Choices.Any(one => one.Split('/')[0] == answer) ? null : "one of the names in brackets");
        var signIn = parsed.GetValue(_signIn) ?? Questions.Ask(
            "How do people sign in (oidc, authelia, authentik, tinyauth, oauth2-proxy, basic-auth, lemonldap, openidc)?", "oidc",
            answer => InitFiles.Choices.Contains($"{front}/{answer}") ? null : $"with {front}: {WaysOf(front)}");
        var choice = $"{front}/{signIn}";
        if (!InitFiles.Choices.Contains(choice))
        {
            return Output.Fail(
                $"there is no '{front}' with '{signIn}'{Problems.Suggest(choice, InitFiles.Choices)}; there are: "
                + $"{string.Join(", ", InitFiles.Choices)}");
        }

        var (answers, complaint) = Collect(parsed, choice);
        if (answers is null)
        {
            return Output.Fail(complaint!);
        }

        var (socket, key) = FindAccess(parsed.GetValue(_socket));
        if (socket is null && (key is null ? "nothing was there" : ApiKeyFormat.Complaint(key)) is { } wrong)
        {
            return Output.Fail(
                "there is no socket of Headscale at its usual place (--socket names another), so its API key is expected on standard "
                + $"input, and {wrong}: headscale apikeys create --expiration 365d | gateway init …");
        }

        return await FinishAsync(parsed, answers with { Socket = socket, Key = key }, cancel);
    }

    /// <summary>Writes, installs, tries, and says what is left to do.</summary>
    private static async Task<int> FinishAsync(ParseResult parsed, InitAnswers answers, CancellationToken cancel)
    {
        var install = parsed.GetValue(_install) ? new InitInstall(answers, parsed.GetValue(_root)!) : null;
        if (install?.Complaint is { } obstacle)
        {
            return Output.Fail(obstacle);
        }

        if (!WrittenFiles.Write([.. InitFiles.Make(answers).Select(one => one with { Name = Path.Combine(answers.Output, one.Name) }),
            .. install?.Files ?? []], parsed.GetValue(_force)))
        {
            return Output.Failed;
        }

        if (answers.Links.FirstOrDefault(one => !WrittenFiles.Link(Path.Combine(answers.Output, one.Name), Path.GetFullPath(one.Target))) is
            { Name: { } kept })
        {
            return Output.Fail($"{Path.Combine(answers.Output, kept)} is a file of its own; move it away, a link takes its place");
        }

        install?.Reload();
        if (!parsed.GetValue(_offline))
        {
            await InitTrial.RunAsync(answers, cancel);
        }

        Console.WriteLine("\nNext:");
        foreach (var step in InitSteps.Of(answers))
        {
            Console.WriteLine("  " + step);
        }

        return Output.Fine;
    }

    private static string WaysOf(string? front) =>
        string.Join(", ", InitFiles.Choices.Where(one => one.Split('/')[0] == front).Select(one => one.Split('/')[1]));

    /// <summary>All addresses and names, given or asked for; else what is missing or wrong.</summary>
    private static (InitAnswers? Answers, string? Complaint) Collect(ParseResult parsed, string choice)
    {
        var wrong = new List<string>();
        string? Text(Option<string?> option, string? question, string? proposal, string scheme)
        {
            var text = parsed.GetValue(option)
                ?? (question is null ? null : Questions.Ask(question, proposal, answer => Questions.Complaint(answer, scheme)));
            if (text is null && question is not null)
            {
                wrong.Add($"{option.Name} is needed");
            }
            else if (text is not null && Questions.Complaint(text, scheme) is { } complaint)
            {
                wrong.Add($"{option.Name}: {complaint}");
            }

            return text;
        }

        Uri? Address(Option<string?> option, string? question, string? proposal, string scheme) =>
            Text(option, question, proposal, scheme) is { } text ? Questions.AddressOf(text, scheme) : null;

        var headscale = Address(_headscale, "Where does Headscale listen?", "http://127.0.0.1:8080", "http");
        var baseUrl = Address(_baseUrl, "What is the public address?", null, "https");
        wrong.AddRange(baseUrl is { Scheme: not "https" } ? [Insecure] : []);
        var draft = new InitAnswers(choice, headscale ?? new("http://x"), baseUrl ?? new("http://x"), "", "");

        // A provider's name for itself is kept to the letter, with its last slash or without.
        var issuer = draft.NeedsIssuer ? Text(_issuer, "What is the provider's issuer?", null, "https") : null;
        var answers = draft with
        {
            Output = Path.GetFullPath(parsed.GetValue(_output)!),
            Data = parsed.GetValue(_data)!,
            Issuer = issuer?.Contains("://", StringComparison.Ordinal) is false ? $"https://{issuer}" : issuer,
            ClientId = parsed.GetValue(_clientId),
            Listen = Address(_listen, null, null, "http"),
            AuthUrl = Address(_authUrl, null, null, "http"),
            Portal = Address(_portal, null, null, "https"),
            Certificate = parsed.GetValue(_certificate),
            CertificateKey = parsed.GetValue(_certificateKey),
            IsService = parsed.GetValue(_systemd) || parsed.GetValue(_install),
            IsInstalled = parsed.GetValue(_install),
            Owner = OwnerOf(
                parsed.GetValue(_owner)
                ?? Questions.Ask("Who are you there? You become the owner (empty: whoever comes first)", ""), draft),
        };
        return wrong.Count == 0 ? (answers, null) : (null, string.Join("; ", wrong));
    }

    /// <summary>An owner as <c>bootstrap.owner</c> has it: an identity, an address, or the name that a front reports.</summary>
    private static string? OwnerOf(string? text, InitAnswers answers) => text switch
    {
        null or "" => null,
        _ when text.StartsWith("proxy:", StringComparison.Ordinal) || text.StartsWith("oidc:", StringComparison.Ordinal)
            || text.StartsWith("email:", StringComparison.Ordinal) => text,
        _ when text.Contains('#', StringComparison.Ordinal) => $"oidc:{text}",
        _ when text.Contains('@', StringComparison.Ordinal) || answers.SignsIn => $"email:{text}",
        _ => $"proxy:{text}",
    };

    /// <summary>The way to Headscale's API: a socket that is named, a key, or the socket that is at its usual place.</summary>
    private static (string? Socket, string? Key) FindAccess(string? named)
    {
        var found = named ?? (Console.IsInputRedirected ? null : SocketAccess.Find());
        var key = found is null ? Questions.ReadKey() : null;
        found ??= key is null || ApiKeyFormat.Complaint(key) is not null ? SocketAccess.Find() : null;
        if (found is null)
        {
            return (null, key);
        }

        Console.WriteLine($"{found}: Headscale's own socket. No API key is needed, and calls take a fraction of the time.");
        return (found, null);
    }
}
