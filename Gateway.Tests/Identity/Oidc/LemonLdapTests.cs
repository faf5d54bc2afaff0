using System.Text.Json.Nodes;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.Playwright;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A third real provider: LemonLDAP::NG, from Debian.</summary>
public sealed class LemonLdapTests
{
    private static readonly int _port = GatewayProcess.FreePort();

    private static string Url => $"http://127.0.0.1:{_port}";

    private static string Callback => Url + "/admin/oidc/callback";

    private static string AfterSignOut => Url + "/admin/login?s=logout";

    [LemonLdapFact]
    public async Task SignInRefusalRotationSignOutAndSignInAgain()
    {
        await using var provider = await LemonLdapProvider.StartAsync(Callback, AfterSignOut);
        await using var gateway = await StartGatewayAsync(provider);
        using var browser = new Browser(gateway);

        (await SignInAsync("dwho")).Status.Should().Be(302);
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        ($"{me["identity"]!["subject"]}", $"{me["identity"]!["name"]}", $"{me["role"]}", $"{me["headscaleUser"]?["id"]}").Should()
            .Be(("dwho", "Doctor Who", "self_service", "71"));
        (await browser.GetAsync("/api/v1/node")).Text.Should().Contain("tardis");

        await provider.RestartWithAnotherKeyAsync(Callback, AfterSignOut);
        (await SignInAsync("dwho")).Status.Should().Be(302);

        var signOut = await browser.SubmitAsync("/admin/", "/admin/logout");
        signOut.Location.Should().StartWith(provider.Issuer);
        (await provider.PassAsync(signOut.Location!, "")).Should().StartWith(AfterSignOut);
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(302);

        var refused = await SignInAsync("rtyler");
        refused.Status.Should().Be(403);
        refused.Text.Should().Contain("may not sign in here");
        browser.Cookies.Keys.Should().NotContain("headtower");

        async Task<PageAnswer> SignInAsync(string login)
        {
            var start = await browser.GetAsync("/admin/oidc/start");
            start.Location.Should().StartWith(provider.Issuer);
            return await browser.GetAsync(await provider.PassAsync(start.Location!, login));
        }
    }

    [LemonLdapChromiumFact]
    public async Task InChromiumAPersonSignsInOutAndInAgain()
    {
        await using var provider = await LemonLdapProvider.StartAsync(Callback, AfterSignOut);
        await using var gateway = await StartGatewayAsync(provider);
        await using var chromium = await Chromium.LaunchAsync();
        var page = await (await chromium.Browser.NewContextAsync(new() { BaseURL = Url })).NewPageAsync();

        for (var times = 0; times < 2; times++)
        {
            await page.GotoAsync("/admin/login");
            await page.GetByText("Sign in with single sign-on").ClickAsync();
            await page.Locator("input[name=user]").FillAsync("dwho");
            await page.Locator("input[name=password]").FillAsync("dwho");
            await page.Locator("form#lform button[type=submit]").First.ClickAsync();
            await page.WaitForURLAsync(Url + "/admin/");
            (await page.Locator("main").InnerTextAsync()).Should().Contain("Doctor Who");

            await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
            await page.WaitForURLAsync(url => url.StartsWith(AfterSignOut, StringComparison.Ordinal));
        }
    }

    private static async Task<TestGateway> StartGatewayAsync(LemonLdapProvider provider)
    {
        var gateway = await TestGateway.StartAsync(
            port: _port,
            server: $"  base_url: {Url}\n  cookie_secure: false",
            more: $"oidc: {{issuer: '{provider.Issuer}', client_id: headtower, client_secret: the-secret, scope: openid email profile, "
                + $"default_role: self_service, use_end_session: true, allowed_users: [dwho@badwolf.org]}}\nbootstrap: {{owner: "
                + $"'proxy:alice'}}");
        gateway.Headscale.Tailnet.Users.Add(new TailnetUser(71, "doctor", "dwho@badwolf.org"));
        gateway.Headscale.Tailnet.Nodes.Add(new TailnetNode(72, "tardis", 71));
        return gateway;
    }
}
