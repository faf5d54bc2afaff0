using System.CommandLine;
using System.Reflection;
using System.Text;
using Gateway.Headscale;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>
/// <c>gateway init</c>: from a few answers to settings that work and the configuration of the front, made from the very
/// files in <c>deploy/</c>. What is not given is asked for, where somebody is there to ask.
/// </summary>
internal static class InitVerb
{
    private const string SampleHost = "headscale.example.com";
    private const string SampleUrl = "http://127.0.0.1:8080";
    private const string SampleKey = "/etc/headtower/headscale-api-key";
    private const string SampleSecret = "/etc/headtower/client-secret";

    private static readonly Option<string?> _headscale = new("--headscale")
    {
        Description = "where Headscale listens, such as http://127.0.0.1:8080",
    };
    private static readonly Option<string?> _baseUrl = new("--base-url")
    {
        Description = "the public address, such as https://headscale.example.com",
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
    private static readonly Option<string?> _issuer = new("--issuer") { Description = "with oidc: the provider, as it writes itself" };
    private static readonly Option<string?> _clientId = new("--client-id")
    {
        Description = "with oidc: the client that the provider knows (default: headtower)",
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
    private static readonly Option<bool> _force = new("--force") { Description = "write over files that are there" };

    public static Command Create()
    {
        var verb = new Command(
            "init", "Write settings and the front's configuration. Headscale is reached by its socket, or by an API key on standard input.")
        {
            _headscale, _baseUrl, _front, _signIn, _issuer, _clientId, _certificate, _certificateKey, _output, _data, _systemd,
            _socket, _force,
        };
        verb.SetAction(Run);
        return verb;
    }

    /// <summary>The fronts and ways to sign in that there are, as <c>nginx/authelia</c>.</summary>
    public static IReadOnlyList<string> Choices { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(IsFront).Select(ChoiceOf).Order(StringComparer.Ordinal)];

    private static int Run(ParseResult parsed)
    {
        var front = parsed.GetValue(_front) ?? Questions.Ask(
            "What stands in front (nginx, caddy, haproxy, apache, traefik, none)?", "nginx");
        var signIn = parsed.GetValue(_signIn) ?? Questions.Ask(
            "How do people sign in (oidc, authelia, authentik, tinyauth, oauth2-proxy, basic-auth, lemonldap, openidc)?", "oidc");
        if (!Choices.Contains($"{front}/{signIn}"))
        {
            return Output.Fail(
                $"there is no '{front}' with '{signIn}'{Problems.Suggest($"{front}/{signIn}", Choices)}. There are: "
                + $"{string.Join(", ", Choices)}");
        }

        var headscale = parsed.GetValue(_headscale) ?? Questions.Ask("Where does Headscale listen?", SampleUrl);
        var baseUrl = parsed.GetValue(_baseUrl) ?? Questions.Ask("What is the public address?", null);
        var issuer = signIn is not ("oidc" or "openidc") ? null
            : parsed.GetValue(_issuer) ?? Questions.Ask("What is the provider's issuer?", null);
        foreach (var (name, text) in new[] { ("--headscale", headscale), ("--base-url", baseUrl), ("--issuer", issuer) })
        {
            if (text is null && (name != "--issuer" || signIn is "oidc" or "openidc"))
            {
                return Output.Fail($"{name} is needed");
            }

            if (text is not null && !(Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
            {
                return Output.Fail($"{name}: '{text}' is not an address such as https://headscale.example.com");
            }
        }

        if (FindAccess(parsed.GetValue(_socket)) is not var (socket, key))
        {
            return Output.Fail(
                "there is no socket of Headscale at its usual place (--socket names another), so its API key is expected on standard "
                + "input: headscale apikeys create --expiration 365d | gateway init …");
        }

        return Write(parsed, $"{front}/{signIn}", headscale!, new Uri(baseUrl!), issuer, socket, key);
    }

    /// <summary>The way to Headscale's API: a socket that is named, a key, or the socket that is at its usual place.</summary>
    private static (string? Socket, string? Key)? FindAccess(string? named)
    {
        var found = named ?? (Console.IsInputRedirected ? null : SocketAccess.Find());
        var key = found is null ? Questions.ReadKey() : null;
        found ??= key is null ? SocketAccess.Find() : null;
        if (found is not null)
        {
            Console.WriteLine($"{found}: Headscale's own socket. No API key is needed, and calls take a hundredth of the time.");
        }

        return found is null && key is null ? null : (found, key);
    }

    private static int Write(
        ParseResult parsed, string choice, string headscale, Uri baseUrl, string? issuer, string? socket, string? key)
    {
        var output = Path.GetFullPath(parsed.GetValue(_output)!);
        var files = FilesOf(parsed, choice, headscale, baseUrl, issuer, socket);
        if (key is not null)
        {
            files.Insert(0, ("headscale-api-key", key + "\n", true));
        }

        if (!parsed.GetValue(_force)
            && files.FirstOrDefault(one => File.Exists(Path.Combine(output, one.Name))) is { Name: not null } there)
        {
            return Output.Fail($"{Path.Combine(output, there.Name)} is there already; --force writes over it");
        }

        foreach (var (name, text, isSecret) in files)
        {
            WriteFile(Path.Combine(output, name), text, isSecret);
            Console.WriteLine($"wrote {Path.Combine(output, name)}");
        }

        Console.WriteLine("\nNext:");
        foreach (var step in Steps(choice, output, baseUrl, parsed.GetValue(_systemd), socket))
        {
            Console.WriteLine("  " + step);
        }

        return Output.Fine;
    }

    private static List<(string Name, string Text, bool IsSecret)> FilesOf(
        ParseResult parsed, string choice, string headscale, Uri baseUrl, string? issuer, string? socket)
    {
        var output = Path.GetFullPath(parsed.GetValue(_output)!);
        var secrets = parsed.GetValue(_systemd) ? "${CREDENTIALS_DIRECTORY}" : output;
        var resource = Assembly.GetExecutingAssembly().GetManifestResourceNames().Single(one => IsFront(one) && ChoiceOf(one) == choice);
        var folder = resource[..(resource.LastIndexOf('/') + 1)];
        string Fit(string text) => text
            .Replace(
                $"/etc/ssl/{SampleHost}/fullchain.pem", parsed.GetValue(_certificate) ?? $"/etc/ssl/{baseUrl.Host}/fullchain.pem",
                StringComparison.Ordinal)
            .Replace(
                $"/etc/ssl/{SampleHost}/privkey.pem", parsed.GetValue(_certificateKey) ?? $"/etc/ssl/{baseUrl.Host}/privkey.pem",
                StringComparison.Ordinal)
            .Replace(SampleHost, baseUrl.Host, StringComparison.Ordinal)
            .Replace(SampleUrl, headscale.TrimEnd('/'), StringComparison.Ordinal)
            .Replace("https://id.example.com", issuer?.TrimEnd('/') ?? "https://id.example.com", StringComparison.Ordinal)
            .Replace(
                $"api_key_path: {SampleKey}", socket is null ? $"api_key_path: {secrets}/headscale-api-key" : $"socket: {socket}",
                StringComparison.Ordinal)
            .Replace(SampleSecret, $"{secrets}/client-secret", StringComparison.Ordinal);

        var files = new List<(string Name, string Text, bool IsSecret)>
        {
            ("headtower.yaml", Settings(Fit(Read(resource)), baseUrl, issuer, parsed.GetValue(_clientId), parsed.GetValue(_data)!), false),
        };
        if (folder != "deploy/none/")
        {
            files.Add(($"front/{resource[folder.Length..]}", Fit(Read(resource)), false));
        }

        foreach (var beside in Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(one => one.StartsWith(folder, StringComparison.Ordinal) && !IsFront(one)))
        {
            files.Add(($"front/{beside[folder.Length..]}", Fit(Read(beside)), false));
        }

        return files;
    }

    private static IEnumerable<string> Steps(string choice, string output, Uri baseUrl, bool isService, string? socket)
    {
        var config = Path.Combine(output, "headtower.yaml");
        if (socket is not null && !isService)
        {
            yield return $"put the gateway's user into the group of {socket}: usermod -aG headscale USER (docs/socket.md)";
        }
        else if (socket is null && isService)
        {
            yield return $"systemctl edit headtower: [Service], SupplementaryGroups= and LoadCredential=headscale-api-key:"
                + Path.Combine(output, "headscale-api-key");
        }

        if (choice.EndsWith("/oidc", StringComparison.Ordinal))
        {
            yield return $"put the client's secret into {Path.Combine(output, "client-secret")}; its redirect address is "
                + $"{baseUrl.GetLeftPart(UriPartial.Authority)}/admin/oidc/callback";
            if (isService)
            {
                yield return "systemctl edit headtower: [Service] and LoadCredential=client-secret:" + Path.Combine(
                    output, "client-secret");
            }
        }

        yield return $"{(isService ? $"CREDENTIALS_DIRECTORY={output} " : "")}gateway check --online --config {config}";
        yield return isService ? "systemctl enable --now headtower.socket" : $"gateway --config {config}";
        if (!choice.StartsWith("none/", StringComparison.Ordinal))
        {
            yield return $"give {Path.Combine(output, "front")} to your front; its first lines say where it belongs";
        }
    }

    /// <summary>The settings that the front's file names in its comments, each with its meaning.</summary>
    private static string Settings(string front, Uri baseUrl, string? issuer, string? clientId, string data)
    {
        var text = new StringBuilder("# Written by 'gateway init'. 'gateway settings' explains every setting.\n");
        var path = new List<string>();
        foreach (var line in front.Split("# headtower.yaml:\n")[1].Split('\n')
            .TakeWhile(one => one.StartsWith("#   ", StringComparison.Ordinal)).Select(one => one[4..]))
        {
            var depth = line.TakeWhile(one => one == ' ').Count();
            if (line.TrimStart() is not ['#', ..] && line.Contains(':', StringComparison.Ordinal))
            {
                path = [.. path.Take(depth / 2), line.Trim().Split(':')[0]];
                var meaning = SettingDeclarations.All.FirstOrDefault(one => one.Key == string.Join('.', path))?.Meaning;
                text.Append(
                    depth == 0 ? "\n" : meaning is null ? "" : $"{new string(' ', depth)}# "
                        + $"{meaning.Replace("`", "", StringComparison.Ordinal)}\n");
            }

            // Which groups there are, only the provider knows: a role by an invented one would be somebody's surprise.
            text.Append(path is [.., "role_map"] ? $"{new string(' ', depth)}# {line.TrimStart()}   # your groups" : line).Append('\n');
            if (line.TrimStart().StartsWith("base_url: ", StringComparison.Ordinal))
            {
                text.Append($"  data_path: {data}\n");
            }
        }

        return text.Replace($"base_url: https://{baseUrl.Host}", $"base_url: {baseUrl.GetLeftPart(UriPartial.Authority)}")
            .Replace($"issuer: {issuer?.TrimEnd('/')}\n", $"issuer: {issuer}\n")
            .Replace("client_id: headtower", $"client_id: {clientId ?? "headtower"}").ToString();
    }

    private static void WriteFile(string path, string text, bool isSecret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
        {
            File.Delete(path);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Whether it is the configuration of a front, and not what such a file includes.</summary>
    private static bool IsFront(string resource) =>
        resource.StartsWith("deploy/", StringComparison.Ordinal) && !resource.Contains("/snippets/", StringComparison.Ordinal)
            && !resource.EndsWith(".lua", StringComparison.Ordinal);

    private static string ChoiceOf(string resource)
    {
        var parts = resource.Split('/');
        return $"{parts[1]}/{(parts[1] == "traefik" ? "authelia" : parts[^1].Split('.')[0])}";
    }

    private static string Read(string resource)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}
