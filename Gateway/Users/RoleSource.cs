using System.Buffers;
using Gateway.Edge;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>The role that follows from what a source said.</summary>
/// <param name="Role">Its name; null when the source does not decide, and people do.</param>
/// <param name="Note">What it follows from, in words; null when the source does not decide.</param>
internal sealed record SourcedRole(string? Role, string? Note)
{
    /// <summary>The source has no say.</summary>
    public static SourcedRole None { get; } = new(null, null);
}

/// <summary>From groups to a role, by the settings: the highest that any of them maps to, and the default when none does.</summary>
internal static class RoleSource
{
    private const string ProxyMap = "server.proxy_auth.role_map";
    private const string OidcMap = "oidc.role_map";

    private static readonly SearchValues<char> _separators = SearchValues.Create(",|; ");

    /// <summary>The role, and why.</summary>
    public static SourcedRole Of(Caller caller, Configuration configuration)
    {
        var settings = configuration.Settings;
        return (caller.Source, settings) switch
        {
            (Source.Proxy, { Server.ProxyAuth.RoleMap: { Count: > 0 } map }) =>
                Of(caller.Groups, map, ProxyMap, caller.Source, configuration),
            (Source.Oidc, { Oidc: { RoleClaim: not null, RoleMap: { Count: > 0 } map } }) =>
                Of(caller.Roles, map, OidcMap, caller.Source, configuration),

            // Without a map, the values are names of roles.
            (Source.Oidc, { Oidc.RoleClaim: not null }) => Of(
                caller.Roles, configuration.Table.Roles.Where(one => !one.IsOwner).ToDictionary(one => one.Name, one => one.Name),
                    "the names of roles", caller.Source, configuration),
            _ => SourcedRole.None,
        };
    }

    /// <summary>The setting by which a source decides roles; null when it does not.</summary>
    public static string? SettingOf(Source source, GatewaySettings settings) => (source, settings) switch
    {
        (Source.Proxy, { Server.ProxyAuth.RoleMap.Count: > 0 }) => ProxyMap,
        (Source.Oidc, { Oidc: { RoleClaim: not null, RoleMap.Count: > 0 } }) => OidcMap,
        (Source.Oidc, { Oidc.RoleClaim: not null }) => "oidc.role_claim",
        _ => null,
    };

    /// <summary>The role of somebody whose groups say nothing.</summary>
    public static string DefaultOf(Source source, GatewaySettings settings) =>
        (source is Source.Proxy ? settings.Server.ProxyAuth?.DefaultRole : null) ?? settings.Oidc?.DefaultRole ?? Role.MemberName;

    private static SourcedRole Of(
        GroupStatement said, IReadOnlyDictionary<string, string> map, string mapName, Source source, Configuration configuration)
    {
        var hit = said.Values.Where(map.ContainsKey).Select(value => (Value: value, Role: configuration.Table.RoleNamed(map[value])))
            .OrderBy(one => one.Role.Rank).ThenBy(one => one.Value, StringComparer.Ordinal).FirstOrDefault();
        if (hit.Value is not null)
        {
            return new(hit.Role.Name, $"'{OutsideText.Clean(hit.Value, 60)}' of {said.Where} gives {hit.Role.Name}");
        }

        var role = DefaultOf(source, configuration.Settings);
        var none = said.Values.Count > 0 ? $", and none of that is in {mapName}{HintFor(said, map)}" : "";
        return new(role, $"{said.Describe()}{none}; so the role is the default, {role}");
    }

    /// <summary>Two mistakes that everybody makes: Keycloak's full paths, and names that were not taken apart.</summary>
    private static string HintFor(GroupStatement said, IReadOnlyDictionary<string, string> map)
    {
        if (said.Values.FirstOrDefault(one => one.StartsWith('/') && map.ContainsKey(LastOf(one))) is { } path)
        {
            return $" (the map has '{LastOf(path)}': switch full paths off at the provider, or write '{OutsideText.Clean(path, 60)}' in "
                + $"the map)";
        }

        return said.Values.Any(
            one => one.AsSpan().ContainsAny(_separators) && one.Split(',', '|', ';', ' ').Any(part => map.ContainsKey(part)))
            ? " (it looks like several names in one text: have the provider send a list, or the proxy the separator that "
                + "groups_separator names)"
            : "";
    }

    private static string LastOf(string path) => path[(path.LastIndexOf('/') + 1)..];
}
