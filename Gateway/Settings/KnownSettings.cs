
namespace Gateway.Settings;

/// <summary>A setting that is known and has no effect here.</summary>
/// <param name="Key">Its full name.</param>
/// <param name="Why">What stands in its place, or whose it is.</param>
internal sealed record UnusedSetting(string Key, string Why);

/// <summary>
/// Every key that may stand in a configuration, in one table: the ones that are used (<see cref="SettingDeclarations"/>) and the ones
/// that are known and not used. Whether a key is known depends on no other key and on no value.
/// </summary>
internal static class KnownSettings
{
    private const string OfHeadplane = "Headplane's own";
    private const string OfHeadscale = "Headscale's own";

    /// <summary>Keys of Headplane (every release) and of Headscale's section oidc that change nothing here.</summary>
    public static IReadOnlyList<UnusedSetting> Unused { get; } =
    [
        new("debug", OfHeadplane),
        new("headscale.config_path", OfHeadplane),
        new("headscale.config_strict", OfHeadplane),
        new("headscale.dns_records_path", OfHeadplane),
        new("headscale.grpc_url", OfHeadplane),
        new("server.info_secret", OfHeadplane),
        new("server.cookie_secret", "the gateway makes the keys for its cookies itself"),
        new("server.cookie_secret_path", "the gateway makes the keys for its cookies itself"),
        new("server.agent.authkey", OfHeadplane),
        new("server.agent.ttl", OfHeadplane),
        new("server.agent.cache_path", OfHeadplane),
        new("server.database.type", "the store is set in the section store"),
        new("server.database.path", "the store is set in the section store"),
        new("server.database.url", "the store is set in the section store"),
        new("server.jwt_auth.enabled", NotYet),
        new("server.jwt_auth.header", NotYet),
        new("server.jwt_auth.issuer", NotYet),
        new("server.jwt_auth.jwks_url", NotYet),
        new("server.jwt_auth.audience", NotYet),
        new("server.jwt_auth.algorithms", NotYet),
        new("server.jwt_auth.subject_claim", NotYet),
        new("server.jwt_auth.email_claim", NotYet),
        new("server.jwt_auth.groups_claim", NotYet),
        new("server.jwt_auth.role_map", NotYet),
        new("server.jwt_auth.allowed_domains", NotYet),
        new("server.jwt_auth.logout_url", NotYet),
        new("server.jwt_auth.default_role", NotYet),
        new("oidc.strict_validation", OfHeadplane),
        new("oidc.user_storage_file", OfHeadplane),
        new("oidc.integrate_headscale", OfHeadplane),
        new("oidc.only_start_if_oidc_is_available", "the gateway starts in any case, and signs people in as soon as the provider answers"),
        new("oidc.strip_email_domain", OfHeadscale),
        new("oidc.map_legacy_users", OfHeadscale),
        new("oidc.expiry", "how long a sign-in lasts is server.cookie_max_age"),
        new("oidc.use_expiry_from_token", "how long a sign-in lasts is server.cookie_max_age"),
        new("oidc.email_verified_required", "whether unverified addresses count is oidc.match_email"),
        new("integration.agent.enabled", OfHeadplane),
        new("integration.agent.host_name", OfHeadplane),
        new("integration.agent.cache_ttl", OfHeadplane),
        new("integration.agent.cache_path", OfHeadplane),
        new("integration.agent.executable_path", OfHeadplane),
        new("integration.agent.work_dir", OfHeadplane),
        new("integration.agent.pre_authkey", OfHeadplane),
        new("integration.agent.pre_authkey_path", OfHeadplane),
        new("integration.docker.enabled", OfHeadplane),
        new("integration.docker.container_name", OfHeadplane),
        new("integration.docker.container_label", OfHeadplane),
        new("integration.docker.socket", OfHeadplane),
        new("integration.kubernetes.enabled", OfHeadplane),
        new("integration.kubernetes.pod_name", OfHeadplane),
        new("integration.kubernetes.validate_manifest", OfHeadplane),
        new("integration.proc.enabled", OfHeadplane),
    ];

