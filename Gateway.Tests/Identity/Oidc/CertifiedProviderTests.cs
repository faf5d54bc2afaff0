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
        (signedIn.Status, signedIn.Location).Should().Be((302, "/admin/"));
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        ($"{me["identity"]!["subject"]}", $"{me["identity"]!["email"]}", $"{me["identity"]!["name"]}", $"{me["role"]}",
            $"{me["headscaleUser"]!["id"]}").Should()
            .Be(("sam", "sam@example.test", "Sam Selfservice", "self_service", "7"));
        (await browser.GetAsync("/api/v1/node")).Text.Should().Contain("sam-laptop");

        await provider.RotateKeyAsync();
        (await browser.GetAsync(await provider.BeginAsync(browser, "sam"))).Status.Should().Be(302);

        var signOut = await browser.SubmitAsync("/admin/", "/admin/logout");
        signOut.Location.Should().StartWith(provider.Issuer + "/session/end?");
        (await provider.ConfirmSignOutAsync(signOut.Location!)).Should().StartWith(provider.Gateway.Url + "admin/login?s=logout");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(302);

        (await browser.GetAsync(await provider.BeginAsync(browser, "sam"))).Status.Should().Be(302);
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);
    }

    [NodeProviderFact]
    public async Task SomebodyWhoCancelsIsToldSo()
    {
        await using var provider = await NodeProvider.StartAsync();
        using var browser = new Browser(provider.Gateway);

        var page = await browser.GetAsync(await provider.BeginAsync(browser, "cancel"));

        page.Status.Should().Be(403);
        page.Text.Should().Contain("The provider did not sign you in.");
    }

    [NodeProviderFact]
    public async Task AnAddressThatNobodyVerifiedFindsNoHeadscaleUser()
    {
        await using var provider = await NodeProvider.StartAsync();
        using var browser = new Browser(provider.Gateway);
        await browser.GetAsync(await provider.BeginAsync(browser, "eve"));

        JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!["headscaleUser"].Should().BeNull();
    }

    [NodeProviderFact]
    public async Task SigningOutAtTheProviderEndsTheSessionHereThroughTheBackChannel()
    {
        await using var provider = await NodeProvider.StartAsync();
        using var browser = new Browser(provider.Gateway);
        await browser.GetAsync(await provider.BeginAsync(browser, "sam"));
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);

        // Elsewhere: not by the gateway's button.
        await provider.ConfirmSignOutAsync(provider.Issuer + "/session/end");

        await Until.TrueAsync(async () => (await browser.GetAsync("/api/v1/node")).Status == 302, "the session is over");
        await Until.TrueAsync(() => provider.Gateway.Log.Has("The provider ended 1 sessions"), "the log says so");
    }
}
