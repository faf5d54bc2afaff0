using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.SignIn;

/// <summary>Signing in with a Headscale API key.</summary>
public sealed class ApiKeySignInTests
{
    private const string Trusted = "  trusted_proxies: [127.0.0.1]";

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task AKeyBeginsASessionWithFullRightsAndIsKeptNowhere(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version, server: Trusted);
        using var browser = new Browser(gateway);
        var key = gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z").Key;

        var answer = await SubmitAsync(browser, key, "/api/v1/user");

        (answer.Status, answer.Location).Should().Be((302, "/api/v1/user"));
        (await browser.GetAsync("/api/v1/user")).Status.Should().Be(200);
        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        ($"{me["role"]}", $"{me["session"]!["kind"]}").Should().Be(("api_key", "api_key"));
        gateway.Headscale.Forwarded[^1].Header("Authorization").Should().Be($"Bearer {gateway.Headscale.ApiKey}");
        var audit = await gateway.StopAndReadAuditAsync();
        audit.Select(one => one.Row).Should().Equal(["sign_in.api_key", "users.list"]);
        audit.Should().AllSatisfy(entry => entry.Actor.Should().StartWith("key:"));
        gateway.StoredFiles.Should().AllSatisfy(file => File.ReadAllText(file).Should().NotContain(key[^24..]));
        gateway.Log.All.Any(line => line.Contains(key[^24..], StringComparison.Ordinal)).Should().BeFalse();
    }

    [Theory]
    [InlineData("X-Nothing", "here", true)]
    [InlineData("X-Forwarded-Proto", "http", true)]
    [InlineData("X-Forwarded-Proto", "https", false)]
    [InlineData("Sec-Fetch-Site", "none", false)]
    public async Task APageThatCannotKeepASessionSaysSoUnlessTheBrowserIsOnHttps(string header, string value, bool isSaid)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.Host = "gateway.example.test";
        client.DefaultRequestHeaders.Add(header, value);

        (await client.GetStringAsync(new Uri("/admin/login", UriKind.Relative))).Contains(
            "This page came over http", StringComparison.Ordinal)
            .Should().Be(isSaid);
    }

    [Theory]
    [InlineData("", 400, "Please enter")]
    [InlineData("nonsense", 400, "does not look like")]
    [InlineData("unknown", 401, "Headscale rejects")]
    [InlineData("expired", 401, "Headscale rejects")]
    [InlineData("endless", 401, "Headscale rejects")]
    public async Task WhatIsWrongWithAKeyIsSaid(string which, int status, string says)
    {
        await using var gateway = await TestGateway.StartAsync(server: Trusted);
        using var browser = new Browser(gateway);
        var key = which switch
        {
            "unknown" => $"hskey-api-{new string('a', 12)}-{new string('b', 64)}",
            "expired" => gateway.Headscale.Api.CreateApiKey("2020-01-01T00:00:00Z").Key,
            "endless" => gateway.Headscale.Api.CreateApiKey("0001-01-01T00:00:00Z").Key,
            _ => which,
        };

        var answer = await SubmitAsync(browser, key);

        answer.Status.Should().Be(status);
        answer.Text.Should().Contain(says);
        browser.Cookies.Keys.Should().NotContain("__Host-headtower");
    }

    [Fact]
    public async Task WhileHeadscaleIsDownNobodyIsTakenForAnIntruder()
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale, server: Trusted);
        using var browser = new Browser(gateway);
        await headscale.DisposeAsync();

        (await SubmitAsync(browser, headscale.ApiKey)).Status.Should().Be(503);
    }

    [Fact]
    public async Task TryingKeysIsSlowedDownPerAddressAndPerNetwork()
    {
        await using var gateway = await TestGateway.StartAsync(server: Trusted);
        using var browser = new Browser(gateway);
        var statuses = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            browser.Headers["X-Forwarded-For"] = $"2001:db8:1:1::{i:x}";
            var answer = await SubmitAsync(browser, "nonsense");
            statuses.Add(answer.Status);
            (answer.Response.Headers.RetryAfter is not null).Should().Be(answer.Status == 429);
        }

        statuses.Should().Equal([.. Enumerable.Repeat(400, 10), 429, 429]);
        browser.Headers["X-Forwarded-For"] = "2001:db8:1:2::1";
        (await SubmitAsync(browser, gateway.Headscale.ApiKey)).Status.Should().Be(302);
    }

    [Theory]
    [InlineData(26)]
    [InlineData(29)]
    public async Task AKeyThatIsDeletedTakesItsSessionsAlong(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version, server: Trusted);
        using var browser = new Browser(gateway);
        var key = gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z");
        await SubmitAsync(browser, key.Key);
        var watch = (Gateway.Headscale.UpstreamMonitor)gateway.App.Services.GetService(typeof(Gateway.Headscale.UpstreamMonitor))!;
        await watch.RefreshAsync(default);
        (await browser.GetAsync("/api/v1/user")).Status.Should().Be(200);

        gateway.Headscale.Tailnet.ApiKeys.Remove(key);
        await watch.RefreshAsync(default);

        (await browser.GetAsync("/api/v1/user")).Status.Should().Be(302);
    }

    [Fact]
    public async Task TheFormNeedsItsToken()
    {
        await using var gateway = await TestGateway.StartAsync(server: Trusted);
        using var browser = new Browser(gateway);

        (await browser.PostAsync("/admin/login", ("api_key", gateway.Headscale.ApiKey))).Status.Should().Be(400);
        browser.Cookies.Keys.Should().NotContain("__Host-headtower");
    }

    [Fact]
    public async Task SwitchedOffItIsRefusedAndNotOnlyHidden()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  disable_api_key_login: true");
        using var browser = new Browser(gateway);
        (await browser.GetAsync("/admin/login")).Text.Should().NotContain("api_key");

        // The token of another form of the same browser is a good one.
        await browser.SignInAsync(provider, "sam");
        var answer = await browser.SubmitAsync("/admin/", "/admin/login", ("api_key", gateway.Headscale.ApiKey));

        answer.Status.Should().Be(403);
        answer.Text.Should().Contain("switched off");
    }

    [Fact]
    public async Task WhereThereIsOneWayOnlyNobodyIsAskedExceptAfterSigningOut()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(
            provider, "  disable_api_key_login: true", proxyAuth: TestGateway.NoProxyAuth);
        using var browser = new Browser(gateway);
        await Until.TrueAsync(() => gateway.Log.Has("is available"), "the provider is known");

        (await browser.GetAsync("/admin/login")).Location.Should().Be("/admin/oidc/start?return_to=%2Fadmin%2F");
        (await browser.GetAsync("/admin/login?s=logout")).Text.Should().Contain("You have been signed out.");
    }

    [Fact]
    public async Task AnInsecurePageSaysWhySigningInWillNotLast()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = new Browser(gateway);
        browser.Headers.Remove("X-Forwarded-Proto");

        (await browser.GetAsync("/admin/login")).Text.Should().Contain("cookie is for https only");
    }

    [Fact]
    public async Task OwnPagesAllowNothingFromElsewhere()
    {
        await using var gateway = await TestGateway.StartAsync(server: Trusted);
        using var browser = new Browser(gateway);

        var page = await browser.GetAsync("/admin/login");

        var policy = page.Response.Headers.GetValues("Content-Security-Policy").Should().ContainSingle().Subject;
        policy.Should().StartWith("default-src 'none';");
        policy.Should().NotContain("unsafe");
        page.Text.Should().NotContain("<script>");
        page.Text.Should().NotContain("style=");
        page.Response.Headers.CacheControl!.NoStore.Should().BeTrue();
        (await browser.GetAsync("/admin/style.css")).Status.Should().Be(200);
    }

    [Theory]
    [InlineData("/admin/login", 413)]
    [InlineData("/admin/logout", 413)]
    [InlineData("/admin/oidc/backchannel-logout", 400)]
    public async Task StrangersFillNoMemoryWithForms(string target, int status)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        var answer = await browser.PostAsync(target, ("api_key", new string('a', 100_000)));

        answer.Status.Should().Be(status);
        gateway.Log.All.Should().NotContain(line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NoOtherSiteSignsAnybodyIn()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = new Browser(gateway);
        browser.Headers["Sec-Fetch-Site"] = "cross-site";

        (await browser.SubmitAsync("/admin/login", "/admin/login", ("api_key", gateway.Headscale.ApiKey))).Status.Should().Be(403);
        browser.Cookies.Keys.Should().NotContain("__Host-headtower");
    }

    [Theory]
    [InlineData("/admin/login", "gateway.example.test", 200)]
    [InlineData("/admin/login", "Gateway.Example.Test:443", 200)]
    [InlineData("/admin/login", "gateway.example.test:99999", 421)]
    [InlineData("/admin/login", "evil.example", 421)]
    [InlineData("/admin/login", "gateway.example.test.evil.example", 421)]
    [InlineData("/admin/healthz", "10.0.0.1:3000", 200)]
    [InlineData("/version", "anything.example", 200)]
    [InlineData("/admin/nothing", "gateway.example.test", 302)]
    public async Task OwnPagesBelongToTheirHost(string path, string host, int status)
    {
        await using var gateway = await TestGateway.StartAsync(server: Trusted);
        await using var connection = await gateway.ConnectAsync();
        await connection.WriteAsync(
            System.Text.Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nX-Forwarded-Proto: "
                + $"https\r\nConnection: close\r\n\r\n"));

        (await RawPeer.ReadHeadAsync(connection)).Should().StartWith($"HTTP/1.1 {status} ");
    }

    private static Task<PageAnswer> SubmitAsync(Browser browser, string key, string returnTo = "/admin/") =>
        browser.SubmitAsync($"/admin/login?return_to={Uri.EscapeDataString(returnTo)}", "/admin/login", ("api_key", key));
}
