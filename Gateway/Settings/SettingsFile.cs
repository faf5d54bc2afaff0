using System.Globalization;
namespace Gateway.Settings;

/// <summary>The outcome of reading a configuration.</summary>
/// <param name="Settings">The settings; null when there is an error.</param>
/// <param name="Problems">All errors and warnings.</param>
/// <param name="Files">The file itself and every secret file it names, for whoever watches them.</param>
internal sealed record SettingsResult(GatewaySettings? Settings, Problems Problems, IReadOnlyList<string> Files)
{
    /// <summary>The settings as far as they were understood, for further checks beside the errors; null when nothing was.</summary>
    public GatewaySettings? Draft { get; init; }

    /// <summary>Where a setting stands, by its full name.</summary>
    public Func<string, string> PlaceOf { get; init; } = key => key;
}

/// <summary>Reads <c>headtower.yaml</c>: file, then environment, then secret files, then the rules between keys.</summary>
internal static class SettingsFile
{
    /// <summary>The versions 0.26 to 0.30 are known.</summary>
    private const int OldestMinor = 26;

    private const int NewestMinor = 30;

    public const string FileName = "headtower.yaml";

    private static readonly string[] _oldApiKeys = ["headscale_api_key", "headscale_api_key_path"];

    /// <summary>The configuration that is used: the argument, the environment, here, or <c>/etc</c>. Null: none exists.</summary>
    public static string? Find(string? argument, IReadOnlyDictionary<string, string> environment) =>
        argument
        ?? environment.GetValueOrDefault("HEADTOWER_CONFIG")
        ?? environment.GetValueOrDefault("HEADPLANE_CONFIG_PATH")
        ?? new[] { "./" + FileName, "/etc/headtower/" + FileName }.FirstOrDefault(File.Exists);

    /// <param name="file">The file.</param>
    /// <param name="environment">The environment, which comes before the file.</param>
    /// <param name="complaintAboutKey">What is wrong with the form of an API key of Headscale; null when nothing is.</param>
    public static SettingsResult Load(
        string file, IReadOnlyDictionary<string, string> environment, Func<string, string?>? complaintAboutKey = null)
    {
        try
        {
            return Parse(File.ReadAllText(file), file, environment, complaintAboutKey);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var problems = new Problems();
            problems.Add(file, $"cannot be read: {e.Message}");
            return new(null, problems, [file]);
        }
    }

    /// <inheritdoc cref="Load"/>
    public static SettingsResult Parse(
        string text, string file, IReadOnlyDictionary<string, string> environment, Func<string, string?>? complaintAboutKey = null)
    {
        var problems = new Problems();
        var files = new List<string> { file };
        var tree = YamlTree.Parse(text, file, problems);
        if (problems.Errors.Count > 0)
        {
            return new(null, problems, files);
        }

        EnvironmentOverrides.Apply(tree, environment, problems);
        KnownSettings.Check(tree, problems);
        var root = new YamlMap(tree, "", problems);
        var settings = Read(root, environment, files);
        if (settings.Headscale.ApiKey is { } key && complaintAboutKey?.Invoke(key.Reveal()) is { } complaint)
        {
            problems.Warn(root.PlaceOf("headscale.api_key"), $"the API key does not look like one of Headscale: {complaint}");
        }

        return new(problems.Errors.Count == 0 ? settings : null, problems, files) { Draft = settings, PlaceOf = root.PlaceOf };
    }

