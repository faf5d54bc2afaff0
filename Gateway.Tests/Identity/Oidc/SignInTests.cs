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
        Assert.Equal("client_secret_basic", provider.Client.LastWay);

        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        Assert.Equal(("oidc", "sub-sam", "self_service", "7"), ($"{me["identity"]!["source"]}", $"{me["identity"]!["subject"]}", $"{me["role"]}", $"{me["headscaleUser"]!["id"]}"));
        var entry = (await gateway.StopAndReadAuditAsync())[^1];
        Assert.Equal(($"oidc:{provider.Issuer}#sub-sam", "self_service", "7"), (entry.Actor, entry.Role, entry.HeadscaleUser));
    }

    [Fact]
    public async Task AKeyThatWasRotatedIsFetchedInTheSameSignIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
        var fetches = provider.KeyFetches;

        provider.RotateKey();

        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
        Assert.Equal(fetches + 1, provider.KeyFetches);
    }

    [Fact]
    public async Task TwoWhoMeetTheNewKeyAtTheSameTimeBothSignIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var one = new Browser(gateway);
        using var other = new Browser(gateway);
        var callbacks = new[] { await one.BeginAsync(provider, "sam"), await other.BeginAsync(provider, "alice") };
        provider.RotateKey();

        var answers = await Task.WhenAll(one.GetAsync(callbacks[0]), other.GetAsync(callbacks[1]));

        Assert.All(answers, answer => Assert.Equal(302, answer.Status));
    }

    [Fact]
    public async Task TwoRotationsInARowStandInNobodysWay()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        for (var times = 0; times < 4; times++)
        {
            (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/", $"rotation {times} is found in the same sign-in");
            provider.RotateKey();
        }
    }

    [Fact]
    public async Task KeysThatNobodyHereKnowsStandBesideTheRealOne()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.Misbehaviour.Keys = keys => keys["keys"] = new JsonArray(
            new JsonObject { ["kty"] = "AKP", ["alg"] = "ML-DSA-65", ["kid"] = "pq", ["pub"] = "AAAA" },
            new JsonObject { ["kty"] = "made up", ["n"] = 7, ["use"] = new JsonArray() },
            "no key at all",
            keys["keys"]![0]!.DeepClone());
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/", "RFC 7517 5: what is not understood is left out");
    }

    [Fact]
    public async Task UserInfoThatIsASignedTokenIsReadLikeAnyOther()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.SignsUserInfo = true;
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");

        gateway.People.Snapshot.Everyone.Single().Should().BeEquivalentTo(new { Name = "Sam Selfservice", Email = "sam@example.test", Role = "self_service" });
    }

    [Fact]
    public async Task AnAnswerByFormIsRefused()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(new Uri(await browser.BeginAsync(provider, "sam")).Query);

        var answer = await browser.PostAsync("/admin/oidc/callback", [.. query.Select(one => (one.Key, one.Value.ToString()))]);

        answer.Status.Should().Be(400);
        gateway.Log.Has("MethodNotAllowed: the answer came by POST").Should().BeTrue();
        browser.Cookies.Should().NotContainKey("__Host-headtower");
    }

    [Theory]
    [InlineData("client_secret_basic")]
    [InlineData("client_secret_post")]
    public async Task TheWayInWhichTheProviderTakesClientsIsFound(string only)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.Client.OnlyWay = only;
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
        Assert.Equal(only, provider.Client.LastWay);
    }

    [Theory]
    [InlineData("  use_pkce: false", "code_challenge", null)]
    [InlineData("  extra_params: {prompt: select_account, domain_hint: example.test}", "domain_hint", "example.test")]
    [InlineData("  scope: openid groups", "scope", "openid groups")]
    [InlineData("  scope: [openid, email]", "scope", "openid email")]
    public async Task TheAuthorizationRequestIsAsConfigured(string more, string parameter, string? value)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, more);
        using var browser = new Browser(gateway);

        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(new Uri((await browser.GetAsync("/admin/oidc/start")).Location!).Query);

        Assert.Equal(value, query.TryGetValue(parameter, out var sent) ? sent.ToString() : null);
        Assert.Equal("https://gateway.example.test/admin/oidc/callback", query["redirect_uri"]);
        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
    }

    [Fact]
    public async Task EndpointsGivenByHandNeedNoDiscovery()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.Misbehaviour.Discovery = document => document["issuer"] = "nobody should look here";
        await using var gateway = await SignInSetup.StartAsync(provider, $"  authorization_endpoint: {provider.Issuer}/authorize\n  token_endpoint: {provider.Issuer}/token\n  jwks_uri: {provider.Issuer}/jwks\n  userinfo_endpoint: {provider.Issuer}/userinfo");
        using var browser = new Browser(gateway);

        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
    }

    [Fact]
    public async Task TwentyTabsAtOnceAllEndSignedIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        var callbacks = new List<string>();
        for (var tab = 0; tab < 20; tab++)
        {
            callbacks.Add(await browser.BeginAsync(provider, "sam", $"/admin/?tab={tab}"));
        }

        for (var tab = 19; tab >= 0; tab--)
        {
            Assert.Equal((302, $"/admin/?tab={tab}"), ((await browser.GetAsync(callbacks[tab])) is var page ? page.Status : 0, page.Location));
        }

        Assert.Equal(200, (await browser.GetAsync("/api/v1/node")).Status);
        Assert.DoesNotContain(browser.Cookies.Keys, name => name.Contains("signin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AbandonedAttemptsLeaveFewCookiesAndTheLastOneStillWorks()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        for (var attempt = 0; attempt < 200; attempt++)
        {
            await browser.BeginAsync(provider, "sam");
        }

        Assert.True(browser.Cookies.Count <= 24, $"there are {browser.Cookies.Count} cookies");
        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
    }

    [Fact]
    public async Task AnAnswerCountsOnceAndInItsOwnBrowserOnly()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        using var victim = new Browser(gateway);
        var callback = await browser.BeginAsync(provider, "alice");

        Assert.Equal(400, (await victim.GetAsync(callback)).Status);
        Assert.DoesNotContain("__Host-headtower", victim.Cookies.Keys);
        Assert.Equal(302, (await browser.GetAsync(callback)).Status);
        Assert.Equal(400, (await browser.GetAsync(callback)).Status);
        Assert.Equal(400, (await browser.GetAsync(callback + "&code=another")).Status);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("/\t/evil.example")]
    [InlineData("javascript:alert(1)")]
    public async Task AfterSigningInNobodyIsSentElsewhere(string returnTo)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam", returnTo)).Location);
    }

    [Fact]
    public async Task OnlyANavigationIsSentToTheLoginPage()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        Assert.Equal(401, (await browser.PostAsync("/api/v1/user")).Status);
        browser.Headers["Sec-Fetch-Mode"] = "cors";
        Assert.Equal(401, (await browser.GetAsync("/api/v1/node")).Status);
        browser.Headers["Accept"] = "application/json";
        browser.Headers.Remove("Sec-Fetch-Mode");
        Assert.Equal(401, (await browser.GetAsync("/api/v1/node")).Status);
        Assert.Equal(200, (await browser.GetAsync("/version")).Status);
    }
}