    /// <summary>What people write who have another program's file before them.</summary>
    private static readonly Dictionary<string, string> _elsewhere = new(StringComparer.Ordinal)
    {
        ["server_url"] = "server.base_url",
        ["listen_addr"] = "server.listen",
        ["listen"] = "server.listen",
        ["socket"] = "integration.docker.socket",
    };

    /// <summary>Sections that are not used as a whole: named once, and not key by key.</summary>
    private static readonly string[] _unusedSections = ["integration", "server.agent", "server.database", "server.jwt_auth"];

    private const string NotYet = "this version does not sign people in by it";

    private static readonly Dictionary<string, UnusedSetting> _unused = Unused.ToDictionary(one => one.Key, StringComparer.Ordinal);

    private static readonly HashSet<string> _used =
        SettingDeclarations.All.SelectMany(one => one.HasFile ? new[] { one.Key, one.Key + "_path" } : [one.Key])
            .ToHashSet(StringComparer.Ordinal);

    /// <summary>Every section that a known key is in. Those whose keys are free, such as <c>role_map</c>, are none.</summary>
    private static readonly HashSet<string> _sections = _used.Concat(_unused.Keys).SelectMany(SectionsOf).ToHashSet(StringComparer.Ordinal);

    private static readonly HashSet<string> _all = [.. _used, .. _unused.Keys, .. _sections];

    /// <summary>Complains about what is not known, and names what is not used.</summary>
    public static void Check(YamlValue.Mapping root, Problems problems) => Check(root, "", problems);

    private static void Check(YamlValue.Mapping map, string path, Problems problems)
    {
        foreach (var (name, value) in map.Members)
        {
            var (key, where) = (path + name, PlaceOf(map, name, value));
            if (name.Contains('.', StringComparison.Ordinal))
            {
                problems.Add(where, $"{key}: there is no such key{NestedForm(key, name)}");
                continue;
            }

            if (!_all.Contains(key))
            {
                problems.Add(where, $"{key}: there is no such key{Remedy(name, path)}");
                continue;
            }

            if (_unusedSections.Contains(key))
            {
                problems.Warn(
                    where,
                    $"{key}: accepted and not used by the gateway "
                    + $"({Unused.First(one => one.Key.StartsWith(key + ".", StringComparison.Ordinal)).Why})");
            }
            else if (_unused.TryGetValue(key, out var unused)
                && !_unusedSections.Any(section => key.StartsWith(section + ".", StringComparison.Ordinal)))
            {
                problems.Warn(where, $"{key}: accepted and not used by the gateway ({unused.Why})");
            }

            if (value is YamlValue.Mapping section && _sections.Contains(key))
            {
                Check(section, key + ".", problems);
            }
        }
    }

    /// <summary>The nearest name among its neighbours, else the place where it is known.</summary>
    private static string Remedy(string name, string path)
    {
        var neighbours = _all.Where(one => one.StartsWith(path, StringComparison.Ordinal) && !one.AsSpan(path.Length).Contains('.'))
            .Select(one => one[path.Length..]);
        if (path.Length > 0 && _all.Contains(name))
        {
            return $"; did you mean '{name}' at the top level? (indentation)";
        }

        if (Problems.Suggest(name, neighbours) is { Length: > 0 } near)
        {
            return near;
        }

        string[] places = _elsewhere.TryGetValue(name, out var other)
            ? [other]
            : [.. _all.Where(one => one.EndsWith("." + name, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Take(3)];
        return places.Length == 0 ? "" : $"; it is known as {string.Join(" or ", places.Select(one => $"'{one}'"))}";
    }

    private static string PlaceOf(YamlValue.Mapping map, string name, YamlValue value) =>
        value is YamlValue.Scalar { FromEnvironment: true }
            ? value.Where
            : map.KeyPlaces.TryGetValue(name, out var place)
            ? place
            : value.Where;

    private static IEnumerable<string> SectionsOf(string key)
    {
        for (var dot = key.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = key.IndexOf('.', dot + 1))
        {
            yield return key[..dot];
        }
    }

    /// <summary>How a key that is written with dots is written as YAML; empty where there is no such key either.</summary>
    private static string NestedForm(string key, string name) => _all.Contains(key)
        ? $"; write it nested: {string.Join(": {", name.Split('.'))}: …{new string('}', name.Count(letter => letter == '.'))}"
        : "";
}
