namespace Gateway.Settings;

/// <summary>Reads and checks the section <c>oidc</c>, Headplane's keys and the gateway's own.</summary>
internal static class OidcSection
{
    public static OidcSettings? Read(
        YamlMap? map, ServerSettings server, bool hasApiKey, IReadOnlyDictionary<string, string> environment, ICollection<string> files)
    {
        if (map is null)
        {
            return null;
        }

        map.Unused("redirect_uri", "strict_validation");
        var enabled = map.Flag("enabled", true);
        var issuer = map.Url("issuer");
        foreach (var key in (ReadOnlySpan<string>)["issuer", "client_id"])
        {
            if (map.Text(key) is null or "")
            {
                map.Complain(key, "missing; the section oidc needs issuer, client_id and client_secret");
            }
        }

        if (SecretFiles.Read(map, "client_secret", environment, files) is null && !map.Has("client_secret_path"))
        {
            map.Complain("client_secret", "missing; set client_secret or client_secret_path");
        }

        ReadFlow(map);
        if (enabled && server.BaseUrl is null)
        {
            map.Complain("enabled", "OIDC needs server.base_url: the redirect address is built from it");
        }

        if (enabled && !hasApiKey)
        {
            map.Complain("enabled", "OIDC needs headscale.api_key: without it, nobody who signs in could be served");
        }

        return enabled ? new OidcSettings { Issuer = map.Text("issuer", issuer?.AbsoluteUri ?? ""), DefaultRole = map.Text("default_role", "member") } : null;
    }

    private static void ReadFlow(YamlMap map)
    {
        foreach (var endpoint in (ReadOnlySpan<string>)["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri", "post_logout_redirect_uri"])
        {
            _ = map.Url(endpoint);
        }

        foreach (var list in (ReadOnlySpan<string>)["scope", "subject_claims", "allowed_domains", "allowed_groups", "allowed_users"])
        {
            _ = map.Texts(list);
        }

        OneOf(map, "match_email", "verified", "verified", "always", "off");
        OneOf(map, "profile_picture_source", "oidc", "oidc", "gravatar");
        OneOf(map, "token_endpoint_auth_method", "client_secret_basic", "client_secret_basic", "client_secret_post", "client_secret_jwt");
        if (!map.Flag("use_pkce", true))
        {
            map.Warn("use_pkce", "sign-in without PKCE is open to code injection; leave it on unless the provider refuses it");
        }

        _ = (map.Flag("use_end_session", false), map.Flag("disable_api_key_login", false), map.Flag("allow_weak_rsa_keys", false));
        _ = (map.Text("role_claim"), map.Words("role_map"), map.Text("tls_ca_path"));
        foreach (var parameter in map.Words("extra_params").Keys)
        {
            if (parameter is "client_id" or "redirect_uri" or "response_type" or "response_mode" or "scope" or "state" or "nonce" or "code_challenge" or "code_challenge_method")
            {
                map.Complain("extra_params", $"'{parameter}' belongs to the protocol and cannot be overridden");
            }
        }
    }

    private static void OneOf(YamlMap map, string key, string fallback, params ReadOnlySpan<string> allowed)
    {
        if (!allowed.Contains(map.Text(key, fallback)))
        {
            map.Complain(key, $"this must be one of {string.Join(", ", allowed)}");
        }
    }
}
