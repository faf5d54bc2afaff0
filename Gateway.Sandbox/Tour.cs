using Gateway.Sandbox.StandIns;

namespace Gateway.Sandbox;

/// <summary>The sandbox's configuration, and what to try in it.</summary>
internal static class Tour
{
    public static string Configuration(HeadscaleStandIn headscale, FrontStandIn front, ProviderStandIn provider, int port, string folder) =>
        $"""
        server:
          listen: [http://127.0.0.1:{port}]
          base_url: {front.Url.GetLeftPart(UriPartial.Authority)}
          data_path: {folder}
          cookie_secure: false
          proxy_auth:
            enabled: true
            email_header: Remote-Email
            name_header: Remote-Name
            groups_header: Remote-Groups
            role_map:
              owner: admin
              admin: admin
              network_admin: network_admin
              it_admin: it_admin
              auditor: auditor
              viewer: viewer
              self_service: self_service
        headscale:
          url: {headscale.Url.GetLeftPart(UriPartial.Authority)}
          api_key: {headscale.ApiKey}
        oidc:
          issuer: {provider.Issuer}
          client_id: {ProviderStandIn.ClientId}
          client_secret: '{ProviderStandIn.ClientSecret}'
          role_claim: groups
          use_end_session: true
        bootstrap:
          owner: email:alice@example.test

        """;

    public static string Text(
        SandboxOptions options, HeadscaleStandIn headscale, FrontStandIn front, ProviderStandIn provider, GatewayProcess gateway)
    {
        var (entry, direct) = (front.Url.GetLeftPart(UriPartial.Authority), gateway.Url.GetLeftPart(UriPartial.Authority));
        var headscaleUrl = headscale.Url.GetLeftPart(UriPartial.Authority);
        var people = string.Join('\n', People.All.Select(one => $"  {one.Login,-8} {one.Role,-14} "
            + (one.HeadscaleId is { } id ? $"Headscale user {id}, node {id + 10}" : "no Headscale user")));
        const string Upgrade = "-X POST -H 'Connection: upgrade' -H 'Upgrade: tailscale-control-protocol' "
            + "-H \"X-Tailscale-Handshake: $(head -c 102 /dev/zero | base64 -w0)\"";
        return $$"""

            The sandbox runs. Ctrl-C stops it and removes everything.

              front (signs people in)   {{entry}}        pick a person: {{entry}}/sandbox/people
              gateway                   {{direct}}        readiness: {{direct}}/admin/readyz
              provider (OpenID Connect) {{provider.Issuer}}        sign in with it: {{entry}}/
              Headscale 0.{{headscale.Version}} stand-in   {{headscaleUrl}}

            People, each with the role of the same line (any password):
            {{people}}
              The owner is alice, by whichever door she comes first; by the other one she is an admin.
            {{(options.IsOpenToOthers ? $"\n  Everybody who reaches {options.Host} can be any of them.\n" : "")}}

            At the provider there are, besides, people who show how matching works:
            {{string.Join('\n', People.AtProvider.Skip(People.All.Count).Select(one => $"  {one.Name}"))}}

            Try:
              allowed:     curl -s -u vera: {{entry}}/api/v1/node
              unfiltered:  curl -s -H 'Authorization: Bearer {{headscale.ApiKey}}' {{headscaleUrl}}/api/v1/node
                           # Headscale itself: everybody's nodes, with their pre-auth keys
              filtered:    curl -s -u sam: {{entry}}/api/v1/node                  # only sam's own, and no pre-auth key in it
              refused:     curl -s -u vera: -X DELETE {{entry}}/api/v1/node/11    # 403 and what is missing
              own key:     curl -s -H 'Authorization: Bearer {{headscale.ApiKey}}' {{direct}}/api/v1/user
              audited:     dotnet {{Path.Combine(AppContext.BaseDirectory, "gateway.dll")}} audit --config {{gateway.ConfigFile}}
              ts2021:      curl -si --max-time 2 {{Upgrade}} {{direct}}/ts2021 -o - | head -4
                           # 101 Switching Protocols, and the tunnel stays open

            """;
    }
}
