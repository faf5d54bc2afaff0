using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Tests.Support;
using Microsoft.Playwright;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A second real provider, with habits of its own: Glewlwyd, from Debian.</summary>
public sealed class GlewlwydTests : IAsyncLifetime
{
    private readonly Uri _url = new($"http://127.0.0.1:{GatewayProcess.FreePort()}");
    private GlewlwydProvider? _provider;
    private TestGateway? _gateway;

    public async Task InitializeAsync()
    {
        if (RealComponents.WithoutGlewlwyd is null)
        {
            _provider = await GlewlwydProvider.StartAsync(_url);
            _gateway = await StartGatewayAsync(_provider);
        }
    }

    public async Task DisposeAsync()
    {
        await (_gateway?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_provider?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [GlewlwydFact]
    public async Task SignInRefusalRotationSignOutAndSignInAgain()
    {
        using var browser = new Browser(_gateway!);

        (await SignInAsync(browser, "sam")).Status.Should().Be(302);
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        ($"{me["identity"]!["email"]}", $"{me["role"]}", $"{me["headscaleUser"]?["id"]}").Should()
            .Be(("sam@example.test", "self_service", "7"));

        await _provider!.RotateKeyAsync();
        (await SignInAsync(browser, "sam")).Status.Should().Be(302);
        (await browser.SubmitAsync("/admin/", "/admin/logout")).Location.Should().StartWith(_provider.Issuer);
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(302);

        var refused = await SignInAsync(browser, "eve");
        refused.Status.Should().Be(403);
        refused.Text.Should().Contain("may not sign in here");
        (await SignInAsync(browser, "sam")).Status.Should().Be(302);
        (await browser.GetAsync("/api/v1/node")).Text.Should().Contain("sam-laptop");
    }

    [GlewlwydFact]
    public async Task SigningOutInOneBrowserEndsTheSessionInTheOtherThroughTheBackChannel()
    {
        using var browser = new Browser(_gateway!);
        using var other = new Browser(_gateway!);
        await SignInAsync(browser, "sam");
        await SignInAsync(other, "sam");
        var signOut = await browser.SubmitAsync("/admin/", "/admin/logout");
        (await other.GetAsync("/api/v1/node")).Status.Should().Be(200);

        await _provider!.SignOutAsync(signOut.Location!);

        await Until.TrueAsync(async () => (await other.GetAsync("/api/v1/node")).Status == 302, "the session is over");
        await Until.TrueAsync(() => _gateway!.Log.Has("The provider ended 1 sessions"), "the log says so");
    }

    [GlewlwydChromiumFact]
    public async Task InChromiumAPersonSignsInOutAndInAgainAcrossAKeyRotation()
    {
        await using var chromium = await Chromium.LaunchAsync();
        var page = await (await chromium.Browser.NewContextAsync(new() { BaseURL = _url.AbsoluteUri })).NewPageAsync();

        for (var times = 0; times < 2; times++)
        {
            await page.GotoAsync("/admin/login");
            await page.GetByText("Sign in with single sign-on").ClickAsync();
            await page.Locator("input#username").FillAsync("sam");
            await page.Locator("input#password").FillAsync("sam-password");
            await page.Locator("button[name=loginbut]").ClickAsync();
            if (times == 0)
            {
                await page.Locator("#grant-email").CheckAsync();
                await page.Locator("#grant-profile").CheckAsync();
                await page.GetByRole(AriaRole.Button, new() { Name = "Grant access" }).First.ClickAsync();
            }

            await page.GetByTitle("Continue to client application").ClickAsync();
            await page.WaitForURLAsync(_url + "admin/");
            (await page.Locator("main").InnerTextAsync()).Should().Contain("Signed in as sam, ");

            await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Logout" }).First.ClickAsync();
            // Its page stays where it is.
            await page.GetByText("You are disconnected").WaitForAsync();
            (await page.GotoAsync(_url + "admin/"))!.Url.Should().EndWith("/admin/login?return_to=%2Fadmin%2F");
            await _provider!.RotateKeyAsync();
        }
    }

    private async Task<PageAnswer> SignInAsync(Browser browser, string login)
    {
        var start = await browser.GetAsync("/admin/oidc/start");
        start.Location.Should().StartWith(_provider!.Issuer);
        return await browser.GetAsync(await _provider.PassAsync(start.Location!, login));
    }

    private Task<TestGateway> StartGatewayAsync(GlewlwydProvider provider) => TestGateway.StartAsync(
        port: _url.Port,
        server: $"  base_url: http://127.0.0.1:{_url.Port}\n  cookie_secure: false",
        more: $"oidc: {{issuer: '{provider.Issuer}', client_id: headtower, client_secret: the-secret, scope: openid email profile, "
            + $"use_end_session: true, role_claim: groups, role_map: {{staff: self_service}}, allowed_users: "
            + $"[sam@example.test]}}\nbootstrap: {{owner: 'proxy:alice'}}");
}
