namespace Gateway.Settings;

/// <summary>Reads and checks the section <c>oidc</c>, Headplane's keys and the gateway's own.</summary>
internal static class OidcSection
{
    private static readonly string[] _protocol =
    [
        "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
        "request", "request_uri", "client_secret", "registration", "max_age", "acr_values",
    ];

    private static readonly string[] _allowed = ["allowed_domains", "allowed_groups", "allowed_users"];

    private const int LeastRsaBits = 2048;
    private const string HeadscaleSecret = "HEADSCALE_OIDC_CLIENT_SECRET";

    public static OidcSettings? Read(YamlMap? map, IReadOnlyDictionary<string, string> environment, ICollection<string> files)
    {
        if (map is null)
        {
            return null;
        }

        var enabled = map.Flag("enabled");
        var settings = ReadAll(map, environment, files);
        Check(map, settings);
        return enabled ? settings : null;
    }

    /// <summary>
    /// The public address out of <c>oidc.redirect_uri</c>, which older files of Headplane have in the place of <c>server.base_url</c>.
    /// </summary>
    public static Uri? BaseUrlOf(YamlMap root, ServerSettings server)
    {
        var path = server.BasePath + "/oidc/callback";
        if (root.Map("oidc") is not { } map || map.Url("redirect_uri") is not { } redirect || !map.Flag("enabled"))
        {
            return null;
        }

        var origin = new Uri(redirect.GetLeftPart(UriPartial.Authority));
        if (root.MapOrEmpty("server").Has("base_url"))
        {
            if (server.BaseUrl?.GetLeftPart(UriPartial.Authority) + path is var own && server.BaseUrl is not null
                && redirect.AbsoluteUri != own)
            {
                map.Warn("redirect_uri", $"not used: people come back to {own}, by server.base_url; register that at the provider");
            }

            return null;
        }

        if (redirect.AbsolutePath != path)
        {
            map.Complain(
                "redirect_uri",
                $"server.base_url is not set, and this does not end with {path}, where the gateway takes answers; write "
                + $"server.base_url: {origin.GetLeftPart(UriPartial.Authority)}, and register "
                + $"{origin.GetLeftPart(UriPartial.Authority)}{path} at the provider");
            return null;
        }

        map.Warn(
            "redirect_uri",
            $"server.base_url is not set and was taken from here; write server.base_url: {origin.GetLeftPart(UriPartial.Authority)}");
        return origin;
    }

    private static OidcSettings ReadAll(YamlMap map, IReadOnlyDictionary<string, string> environment, ICollection<string> files) => new()
    {
        Issuer = map.Url("issuer") is null ? "" : map.Text("issuer", ""),
        ClientId = map.Text("client_id", ""),
        ClientSecret = SecretFiles.Read(map, "client_secret", environment, files) ?? OfHeadscale(map, environment),
        ClientKey = SecretFiles.ReadFile(map, "client_key_path", environment, files),
        Scopes = [.. (map.Texts("scope") ?? map.Texts("scopes") ?? ["openid email profile"])
            .SelectMany(one => one.Split(' ', StringSplitOptions.RemoveEmptyEntries))],
        UsePkce = ReadPkce(map),
        ClientAuthentication = map.Word("token_endpoint_auth_method") switch
        {
            "client_secret_basic" => ClientAuthentication.ClientSecretBasic,
            "client_secret_post" => ClientAuthentication.ClientSecretPost,
            "private_key_jwt" => ClientAuthentication.PrivateKeyJwt,
            "none" => ClientAuthentication.None,
            _ => ClientAuthentication.Automatic,
        },
        PushedAuthorization = map.Word("pushed_authorization") switch
        {
            "required" => PushedAuthorization.Required,
            "off" => PushedAuthorization.Off,
            _ => PushedAuthorization.Automatic,
        },
        MaxAge = map.Text("max_age") is not null ? TimeSpan.FromSeconds(map.Number("max_age")) : null,
        AcrValues = map.Texts("acr_values") is { Count: > 0 } values ? string.Join(' ', values) : null,
        SubjectClaims = [.. (map.Texts("subject_claims") ?? []).Where(one => one.Length > 0).Distinct(StringComparer.Ordinal)],
        ExtraParameters = map.Words("extra_params"),
        Endpoints = new(
            map.Url("authorization_endpoint"), map.Url("token_endpoint"), map.Url("userinfo_endpoint"), map.Url("end_session_endpoint"),
            map.Url("jwks_uri")),
        Access = new(map.Texts("allowed_domains") ?? [], map.Texts("allowed_groups") ?? [], map.Texts("allowed_users") ?? []),
        MatchEmail = map.Word("match_email") switch
        {
            "always" => EmailTrust.Always,
            "off" => EmailTrust.Off,
            _ => EmailTrust.Verified,
        },
        UseEndSession = map.Flag("use_end_session"),
        PostLogoutRedirect = map.Url("post_logout_redirect_uri"),
        AllowWeakRsaKeys = map.Flag("allow_weak_rsa_keys"),
        UseGravatar = map.Word("profile_picture_source") is "gravatar",
        DisableApiKeyLogin = map.Flag("disable_api_key_login"),
        TlsCaPath = CertificateFile.Read(map, "tls_ca_path", environment, files),
        DefaultRole = map.TextOrDefault("default_role"),
        RoleClaim = map.Text("role_claim"),
        RoleMap = map.Words("role_map"),
    };

