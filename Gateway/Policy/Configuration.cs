using Gateway.Settings;

namespace Gateway.Policy;

/// <summary>Settings and policy, which are replaced together.</summary>
internal sealed record Configuration(GatewaySettings Settings, RouteTable Table)
{
    /// <summary>Rules between the two files: roles that the settings name exist, and no row answers where the pages are.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="table">The policy.</param>
    /// <param name="placeOf">Where a setting stands, by its full name.</param>
    /// <param name="problems">What is found.</param>
    public static void Check(GatewaySettings settings, RouteTable table, Func<string, string> placeOf, Problems problems)
    {
        var proxy = settings.Server.ProxyAuth;
        var named = (proxy?.RoleMap ?? new Dictionary<string, string>()).Select(one => ($"server.proxy_auth.role_map.{one.Key}", one.Value))
            .Append(("server.proxy_auth.default_role", proxy?.DefaultRole ?? Role.MemberName))
            .Concat((settings.Oidc?.RoleMap ?? new Dictionary<string, string>()).Select(one => ($"oidc.role_map.{one.Key}", one.Value)))
            .Append(("oidc.default_role", settings.Oidc?.DefaultRole ?? Role.MemberName));
        foreach (var (key, role) in named)
        {
            if (role == Role.OwnerName)
            {
                problems.Add(placeOf(key), $"'owner' is never given by a setting; use bootstrap.owner, or transfer ownership");
            }
            else if (!table.HasRole(role))
            {
                problems.Add(placeOf(key), $"there is no role '{role}'{Problems.Suggest(role, table.Roles.Select(one => one.Name))}");
            }
        }

        if (PathTemplate.Parse(settings.Server.BasePath + "/{page:rest}", out _) is { } pages)
        {
            foreach (var rule in table.Rules.Where(rule => rule.Path.Overlaps(pages)))
            {
                problems.Add(
                    placeOf("server.base_path"),
                    $"row '{rule.Id}' of the policy answers at {rule.Path.Text}, where the gateway's own pages are; change the row's path "
                        + "or server.base_path");
            }
        }
    }
}
