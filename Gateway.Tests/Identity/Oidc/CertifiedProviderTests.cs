using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>The whole flow against a certified provider (npm oidc-provider), which forgives nothing.</summary>
public sealed class CertifiedProviderTests
{
    [NodeProviderTheory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task SignInRefusalRotationSignOutAndSignInAgain(string algorithm)
    {
        await using var provider = await NodeProvider.StartAsync(algorithm);
        using var browser = new Browser(provider.Gateway);

        var signedIn = await browser.GetAsync(await provider.BeginAsync(browser, "sam"));
        Assert.Equal((302, "/admin/"), (signedIn.Status, signedIn.Location));
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        Assert.Equal(("sam", "sam@example.test", "Sam Selfservice", "self_service", "7"), ($"{me["identity"]!["subject"]}", $"{me["identity"]!["email"]}", $"{me["identity"]!["name"]}", $"{me["role"]}", $"{me["headscaleUser"]!["id"]}"));
        Assert.Contains("sam-laptop", (await browser.GetAsync("/api/v1/node")).Text, StringComparison.Ordinal);

        await provider.RotateKeyAsync();
        Assert.Equal(302, (await browser.GetAsync(await provider.BeginAsync(browser, "sam"))).Status);

        var signOut = await browser.SubmitAsync("/admin/", "/admin/logout");
        Assert.StartsWith(provider.Issuer + "/session/end?", signOut.Location, StringComparison.Ordinal);
        Assert.StartsWith(provider.Gateway.Url + "admin/login?s=logout", await provider.ConfirmSignOutAsync(signOut.Location!), StringComparison.Ordinal);
        Assert.Equal(302, (await browser.GetAsync("/api/v1/node")).Status);

        Assert.Equal(302, (await browser.GetAsync(await provider.BeginAsync(browser, "sam"))).Status);
        Assert.Equal(200, (await browser.GetAsync("/api/v1/node")).Status);
    }

    [NodeProviderFact]
    public async Task SomebodyWhoCancelsIsToldSo()
    {
        await using var provider = await NodeProvider.StartAsync();
        using var browser = new Browser(provider.Gateway);

        var page = await browser.GetAsync(await provider.BeginAsync(browser, "cancel"));

        Assert.Equal(403, page.Status);
        Assert.Contains("The provider did not sign you in.", page.Text, StringComparison.Ordinal);
    }

    [NodeProviderFact]
    public async Task AnAddressThatNobodyVerifiedFindsNoHeadscaleUser()
    {
        await using var provider = await NodeProvider.StartAsync();
        using var browser = new Browser(provider.Gateway);
        await browser.GetAsync(await provider.BeginAsync(browser, "eve"));

        Assert.Null(JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!["headscaleUser"]);
    }

    [NodeProviderFact]
    public async Task SigningOutAtTheProviderEndsTheSessionHereThroughTheBackChannel()
    {
        await using var provider = await NodeProvider.StartAsync();
        using var browser = new Browser(provider.Gateway);
        await browser.GetAsync(await provider.BeginAsync(browser, "sam"));
        Assert.Equal(200, (await browser.GetAsync("/api/v1/node")).Status);

        // Elsewhere: not by the gateway's button.
        await provider.ConfirmSignOutAsync(provider.Issuer + "/session/end");

        await Until.TrueAsync(async () => (await browser.GetAsync("/api/v1/node")).Status == 302, "the session is over");
        Assert.True(provider.Gateway.Log.Has("The provider ended 1 sessions"));
    }
}