    internal static GatewaySettings Read(YamlMap root, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        var headscale = ReadHeadscale(root, environment, files);
        var server = ServerSection.Read(root.MapOrEmpty("server"), environment, files);
        var redirected = OidcSection.BaseUrlOf(root, server);
        server = server with { BaseUrl = server.BaseUrl ?? redirected };
        var oidc = OidcSection.Read(root.Map("oidc"), environment, files);
        SettingsChecks.CheckSignIn(root, headscale, server, oidc);
        SettingsChecks.CheckAddresses(root, headscale, server);
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
            SelfClaim = ReadSelfClaim(root.MapOrEmpty("onboarding")),
            Audit = ReadAudit(root.MapOrEmpty("audit"), server.DataPath),
            Log = LogSettings.Read(root.MapOrEmpty("log")),
            Branding = BrandingSettings.Read(root.MapOrEmpty("branding"), files),
            TakesApiKeys = headscale.ServesPeople && !root.MapOrEmpty("oidc").Flag("disable_api_key_login"),
            ManualRoles = root.MapOrEmpty("roles").Word("manual") is "mapped" ? ManualRoles.Mapped : ManualRoles.Pinned,
        };
    }

    private static AuditSettings ReadAudit(YamlMap map, string dataPath) =>
        new(map.Text("path") ?? Path.Combine(dataPath, "audit"), map.Number("retention_days"), map.Word("reads") != "each");

    private static SelfClaim ReadSelfClaim(YamlMap map)
    {
        switch (map.Word("self_claim"))
        {
            case "off":
                return SelfClaim.Off;
            case "open":
                map.Warn("self_claim", "this lets anyone who signs in take any unclaimed Headscale user");
                return SelfClaim.Open;
            default:
                return SelfClaim.Approval;
        }
    }

    private static HeadscaleSettings ReadHeadscale(YamlMap root, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        var map = root.MapOrEmpty("headscale");
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
            ApiKey = ReadApiKey(root, map, environment, files),
            Socket = ReadSocket(map),
            Version = ReadVersion(map),
            KeyProof = TimeSpan.FromSeconds(map.Number("key_proof")),
            TlsCaPath = CertificateFile.Read(map, "tls_ca_path", environment, files)
                ?? CertificateFile.Read(map, "tls_cert_path", environment, files),
            ApiKeyPassthrough = map.Flag("api_key_passthrough"),
            OidcIssuer = map.Text("oidc_issuer"),
            BaseDomain = ReadBaseDomain(map),
            PublicUrl = map.Url("public_url"),
        };
    }

    private static string? ReadBaseDomain(YamlMap map)
    {
        var domain = map.Text("base_domain")?.TrimEnd('.');
        if (domain is not null && Uri.CheckHostName(domain) is not UriHostNameType.Dns)
        {
            map.Complain("base_domain", "this is Headscale's dns.base_domain, a domain such as tailnet.example.com, without https://");
        }

        return domain;
    }

    private static string? ReadSocket(YamlMap map)
    {
        var path = map.Text("socket");
        if (path is not null && !Path.IsPathRooted(path))
        {
            map.Complain("socket", "this is the path of a socket, such as /var/run/headscale/headscale.sock");
        }

        return path;
    }

    private static int? ReadVersion(YamlMap map)
    {
        if (map.Text("version") is not { } text)
        {
            return null;
        }

        if (text.Split('.') is ["0", var minor, ..] && int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is >= OldestMinor and <= NewestMinor)
        {
            return number;
        }

        map.Complain("version", $"this is a version from 0.{OldestMinor} to 0.{NewestMinor}, such as \"0.29\"");
        return null;
    }

    /// <summary>Headplane once had the key in the section <c>oidc</c>. The new place comes first.</summary>
    private static Secret? ReadApiKey(YamlMap root, YamlMap headscale, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        var (key, oidc) = (SecretFiles.Read(headscale, "api_key", environment, files), root.Map("oidc"));
        if (!headscale.Has("api_key") && !headscale.Has("api_key_path"))
        {
            return oidc is null ? null : SecretFiles.Read(oidc, "headscale_api_key", environment, files);
        }

        foreach (var old in _oldApiKeys.Where(one => oidc?.Has(one) is true))
        {
            oidc!.Warn(old, "not used: headscale.api_key is set and comes first");
        }

        return key;
    }

    private static BootstrapSettings ReadBootstrap(YamlMap map)
    {
        BootstrapOwner? owner = null;
        if (map.Text("owner") is { } text)
        {
            owner = text.Split(':', 2) switch
            {
                ["proxy", { Length: > 0 } subject] => new("proxy", "", subject),
                ["oidc", var rest] when rest.LastIndexOf('#') is > 0 and var at && at < rest.Length - 1 =>
                    new("oidc", rest[..at], rest[(at + 1)..]),
                ["email", var address] when EmailAddress.IsUsable(address) => new("email", "", address),
                _ => null,
            };
            if (owner is null)
            {
                map.Complain("owner", "this must be proxy:NAME, oidc:ISSUER#SUBJECT or email:ADDRESS");
            }
        }

        return new BootstrapSettings { FirstUserIsOwner = map.Flag("first_user_is_owner"), Owner = owner };
    }

    private static SessionSettings ReadSessions(YamlMap map) =>
        new(TimeSpan.FromMinutes(map.Number("idle_minutes")), map.Number("max_per_user"));

    private static LimitSettings ReadLimits(YamlMap map) =>
        new(map.Number("anonymous_per_minute"), map.Number("caller_per_minute"));

    private static StoreSettings ReadStore(
        YamlMap map, string dataPath, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        var kind = StoreKinds.Parse(map.Word("kind"));
        var (key, file) = (SecretFiles.Read(map, "encryption_key", environment, files), Path.Combine(dataPath, kind.FileName));
        if (kind is StoreKind.Postgres)
        {
            var connection = SecretFiles.Read(map, "connection", environment, files);
            if (connection is null && !map.Has("connection") && !map.Has("connection_path"))
            {
                map.Complain(
                    "connection",
                    "postgres needs it: Host=…;Database=…;Username=…;Password=… or postgres://…; better from a file, with connection_path");
            }

            return new(kind, file, key) { Connection = connection };
        }

        if (map.Has("connection_path"))
        {
            map.Complain("connection_path", "this belongs to a database server; sqlite and litedb take a file name in 'connection'");
        }

        return new(kind, map.Text("connection") ?? file, key);
    }
}