    /// <summary>Headscale's own variable, where nothing else gives the secret.</summary>
    private static Secret? OfHeadscale(YamlMap map, IReadOnlyDictionary<string, string> environment) =>
        !map.Has("client_secret") && !map.Has("client_secret_path")
            && environment.GetValueOrDefault(HeadscaleSecret) is { Length: > 0 } secret
            ? new Secret(secret)
            : null;

    /// <summary>
    /// <c>use_pkce</c>, or Headscale's section <c>pkce</c>. The method is S256 in any case: <c>plain</c> protects nothing that the browser
    /// shows.
    /// </summary>
    private static bool ReadPkce(YamlMap map)
    {
        var pkce = map.MapOrEmpty("pkce");
        var (flag, enabled) = (map.Flag("use_pkce"), pkce.Flag("enabled"));
        if (map.Has("use_pkce") && pkce.Has("enabled") && flag != enabled)
        {
            map.Complain("use_pkce", "oidc.pkce.enabled says the opposite; give only one of the two");
        }

        if (pkce.TextOrDefault("method") is not "S256")
        {
            pkce.Warn("method", "S256 is used, whatever is written here");
        }

        return map.Has("use_pkce") ? flag : enabled;
    }

    private static void Check(YamlMap map, OidcSettings settings)
    {
        if (settings.Issuer.EndsWith("/.well-known/openid-configuration", StringComparison.Ordinal))
        {
            map.Complain(
                "issuer",
                "this is the address of the provider's discovery document; write the value that 'issuer' has in it, which is what "
                + "stands before /.well-known");
        }

        foreach (var key in _allowed.Where(one => map.Texts(one) is { Count: 0 }))
        {
            map.Warn(key, "an empty list allows everybody, as in Headscale; leave it out, or name who may sign in");
        }

        if (settings.Endpoints is { AreComplete: false, Missing: var missing } and not { Authorization: null, Token: null, Keys: null })
        {
            map.Warn(
                "issuer",
                $"the provider's discovery document is asked for the rest; a provider that has none needs "
                + $"{string.Join(" and ", missing)} as well");
        }

        foreach (var (key, value) in new[] { ("issuer", map.Text("issuer", "")), ("client_id", settings.ClientId) }.Where(one =>
            one.Item2.Length == 0))
        {
            map.Complain(key, "missing; the section oidc needs issuer, client_id and client_secret");
        }

        CheckClient(map, settings);
        CheckRequest(map, settings);
        if (settings.SubjectClaims.Contains("email"))
        {
            map.Warn("subject_claims", "an address can be given to somebody else, who then is the same person here");
        }

        if (settings.RoleMap.Count > 0 && settings.RoleClaim is null)
        {
            map.Complain("role_map", "needs role_claim, the claim with the groups");
        }

        if (settings.Issuer.StartsWith("http://", StringComparison.Ordinal) && map.Url("issuer") is { IsLoopback: false })
        {
            map.Warn("issuer", "without https, whoever is in between can sign in as anybody");
        }
    }

    /// <summary>What the provider is asked.</summary>
    private static void CheckRequest(YamlMap map, OidcSettings settings)
    {
        if (!settings.Scopes.Contains("openid"))
        {
            map.Complain("scope", "it must contain openid: without it, the provider sends no identity");
        }

        if (!settings.UsePkce)
        {
            map.Warn("use_pkce", "sign-in without PKCE is open to code injection; leave it on unless the provider refuses it");
        }

        foreach (var parameter in settings.ExtraParameters.Keys.Where(one => _protocol.Contains(one)))
        {
            map.Complain("extra_params", $"'{parameter}' belongs to the protocol and cannot be overridden");
        }
    }

    /// <summary>A client shows itself by a secret or by a key; without either, PKCE is all that protects its codes.</summary>
    private static void CheckClient(YamlMap map, OidcSettings settings)
    {
        var (hasSecret, hasKey) = (settings.ClientSecret is not null || map.Has("client_secret_path"), map.Has("client_key_path"));
        switch (settings.ClientAuthentication)
        {
            case ClientAuthentication.PrivateKeyJwt when !hasKey:
                map.Complain("client_key_path", "missing; private_key_jwt needs the client's private key in PEM");
                break;
            case ClientAuthentication.None when !settings.UsePkce:
                map.Complain("use_pkce", "a client without a secret is protected by PKCE alone; leave it on");
                break;
            case ClientAuthentication.None when hasSecret:
                map.Warn("token_endpoint_auth_method", "with 'none', client_secret is not used");
                break;
            case ClientAuthentication.Automatic or ClientAuthentication.ClientSecretBasic or ClientAuthentication.ClientSecretPost
                when !hasSecret:
                map.Complain(
                    "client_secret",
                    "missing; set client_secret or client_secret_path, or for a public client token_endpoint_auth_method: none");
                break;
        }

        if (settings.ClientKey is { } key && PrivateKeyFile.Complaint(key, LeastRsaBits) is { } complaint)
        {
            map.Complain("client_key_path", complaint);
        }
    }
}
