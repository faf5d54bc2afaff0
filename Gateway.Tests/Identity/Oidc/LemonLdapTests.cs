using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A third real provider: LemonLDAP::NG, from Debian.</summary>
public sealed class LemonLdapTests
{
    [LemonLdapFact]
    public async Task SignInSignOutAndSignInAgain()
    {
        var port = GatewayProcess.FreePort();
        var url = $"http://127.0.0.1:{port}";
        await using var provider = await LemonLdapProvider.StartAsync(url + "/admin/oidc/callback", url + "/admin/login?s=logout");
        await using var gateway = await TestGateway.StartAsync(
            port: port,
            server: $"  base_url: {url}\n  cookie_secure: false",
            more: $"oidc: {{issuer: '{provider.Issuer}', client_id: headtower, client_secret: the-secret, scope: openid email profile, default_role: self_service, use_end_session: true}}\nbootstrap: {{owner: 'proxy:alice'}}");
        gateway.Headscale.Tailnet.Users.Add(new TailnetUser(71, "doctor", "dwho@badwolf.org"));
        gateway.Headscale.Tailnet.Nodes.Add(new TailnetNode(72, "tardis", 71));
        using var browser = new Browser(gateway);

        await SignInAsync();
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        Assert.Equal(("dwho", "Doctor Who", "self_service", "71"), ($"{me["identity"]!["subject"]}", $"{me["identity"]!["name"]}", $"{me["role"]}", $"{me["headscaleUser"]?["id"]}"));
        Assert.Contains("tardis", (await browser.GetAsync("/api/v1/node")).Text, StringComparison.Ordinal);

        var signOut = await browser.SubmitAsync("/admin/", "/admin/logout");
        Assert.StartsWith(provider.Issuer, signOut.Location, StringComparison.Ordinal);
        Assert.StartsWith(url + "/admin/login?s=logout", await provider.PassAsync(signOut.Location!, ""), StringComparison.Ordinal);
        Assert.Equal(302, (await browser.GetAsync("/api/v1/node")).Status);
        await SignInAsync();
        Assert.Equal(200, (await browser.GetAsync("/api/v1/node")).Status);

        async Task SignInAsync()
        {
            var start = await browser.GetAsync("/admin/oidc/start");
            Assert.StartsWith(provider.Issuer, start.Location, StringComparison.Ordinal);
            var answer = await browser.GetAsync(await provider.PassAsync(start.Location!, "dwho"));
            Assert.True(answer.Status == 302, string.Join('\n', gateway.Log.All));
        }
    }
}
