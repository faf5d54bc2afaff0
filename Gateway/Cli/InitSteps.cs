namespace Gateway.Cli;

/// <summary>What is left to do after <c>gateway init</c>, in the order in which it is done.</summary>
internal static class InitSteps
{
    public static IEnumerable<string> Of(InitAnswers answers) =>
        [.. OfHeadscale(answers), .. OfSignIn(answers), .. OfGateway(answers), .. OfFront(answers), .. OfOwner(answers)];

    /// <summary>This program as a shell finds it: by its name where it is on the path of all.</summary>
    public static string Program =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet"
            ? $"dotnet {Path.Combine(AppContext.BaseDirectory, "gateway.dll")}"
        : Environment.ProcessPath is { } path && !path.StartsWith("/usr/", StringComparison.Ordinal) ? path
        : "gateway";

    private static IEnumerable<string> OfHeadscale(InitAnswers answers)
    {
        yield return $"Headscale, config.yaml: server_url: {answers.BaseUrl.GetLeftPart(UriPartial.Authority)}";
        if (answers.Headscale is { IsLoopback: true } headscale)
        {
            yield return $"Headscale, config.yaml: listen_addr: {headscale.Authority} (nobody but this machine reaches it)";
        }

        yield return "Headscale 0.29 and later, config.yaml: trusted_proxies: [\"127.0.0.1/32\"], so that its log has the clients' "
            + "addresses";
        if (answers is { Socket: { } socket, IsService: false })
        {
            yield return $"put the gateway's user into the group of {socket}: usermod -aG headscale USER (docs/socket.md)";
        }
        else if (answers is { Socket: null, IsService: true, IsInstalled: false })
        {
            yield return $"systemctl edit headtower: [Service], SupplementaryGroups= and LoadCredential=headscale-api-key:"
                + Path.Combine(answers.Output, "headscale-api-key");
        }
    }

    private static IEnumerable<string> OfSignIn(InitAnswers answers)
    {
        var origin = answers.BaseUrl.GetLeftPart(UriPartial.Authority);
        if (answers.SignsIn)
        {
            yield return $"at the provider: register {origin}/admin/oidc/callback for the client {answers.ClientId ?? "headtower"}, and "
                + $"put the client's secret into {Path.Combine(answers.Output, "client-secret")}";
            if (answers is { IsService: true, IsInstalled: false })
            {
                yield return "systemctl edit headtower: [Service] and LoadCredential=client-secret:"
                    + Path.Combine(answers.Output, "client-secret");
            }
        }
        else if (answers.Choice.EndsWith("/authelia", StringComparison.Ordinal))
        {
            yield return $"Authelia, configuration.yml: a rule under access_control for {answers.BaseUrl.Host}, and its domain under "
                + "session.cookies";
        }
        else if (answers.Choice.EndsWith("/oauth2-proxy", StringComparison.Ordinal))
        {
            yield return "oauth2-proxy: --reverse-proxy --set-xauthrequest --upstream=static://202";
        }
    }

    private static IEnumerable<string> OfGateway(InitAnswers answers)
    {
        yield return $"{(answers.IsService ? $"CREDENTIALS_DIRECTORY={answers.Output} " : "")}{Program} check --online --config "
            + answers.ConfigFile;
        if (answers is { IsService: true, IsInstalled: false })
        {
            foreach (var (name, _) in answers.Links)
            {
                yield return $"systemctl edit headtower: [Service] and LoadCredential={name}:{Path.Combine(answers.Output, name)}";
            }
        }

        yield return answers.IsService ? "systemctl enable --now headtower.socket" : $"{Program} --config {answers.ConfigFile}";
        if (answers.HandsCertificate)
        {
            yield return "each time that the certificate is renewed: systemctl try-restart headtower (systemd hands it over at the start; "
                + "certbot has --deploy-hook for it)";
        }
    }

    private static IEnumerable<string> OfFront(InitAnswers answers)
    {
        if (answers.IsAlone)
        {
            yield return "if you like, and nothing else (certbot, for one) needs port 80: \"http://[::]:80\" in server.listen"
                + (answers.IsService ? ", and ListenStream=80 by 'systemctl edit headtower.socket' ([Socket])" : "")
                + ". Tailscale's clients look there for captive portals; browsers are sent on to https";
            yield break;
        }

        var folder = Path.Combine(answers.Output, "front");
        yield return $"give {folder} to your front; its first lines say where it belongs" + (answers.Choice.Split('/')[0] switch
        {
            "nginx" => $". Then: cp -r {folder}/*.conf /etc/nginx/conf.d/ && cp -r {folder}/snippets /etc/nginx/ && nginx -t && "
                + "systemctl reload nginx",
            "caddy" => ". Then: caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy",
            "haproxy" => ". Then: haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy",
            "apache" => ". Then: apachectl configtest && systemctl restart apache2 (a reload does not change the limits)",
            _ => "",
        });
    }

    private static IEnumerable<string> OfOwner(InitAnswers answers)
    {
        yield return answers.Owner is { } owner
            ? $"sign in as {owner}: you become the owner"
            : "SIGN IN YOURSELF FIRST: whoever comes first becomes the owner. Better, name yourself: bootstrap.owner in "
                + $"{answers.ConfigFile}, or init --owner NAME --force";
    }
}
