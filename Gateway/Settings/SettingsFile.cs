using System.Net;
using System.Net.Sockets;

namespace Gateway.Settings;

/// <summary>The outcome of reading a configuration.</summary>
/// <param name="Settings">The settings; null when there is an error.</param>
/// <param name="Problems">All errors and warnings.</param>
/// <param name="Files">The file itself and every secret file it names, for whoever watches them.</param>
internal sealed record SettingsResult(GatewaySettings? Settings, Problems Problems, IReadOnlyList<string> Files);

/// <summary>Reads <c>headtower.yaml</c>: file, then environment, then secret files, then the rules between keys.</summary>
internal static class SettingsFile
{
    public const string FileName = "headtower.yaml";

    /// <summary>The configuration that is used: the argument, the environment, here, or <c>/etc</c>. Null: none exists.</summary>
    public static string? Find(string? argument, IReadOnlyDictionary<string, string> environment) =>
        argument
        ?? environment.GetValueOrDefault("HEADTOWER_CONFIG")
        ?? environment.GetValueOrDefault("HEADPLANE_CONFIG_PATH")
        ?? new[] { "./" + FileName, "/etc/headtower/" + FileName }.FirstOrDefault(File.Exists);

    public static SettingsResult Load(string file, IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            return Parse(File.ReadAllText(file), file, environment);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var problems = new Problems();
            problems.Add(file, $"cannot be read: {e.Message}");
            return new(null, problems, [file]);
        }
    }

    public static SettingsResult Parse(string text, string file, IReadOnlyDictionary<string, string> environment)
    {
        var problems = new Problems();
        var files = new List<string> { file };
        var tree = YamlTree.Parse(text, file, problems);
        if (problems.Errors.Count > 0)
        {
            return new(null, problems, files);
        }

        EnvironmentOverrides.Apply(tree, environment, problems);
        var root = new YamlMap(tree, "", problems);
        var settings = Read(root, environment, files);
        root.RejectUnknownKeys();
        return new(problems.Errors.Count == 0 ? settings : null, problems, files);
    }

    internal static GatewaySettings Read(YamlMap root, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        root.Unused("debug", "integration");
        var headscale = ReadHeadscale(root, environment, files);
        var server = ReadServer(root.MapOrEmpty("server"), environment, files);
        var oidc = OidcSection.Read(root.Map("oidc"), server, headscale.ApiKey is not null, environment, files);
        if (server.ProxyAuth is not null && headscale.ApiKey is null)
        {
            root.Complain("server", "proxy_auth needs headscale.api_key: without it, nobody who signs in could be served");
        }

        LaterSections.Read(root);
        return new GatewaySettings
        {
            Server = server,
            Headscale = headscale with { OidcIssuer = headscale.OidcIssuer ?? oidc?.Issuer },
            Oidc = oidc,
            Bootstrap = ReadBootstrap(root.MapOrEmpty("bootstrap")),
            Store = ReadStore(root.MapOrEmpty("store"), server.DataPath, environment, files),
            Sessions = ReadSessions(root.MapOrEmpty("sessions")),
            Limits = ReadLimits(root.MapOrEmpty("limits")),
            SelfClaim = ReadSelfClaim(root),
            AuditRetentionDays = root.MapOrEmpty("audit").Number("retention_days", 365, 1, 36500),
        };
    }

    private static SelfClaim ReadSelfClaim(YamlMap root)
    {
        switch (root.MapOrEmpty("onboarding").Text("self_claim", "approval"))
        {
            case "approval":
                return SelfClaim.Approval;
            case "off":
                return SelfClaim.Off;
            case "open":
                root.Warn("onboarding", "self_claim: open lets anyone who signs in take any unclaimed Headscale user");
                return SelfClaim.Open;
            default:
                root.Complain("onboarding", "self_claim must be approval, off or open");
                return SelfClaim.Off;
        }
    }

    private static HeadscaleSettings ReadHeadscale(YamlMap root, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        var map = root.MapOrEmpty("headscale");
        map.Unused("config_path", "config_strict", "dns_records_path", "grpc_url");
        var url = map.Url("url");
        if (url is null && !map.Has("url"))
        {
            map.Complain("url", "missing; set it to the address of your Headscale, such as http://127.0.0.1:8080");
        }
        else if (url is { AbsolutePath: not "/" })
        {
            map.Complain("url", "Headscale lives at the root of its host; remove the path");
        }

        if (map.Has("tls_ca_path") && map.Has("tls_cert_path"))
        {
            map.Complain("tls_cert_path", "this is the older name of tls_ca_path; give only one of the two");
        }

        return new HeadscaleSettings
        {
            Url = url ?? new Uri("http://127.0.0.1:8080"),
            ApiKey = SecretFiles.Read(map, "api_key", environment, files) ?? ReadOldApiKey(root, environment, files),
            TlsCaPath = CertificateFile.Read(map, map.Has("tls_ca_path") ? "tls_ca_path" : "tls_cert_path", files),
            ApiKeyPassthrough = map.Flag("api_key_passthrough", fallback: true),
            OidcIssuer = map.Text("oidc_issuer"),
            PublicUrl = map.Url("public_url"),
        };
    }

    /// <summary>Headplane once had the key in the section <c>oidc</c>.</summary>
    private static Secret? ReadOldApiKey(YamlMap root, IReadOnlyDictionary<string, string> environment, List<string> files) =>
        root.Map("oidc") is { } oidc ? SecretFiles.Read(oidc, "headscale_api_key", environment, files) : null;

    private static ServerSettings ReadServer(YamlMap map, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        map.Unused("info_secret", "cookie_secret", "cookie_secret_path");
        var (cert, key) = (CertificateFile.Read(map, "tls_cert_path", files), CertificateFile.Read(map, "tls_key_path", files));
        if (map.Has("tls_cert_path") != map.Has("tls_key_path"))
        {
            map.Complain(map.Has("tls_cert_path") ? "tls_key_path" : "tls_cert_path", "certificate and key are needed together");
        }

        var trustEveryone = map.Flag("dangerously_trust_everyone", false);
        return new ServerSettings
        {
            Listen = ReadListen(map, cert is not null),
            BaseUrl = ReadBaseUrl(map),
            BasePath = ReadBasePath(map),
            DataPath = map.Text("data_path", "/var/lib/headtower"),
            TlsCertPath = cert,
            TlsKeyPath = key,
            TrustedProxies = NetworkList.Read(map, "trusted_proxies", trustEveryone) ?? new NetworkList([]),
            DrainSeconds = map.Number("drain_seconds", 10, 0, 300),
            Cookie = new(
                map.Flag("cookie_secure", true) || cert is not null, map.Text("cookie_domain"), TimeSpan.FromSeconds(map.Number("cookie_max_age", 86400, 60, 31536000))),
            ProxyAuth = ProxyAuthSection.Read(map.Map("proxy_auth"), trustEveryone, environment, files),
        };
    }

    private static Uri[] ReadListen(YamlMap map, bool tls)
    {
        var host = AddressText.Parse(map.Text("host", "0.0.0.0"));
        if (host is null)
        {
            map.Complain("host", "this must be an IP address to listen on, such as 127.0.0.1 or 0.0.0.0");
        }

        var port = map.Number("port", 3000, 0, 65535);
        if (map.Texts("listen") is not { Count: > 0 } listen)
        {
            var name = host?.AddressFamily is AddressFamily.InterNetworkV6 ? $"[{host}]" : (host ?? IPAddress.Any).ToString();
            return [new Uri($"{(tls ? "https" : "http")}://{name}:{port}")];
        }

        var urls = new List<Uri>();
        foreach (var text in listen)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url is not { Scheme: "http" or "https" or "h2c", PathAndQuery: "/" or "", Port: >= 0 }
                || AddressText.Parse(url.Host.Trim('[', ']')) is null)
            {
                map.Complain("listen", $"'{text}' is not of the form http://0.0.0.0:3000, https://[::]:443 or h2c://127.0.0.1:3001");
            }
            else if (url.Scheme == "https" && !tls)
            {
                map.Complain("listen", $"'{text}' needs tls_cert_path and tls_key_path");
            }
            else
            {
                urls.Add(url);
            }
        }

        return [.. urls];
    }

    private static Uri? ReadBaseUrl(YamlMap map)
    {
        if (map.Url("base_url") is not { } url)
        {
            return null;
        }

        if (url.AbsolutePath != "/")
        {
            map.Warn("base_url", $"only the origin is used; the path '{url.AbsolutePath}' is ignored");
        }

        return new Uri(url.GetLeftPart(UriPartial.Authority));
    }

    private static string ReadBasePath(YamlMap map)
    {
        var path = map.Text("base_path", "/admin").TrimEnd('/');
        if (path is not ['/', _, ..] || path[1..].Split('/').Any(one => one.Length == 0 || !one.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
        {
            map.Complain("base_path", "this must be a path such as /admin");
        }
        else if (path.Split('/')[1] is "api" or "ts2021" or "derp" or "key" or "register" or "auth" or "oidc" or "machine" or "verify" or "health")
        {
            map.Complain("base_path", "this path belongs to Headscale; choose another, such as /admin");
        }

        return path;
    }

    private static BootstrapSettings ReadBootstrap(YamlMap map)
    {
        BootstrapOwner? owner = null;
        if (map.Text("owner") is { } text)
        {
            owner = text.Split(':', 2) switch
            {
                ["proxy", { Length: > 0 } subject] => new("proxy", "", subject),
                ["oidc", var rest] when rest.LastIndexOf('#') is > 0 and var at && at < rest.Length - 1 => new("oidc", rest[..at], rest[(at + 1)..]),
                ["email", { Length: > 0 } address] when address.Contains('@', StringComparison.Ordinal) => new("email", "", address),
                _ => null,
            };
            if (owner is null)
            {
                map.Complain("owner", "this must be proxy:NAME, oidc:ISSUER#SUBJECT or email:ADDRESS");
            }
        }

        return new BootstrapSettings { FirstUserIsOwner = map.Flag("first_user_is_owner", true), Owner = owner };
    }

    private static SessionSettings ReadSessions(YamlMap map) =>
        new(TimeSpan.FromMinutes(map.Number("idle_minutes", 0, 0, 525600)), map.Number("max_per_user", 20, 1, 1000));

    private static LimitSettings ReadLimits(YamlMap map) =>
        new(map.Number("anonymous_per_minute", 600, 0, 1_000_000), map.Number("caller_per_minute", 12_000, 0, 1_000_000));

    private static StoreSettings ReadStore(YamlMap map, string dataPath, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        if (map.Text("kind", "sqlite") is not "sqlite")
        {
            map.Complain("kind", "this version stores in sqlite only");
        }

        if (map.Has("connection_path"))
        {
            map.Complain("connection_path", "this belongs to a database server; sqlite takes a file name in 'connection'");
        }

        return new StoreSettings(map.Text("connection") ?? Path.Combine(dataPath, "headtower.db"), SecretFiles.Read(map, "encryption_key", environment, files));
    }
}
