using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>Signing in with a provider, from the button to the API.</summary>
public sealed class SignInTests
{
    [Fact]
    public async Task ASignInEndsInASessionThatReachesTheApi()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        var refused = await browser.GetAsync("/api/v1/node");
        Assert.Equal((302, "/admin/login?return_to=%2Fapi%2Fv1%2Fnode"), (refused.Status, refused.Location));
        await Until.TrueAsync(async () => (await browser.GetAsync("/admin/login")).Text.Contains("/admin/oidc/start", StringComparison.Ordinal), "the button is there");
        var back = await browser.SignInAsync(provider, "sam", "/api/v1/node");
        Assert.Equal((302, "/api/v1/node"), (back.Status, back.Location));

        var nodes = await browser.GetAsync(back.Location!);
        Assert.Equal(200, nodes.Status);
        Assert.Contains("sam-laptop", nodes.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("alice-laptop", nodes.Text, StringComparison.Ordinal);
        var cookie = Assert.Single(browser.Cookies, one => one.Key == "__Host-headtower");
        Assert.DoesNotContain(gateway.Headscale.Forwarded.SelectMany(one => one.Headers), header => header.Value.Contains(cookie.Value.Value, StringComparison.Ordinal));
        Assert.Equal("client_secret_basic", provider.LastClientAuthentication);

        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        Assert.Equal(("oidc", "sub-sam", "self_service", "7"), ($"{me["identity"]!["source"]}", $"{me["identity"]!["subject"]}", $"{me["role"]}", $"{me["headscaleUser"]!["id"]}"));
        var entry = (await gateway.StopAndReadAuditAsync())[^1];
        Assert.Equal(($"oidc:{provider.Issuer}#sub-sam", "self_service", "7"), (entry.Actor, entry.Role, entry.HeadscaleUser));
    }
}
