using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A second real provider, with habits of its own: Glewlwyd, from Debian.</summary>
public sealed class GlewlwydTests
{
    [GlewlwydFact]
    public async Task SignInRotationSignOutAndSignInAgain()
    {
        var port = GatewayProcess.FreePort();
        var url = $"http://127.0.0.1:{port}";
        await using var provider = await GlewlwydProvider.StartAsync(url + "/admin/oidc/callback");
        await using var gateway = await TestGateway.StartAsync(
            port: port,
            server: $"  base_url: {url}\n  cookie_secure: false",
            more: $"oidc: {{issuer: '{provider.Issuer}', client_id: headtower, client_secret: the-secret, scope: openid email profile, role_claim: groups, role_map: {{staff: self_service}}}}\nbootstrap: {{owner: 'proxy:alice'}}");
        using var browser = new Browser(gateway);

        Assert.Equal(302, await SignInAsync());
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        Assert.Equal(("sam@example.test", "self_service", "7"), ($"{me["identity"]!["email"]}", $"{me["role"]}", $"{me["headscaleUser"]?["id"]}"));

        await provider.RotateKeyAsync();
        Assert.Equal(302, await SignInAsync());
        Assert.Equal("/admin/login?s=logout", (await browser.SubmitAsync("/admin/", "/admin/logout")).Location);
        Assert.Equal(302, (await browser.GetAsync("/api/v1/node")).Status);
        Assert.Equal(302, await SignInAsync());
        Assert.Contains("sam-laptop", (await browser.GetAsync("/api/v1/node")).Text, StringComparison.Ordinal);

        async Task<int> SignInAsync()
        {
            var start = await browser.GetAsync("/admin/oidc/start");
            Assert.StartsWith(provider.Issuer, start.Location, StringComparison.Ordinal);
            var answer = await browser.GetAsync(await provider.PassAsync(start.Location!));
            Assert.True(answer.Status == 302, string.Join('\n', gateway.Log.All));
            return answer.Status;
        }
    }
}
