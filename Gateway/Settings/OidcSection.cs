namespace Gateway.Settings;

/// <summary>Reads and checks the section <c>oidc</c>, Headplane's keys and the gateway's own.</summary>
internal static class OidcSection
{
    private static readonly string[] _protocol =
    [
        "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
        "request", "request_uri", "client_secret", "registration",
    ];

    public static OidcSettings? Read(
        YamlMap? map, ServerSettings server, bool hasApiKey, IReadOnlyDictionary<string, string> environment, ICollection<string> files)
    {
        if (map is null)
        {
            return null;
        }

        map.Unused("redirect_uri", "strict_validation");
        var enabled = map.Flag("enabled", true);
        var secret = SecretFiles.Read(map, "client_secret", environment, files);
        var settings = ReadAll(map, secret ?? new Secret(""), files);
        Check(map, settings, secret);
        if (enabled && server.BaseUrl is null)
        {
            map.Complain("enabled", "OIDC needs server.base_url: the redirect address is built from it");
        }

        if (enabled && !hasApiKey)
        {
            map.Complain("enabled", "OIDC needs headscale.api_key: without it, nobody who signs in could be served");
        }

        return enabled ? settings : null;
    }

    private static OidcSettings ReadAll(YamlMap map, Secret secret, ICollection<string> files) => new()
    {
        Issuer = map.Url("issuer") is null ? "" : map.Text("issuer", ""),
        ClientId = map.Text("client_id", ""),
        ClientSecret = secret,
        Scopes = [.. (map.Texts("scope") ?? ["openid email profile"]).SelectMany(one => one.Split(' ', StringSplitOptions.RemoveEmptyEntries))],
        UsePkce = map.Flag("use_pkce", true),
        ClientAuthentication = OneOf(map, "token_endpoint_auth_method", ClientAuthentication.Automatic, new()
        {
            ["client_secret_basic"] = ClientAuthentication.ClientSecretBasic,
            ["client_secret_post"] = ClientAuthentication.ClientSecretPost,
            ["client_secret_jwt"] = ClientAuthentication.Automatic,
        }),
        SubjectClaims = [.. (map.Texts("subject_claims") ?? []).Select(one => one.Trim()).Where(one => one.Length > 0).Distinct()],
        ExtraParameters = map.Words("extra_params"),
        Endpoints = new(map.Url("authorization_endpoint"), map.Url("token_endpoint"), map.Url("userinfo_endpoint"), map.Url("end_session_endpoint"), map.Url("jwks_uri")),
        Access = new(map.Texts("allowed_domains") ?? [], map.Texts("allowed_groups") ?? [], map.Texts("allowed_users") ?? []),
        MatchEmail = OneOf(map, "match_email", EmailTrust.Verified, new() { ["verified"] = EmailTrust.Verified, ["always"] = EmailTrust.Always, ["off"] = EmailTrust.Off }),
        UseEndSession = map.Flag("use_end_session", false),
        PostLogoutRedirect = map.Url("post_logout_redirect_uri"),
        AllowWeakRsaKeys = map.Flag("allow_weak_rsa_keys", false),
        UseGravatar = OneOf(map, "profile_picture_source", false, new() { ["oidc"] = false, ["gravatar"] = true }),
        DisableApiKeyLogin = map.Flag("disable_api_key_login", false),
        TlsCaPath = CertificateFile.Read(map, "tls_ca_path", files),
        DefaultRole = map.Text("default_role", "member"),
        RoleClaim = map.Text("role_claim"),
        RoleMap = map.Words("role_map"),
    };

    private static void Check(YamlMap map, OidcSettings settings, Secret? secret)
    {
        foreach (var (key, value) in new[] { ("issuer", map.Text("issuer", "")), ("client_id", settings.ClientId) }.Where(one => one.Item2.Length == 0))
        {
            map.Complain(key, "missing; the section oidc needs issuer, client_id and client_secret");
        }

        if (secret is null && !map.Has("client_secret_path"))
        {
            map.Complain("client_secret", "missing; set client_secret or client_secret_path");
        }

        if (!settings.Scopes.Contains("openid"))
        {
            map.Complain("scope", "it must contain openid: without it, the provider sends no identity");
        }

        if (!settings.UsePkce)
        {
            map.Warn("use_pkce", "sign-in without PKCE is open to code injection; leave it on unless the provider refuses it");
        }

        if (settings.SubjectClaims.Contains("email"))
        {
            map.Warn("subject_claims", "an address can be given to somebody else, who then is the same person here");
        }

        if (settings.RoleMap.Count > 0 && settings.RoleClaim is null)
        {
            map.Complain("role_map", "needs role_claim, the claim with the groups");
        }

        foreach (var parameter in settings.ExtraParameters.Keys.Where(one => _protocol.Contains(one)))
        {
            map.Complain("extra_params", $"'{parameter}' belongs to the protocol and cannot be overridden");
        }

        if (settings.Issuer.StartsWith("http://", StringComparison.Ordinal) && map.Url("issuer") is { IsLoopback: false })
        {
            map.Warn("issuer", "without https, whoever is in between can sign in as anybody");
        }
    }

    private static T OneOf<T>(YamlMap map, string key, T fallback, Dictionary<string, T> allowed)
    {
        if (map.Text(key) is not { } text)
        {
            return fallback;
        }

        if (allowed.TryGetValue(text, out var value))
        {
            return value;
        }

        map.Complain(key, $"this must be one of {string.Join(", ", allowed.Keys)}");
        return fallback;
    }
}
