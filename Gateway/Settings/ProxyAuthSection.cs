namespace Gateway.Settings;

/// <summary>Reads <c>server.proxy_auth</c>: Headplane's keys with their defaults, and the gateway's own.</summary>
internal static class ProxyAuthSection
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~";

    public static ProxyAuthSettings? Read(
        YamlMap? map, bool trustEveryone, IReadOnlyDictionary<string, string> environment, ICollection<string> files)
    {
        if (map is null)
        {
            return null;
        }

        var enabled = map.Flag("enabled");
        if (!map.Has("enabled"))
        {
            map.Complain("enabled", "missing; set it to true to let the proxy in front sign people in");
        }

        trustEveryone |= map.Flag("dangerously_trust_everyone");
        var settings = new ProxyAuthSettings
        {
            AllowedCidrs = NetworkList.Read(map, "allowed_cidrs", trustEveryone) ?? NetworkList.Loopback,
            TrustedProxyCidrs = NetworkList.Read(map, "trusted_proxy_cidrs", trustEveryone),
            IpHeader = Header(map, "ip_header", map.Text("ip_header")),
            IpHeaderMode = ReadMode(map),
            UserHeader = Header(map, "user_header", map.TextOrDefault("user_header"))!,
            EmailHeader = Header(map, "email_header", map.Text("email_header")),
            NameHeader = Header(map, "name_header", map.Text("name_header")),
            PictureHeader = Header(map, "picture_header", map.Text("picture_header")),
            GroupsHeader = Header(map, "groups_header", map.Text("groups_header")),
            GroupsSeparator = map.TextOrDefault("groups_separator"),
            SubjectHeader = Header(map, "subject_header", map.Text("subject_header")),
            Issuer = map.Text("issuer", ""),
            MatchEmail = map.Flag("match_email"),
            MatchUsername = map.Flag("match_username"),
            LogoutUrl = map.Text("logout_url"),
            Bearer = map.Word("bearer") is "ignore" ? BearerRule.Ignore : BearerRule.Refuse,
            SharedSecretHeader = Header(map, "shared_secret_header", map.Text("shared_secret_header")),
            SharedSecret = SecretFiles.Read(map, "shared_secret", environment, files),
            RoleMap = map.Words("role_map"),
            DefaultRole = map.Text("default_role"),
        };
        Check(map, settings);
        return enabled ? settings : null;
    }

    private static void Check(YamlMap map, ProxyAuthSettings settings)
    {
        if (settings.SharedSecretHeader is null != settings.SharedSecret is null)
        {
            map.Complain("shared_secret_header", "shared_secret_header and shared_secret are needed together");
        }

        if (settings.RoleMap.Count > 0 && settings.GroupsHeader is null)
        {
            map.Complain("role_map", "needs groups_header, the header with the groups");
        }

        if (settings.GroupsSeparator.Length == 0)
        {
            map.Complain("groups_separator", "must not be empty");
        }

        if (settings.Issuer.Length > 0 && settings.SubjectHeader is null)
        {
            map.Complain("issuer", "needs subject_header, the header with the stable subject of that issuer");
        }

        foreach (var (key, list) in new[] { ("allowed_cidrs", settings.AllowedCidrs),
            ("trusted_proxy_cidrs", settings.TrustedProxyCidrs) }.Where(one => one.Item2 is { Networks.Count: 0 }))
        {
            map.Warn(key, "an empty list names nobody: no identity header is believed; leave it out, or name the proxies");
        }

        if (settings is { IpHeader: not null, TrustedProxyCidrs: { Networks.Count: > 0 } proxies })
        {
            NetworkChecks.WarnOfOverlap(map, settings.AllowedCidrs, proxies);
        }

        var headers = settings.IdentityHeaders.Append(settings.IpHeader).OfType<string>().ToArray();
        foreach (var twice in headers.GroupBy(one => one, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1))
        {
            map.Complain("user_header", $"the header {twice.Key} is given two meanings");
        }
    }

    private static IpHeaderMode ReadMode(YamlMap map)
    {
        if (map.Word("ip_header_mode") is not "first")
        {
            return IpHeaderMode.Rightmost;
        }

        map.Warn("ip_header_mode", "'first' believes what the client wrote when the proxy appends to the header; prefer 'rightmost'");
        return IpHeaderMode.First;
    }

    /// <summary>An RFC 9110 field name that can be told from its spellings with '_' and that HTTP itself does not use.</summary>
    private static string? Header(YamlMap map, string key, string? name)
    {
        if (name is null)
        {
            return null;
        }

        if (name.Length == 0 || !name.All(one => char.IsAsciiLetterOrDigit(one) || TokenCharacters.Contains(one, StringComparison.Ordinal)))
        {
            map.Complain(key, $"'{name}' is not the name of a header");
        }
        else if (name.ToUpperInvariant() is "HOST" or "AUTHORIZATION" or "COOKIE" or "CONNECTION" or "CONTENT-LENGTH"
            or "TRANSFER-ENCODING" or "UPGRADE")
        {
            map.Complain(key, $"{name} already has a meaning in HTTP; the proxy must use a header of its own");
        }

        return name;
    }
}
