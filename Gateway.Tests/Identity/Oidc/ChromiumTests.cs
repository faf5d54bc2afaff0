using Gateway.Tests.Support;
using Microsoft.Playwright;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>Signing in as a person does it: a real browser, the certified provider, no scripts.</summary>
public sealed class ChromiumTests
{
    [ChromiumFact]
    public async Task APersonSignsInIsRefusedSignsOutAndUsesAKeyWithScriptsOff()
    {
        await using var provider = await NodeProvider.StartAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var context = await chromium.Browser.NewContextAsync(
            new() { JavaScriptEnabled = false, BaseURL = provider.Gateway.Url.AbsoluteUri });
        var page = await context.NewPageAsync();
        var complaints = new List<string>();
        page.Console += (_, message) => complaints.Add(message.Text);

        // Anything of the API leads to the login page, and from there back.
        await page.GotoAsync("/api/v1/node");
        await page.GetByText("Sign in with single sign-on").ClickAsync();
        await page.Locator("#sam").ClickAsync();
        page.Url.Should().EndWith("/api/v1/node");
        (await page.Locator("body").InnerTextAsync()).Should().Contain("sam-laptop");

        await page.GotoAsync("/admin/");
        (await page.Locator("h1").InnerTextAsync()).Should().Be("Overview");
        await ShootAsync(page, "home");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        (await page.Locator("main").InnerTextAsync()).Should().Contain("You have been signed out.");
        (await context.CookiesAsync()).Should().NotContain(cookie => cookie.Name == "headtower");

        await page.GetByText("Sign in with single sign-on").ClickAsync();
        await page.Locator("#cancel").ClickAsync();
        (await page.Locator("h1").InnerTextAsync()).Should().Be("Sign-in failed");
        await ShootAsync(page, "failure");
        await page.GetByText("Back to sign in").ClickAsync();

        await page.GetByText("Other ways").ClickAsync();
        await page.GetByLabel("Headscale API key").FillAsync("nonsense");
        await page.GetByText("Sign in with API key").ClickAsync();
        (await page.GetByRole(AriaRole.Alert).InnerTextAsync()).Should().Contain("does not look like");
        await ShootAsync(page, "login");
        await page.GetByLabel("Headscale API key").FillAsync(provider.Gateway.Headscale.ApiKey);
        await page.GetByText("Sign in with API key").ClickAsync();
        (await page.Locator("h1").InnerTextAsync()).Should().Be("Overview");

        complaints.Should().NotContain(text => text.Contains("Content Security Policy", StringComparison.Ordinal));
        (await context.CookiesAsync()).Where(one => one.Name == "headtower").Select(one => (one.HttpOnly, one.SameSite)).Single().Should()
            .Be((true, SameSiteAttribute.Lax));
    }

    [ChromiumFact]
    public async Task SigningInSurvivesAKeyRotationAndSigningOutAtTheProviderEndsTheSessionHere()
    {
        await using var provider = await NodeProvider.StartAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var context = await chromium.Browser.NewContextAsync(new() { BaseURL = provider.Gateway.Url.AbsoluteUri });
        var page = await context.NewPageAsync();
        await page.GotoAsync("/admin/oidc/start");
        await page.Locator("#sam").ClickAsync();
        (await page.Locator("h1").InnerTextAsync()).Should().Be("Overview");

        await provider.RotateKeyAsync();
        await page.GotoAsync("/admin/oidc/start");
        (await page.Locator("h1").InnerTextAsync()).Should().Be("Overview");

        var elsewhere = await context.NewPageAsync();
        await elsewhere.GotoAsync(provider.Issuer + "/session/end");
        await elsewhere.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        await Until.TrueAsync(
            async () => (await page.GotoAsync("/admin/"))!.Url.Contains("/admin/login", StringComparison.Ordinal), "the session is over");
        await Until.TrueAsync(() => provider.Gateway.Log.Has("The provider ended "), "the log says so");
    }

    [ChromiumFact]
    public async Task TabsThatSignInAtTheSameTimeAllEndSignedIn()
    {
        await using var provider = await NodeProvider.StartAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var context = await chromium.Browser.NewContextAsync(new() { BaseURL = provider.Gateway.Url.AbsoluteUri });

        // The provider knows the person already, and lets every tab through: it takes one login of a browser at a time.
        var first = await context.NewPageAsync();
        await first.GotoAsync("/admin/oidc/start");
        await first.Locator("#sam").ClickAsync();
        await context.ClearCookiesAsync(new() { Name = "headtower" });
        var tabs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => context.NewPageAsync()));

        await Task.WhenAll(tabs.Select((tab, at) => tab.GotoAsync($"/admin/oidc/start?return_to=%2Fadmin%2F%3Ftab%3D{at}")));

        tabs.Select(tab => tab.Url).Should().Equal(Enumerable.Range(0, 20).Select(at => $"{provider.Gateway.Url}admin/?tab={at}"));
        foreach (var tab in tabs)
        {
            await tab.ReloadAsync();
            (await tab.Locator("h1").InnerTextAsync()).Should().Be("Overview");
        }
    }

    [ChromiumFact]
    public async Task FortyAbandonedAttemptsLeaveFewCookiesInTheBrowserAndTheNextOneWorks()
    {
        await using var provider = await NodeProvider.StartAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var context = await chromium.Browser.NewContextAsync(new() { BaseURL = provider.Gateway.Url.AbsoluteUri });
        var page = await context.NewPageAsync();
        for (var attempt = 0; attempt < 40; attempt++)
        {
            await page.GotoAsync("/admin/oidc/start");
        }

        (await context.CookiesAsync()).Count(one => one.Name.StartsWith("headtower-signin.", StringComparison.Ordinal)).Should()
            .BeInRange(1, 24);
        await page.Locator("#sam").ClickAsync();
        (await page.Locator("h1").InnerTextAsync()).Should().Be("Overview");
    }

    /// <summary>Pictures for a look, where a folder is named.</summary>
    private static async Task ShootAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
        }
    }
}
