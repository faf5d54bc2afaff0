using Gateway.Settings;

namespace Gateway.Policy;

/// <summary>Settings and policy, which are replaced together.</summary>
internal sealed record Configuration(GatewaySettings Settings, RouteTable Table)
{
    /// <summary>Rules between the two files: every role that the settings name must exist in the policy.</summary>
    public static void Check(GatewaySettings settings, RouteTable table, string file, Problems problems)
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
                problems.Add(file, $"{key}: 'owner' is never given by a setting; use bootstrap.owner, or transfer ownership");
            }
            else if (!table.HasRole(role))
            {
                problems.Add(file, $"{key}: there is no role '{role}'{Problems.Suggest(role, table.Roles.Select(one => one.Name))}");
            }
        }
    }
}
