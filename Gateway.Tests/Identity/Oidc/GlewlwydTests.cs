using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A second real provider, with habits of its own: Glewlwyd, from Debian.</summary>
public sealed class GlewlwydTests
{
    [GlewlwydFact]
    public async Task SignInRefusalRotationSignOutAndSignInAgain()
    {
        var port = GatewayProcess.FreePort();
        await using var provider = await GlewlwydProvider.StartAsync($"http://127.0.0.1:{port}/admin/oidc/callback");
        await using var gateway = await StartGatewayAsync(provider, port);
        using var browser = new Browser(gateway);

        Assert.Equal(302, (await SignInAsync("sam")).Status);
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        Assert.Equal(("sam@example.test", "self_service", "7"), ($"{me["identity"]!["email"]}", $"{me["role"]}", $"{me["headscaleUser"]?["id"]}"));

        await provider.RotateKeyAsync();
        Assert.Equal(302, (await SignInAsync("sam")).Status);
        Assert.Equal("/admin/login?s=logout", (await browser.SubmitAsync("/admin/", "/admin/logout")).Location);
        Assert.Equal(302, (await browser.GetAsync("/api/v1/node")).Status);

        var refused = await SignInAsync("eve");
        Assert.Equal(403, refused.Status);
        Assert.Contains("may not sign in here", refused.Text, StringComparison.Ordinal);
        Assert.Equal(302, (await SignInAsync("sam")).Status);
        Assert.Contains("sam-laptop", (await browser.GetAsync("/api/v1/node")).Text, StringComparison.Ordinal);

        async Task<PageAnswer> SignInAsync(string login)
        {
            var start = await browser.GetAsync("/admin/oidc/start");
            Assert.StartsWith(provider.Issuer, start.Location, StringComparison.Ordinal);
            return await browser.GetAsync(await provider.PassAsync(start.Location!, login));
        }
    }

    private static Task<TestGateway> StartGatewayAsync(GlewlwydProvider provider, int port) => TestGateway.StartAsync(
        port: port,
        server: $"  base_url: http://127.0.0.1:{port}\n  cookie_secure: false",
        more: $"oidc: {{issuer: '{provider.Issuer}', client_id: headtower, client_secret: the-secret, scope: openid email profile, role_claim: groups, role_map: {{staff: self_service}}, allowed_users: [sam@example.test]}}\nbootstrap: {{owner: 'proxy:alice'}}");
}
