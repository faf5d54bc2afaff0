using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>
/// The files that <c>gateway init</c> writes, made from those in <c>deploy/</c>: the samples' names give way to the answers.
/// </summary>
internal static partial class InitFiles
{
    private const string SampleHost = "headscale.example.com";
    private const string SampleUrl = "http://127.0.0.1:8080";
    private const string SampleKey = "/etc/headtower/headscale-api-key";
    private const string SampleSecret = "/etc/headtower/client-secret";
    private const int DefaultTlsPort = 443;

    /// <summary>The fronts and ways to sign in that there are, as <c>nginx/authelia</c>.</summary>
    public static IReadOnlyList<string> Choices { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(IsFront).Select(ChoiceOf).Order(StringComparer.Ordinal)];

    /// <summary>Every file with its text; a secret is for its owner alone.</summary>
    public static List<(string Name, string Text, bool IsSecret)> Make(InitAnswers answers)
    {
        var resource = Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Single(one => IsFront(one) && ChoiceOf(one) == answers.Choice);
        var folder = resource[..(resource.LastIndexOf('/') + 1)];
        var files = new List<(string Name, string Text, bool IsSecret)>
        {
            ("headtower.yaml", Settings(Fit(Read(resource), answers), answers), false),
        };
        if (answers.Key is { } key)
        {
            files.Insert(0, ("headscale-api-key", key + "\n", true));
        }

        if (!answers.IsAlone)
        {
            var beside = Assembly.GetExecutingAssembly().GetManifestResourceNames()
                .Where(one => one.StartsWith(folder, StringComparison.Ordinal) && !IsFront(one));
            files.AddRange(beside.Prepend(resource).Select(one => ($"front/{one[folder.Length..]}", Fit(Read(one), answers), false)));
        }

        return files;
    }

    /// <summary>A text of <c>deploy/</c> with the answers in it.</summary>
    private static string Fit(string text, InitAnswers answers)
    {
        var host = answers.BaseUrl.Host;
        const string folder = $"/etc/ssl/{SampleHost}";
        var secrets = answers.IsService ? "${CREDENTIALS_DIRECTORY}" : answers.Output;
        text = SocketHint().Replace(text, "")
            .Replace(
                $"{folder}/fullchain.pem", answers.HandsCertificate ? $"{secrets}/tls-cert" : answers.CertificateFile,
                StringComparison.Ordinal)
            .Replace(
                $"{folder}/privkey.pem", answers.HandsCertificate ? $"{secrets}/tls-key" : answers.CertificateKeyFile,
                StringComparison.Ordinal)
            .Replace(SampleUrl, answers.Headscale.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
            .Replace(
                $"api_key_path: {SampleKey}",
                answers.Socket is { } socket ? $"socket: {socket}" : $"api_key_path: {secrets}/headscale-api-key", StringComparison.Ordinal)
            .Replace(SampleSecret, $"{secrets}/client-secret", StringComparison.Ordinal)
            .Replace("https://id.example.com", answers.Issuer?.TrimEnd('/') ?? "https://id.example.com", StringComparison.Ordinal);
        if (answers.AuthUrl is { } service)
        {
            text = AuthService().Replace(text, service.Authority);
        }

        if (answers.Portal is { } portal)
        {
            text = PortalSample().Replace(text, portal.GetLeftPart(UriPartial.Authority));
        }

        if (answers.Listen is { } listen)
        {
            text = text.Replace("127.0.0.1:3000", listen.Authority, StringComparison.Ordinal)
                .Replace("#     host: 127.0.0.1\n", $"#     host: {listen.Host.Trim('[', ']')}\n", StringComparison.Ordinal)
                .Replace("#     port: 3000\n", $"#     port: {listen.Port}\n", StringComparison.Ordinal);
        }

        return WithPort(text, answers).Replace(SampleHost, host, StringComparison.Ordinal);
    }

    /// <summary>The public port, where it is not 443: in the front's listeners and in what leads to them.</summary>
    private static string WithPort(string text, InitAnswers answers)
    {
        var port = answers.BaseUrl.Port;
        if (port == DefaultTlsPort || answers.BaseUrl.Scheme != "https")
        {
            return text;
        }

        return PublicListener().Replace(text, $"${{1}}{port}")
            .Replace($"\n{SampleHost} {{", $"\n{SampleHost}:{port} {{", StringComparison.Ordinal)
            .Replace($"https://{SampleHost}", $"https://{SampleHost}:{port}", StringComparison.Ordinal)
            .Replace("https://$host$request_uri", $"https://$host:{port}$request_uri", StringComparison.Ordinal);
    }

    /// <summary>The settings that the front's file names in its comments, each with its meaning.</summary>
    private static string Settings(string front, InitAnswers answers)
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

            text.Append(line).Append('\n');
            if (line.TrimStart().StartsWith("base_url: ", StringComparison.Ordinal))
            {
                text.Append($"  data_path: {answers.Data}\n");
            }
        }

        if (answers.Owner is { } owner)
        {
            text.Append($"\nbootstrap:\n  # Who becomes the owner with the first sign-in; nobody else does.\n  owner: \"{owner}\"\n");
        }

        return text
            .Replace($"base_url: https://{answers.BaseUrl.Authority}", $"base_url: {answers.BaseUrl.GetLeftPart(UriPartial.Authority)}")
            .Replace($"issuer: {answers.Issuer?.TrimEnd('/')}\n", $"issuer: {answers.Issuer}\n")
            .Replace("client_id: headtower", $"client_id: {answers.ClientId ?? "headtower"}").ToString();
    }

    /// <summary>Whether it is the configuration of a front, and not what such a file includes.</summary>
    private static bool IsFront(string resource) =>
        resource.StartsWith("deploy/", StringComparison.Ordinal) && !resource.Contains("/snippets/", StringComparison.Ordinal)
            && !resource.EndsWith(".lua", StringComparison.Ordinal);

    private static string ChoiceOf(string resource)
    {
        var parts = resource.Split('/');
        return $"{parts[1]}/{(parts[^1] == "dynamic.yaml" ? "authelia" : parts[^1].Split('.')[0])}";
    }

    /// <summary>A file of <c>deploy/</c> that the program brings along.</summary>
    public static string Read(string resource)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    /// <summary>The samples name the socket in two lines of comment; here one of the two ways is chosen.</summary>
    [GeneratedRegex(@"#     # Better than a key[^\n]*\n#     # socket:[^\n]*\n")]
    private static partial Regex SocketHint();

    /// <summary>The addresses at which the samples ask Authelia, authentik, oauth2-proxy and Tinyauth.</summary>
    [GeneratedRegex(@"127\.0\.0\.1:(9091|9000|4180|3010)\b")]
    private static partial Regex AuthService();

    [GeneratedRegex(@"https://(auth|tinyauth|authentik)\.example\.com")]
    private static partial Regex PortalSample();

    [GeneratedRegex(@"(listen (?:\[::\]:)?|bind :(?:::)?|<VirtualHost \*:|https://\[::\]:)443\b")]
    private static partial Regex PublicListener();
}
