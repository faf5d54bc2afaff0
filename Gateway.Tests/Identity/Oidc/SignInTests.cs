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
        (refused.Status, refused.Location).Should().Be((302, "/admin/login?return_to=%2Fapi%2Fv1%2Fnode"));
        await Until.TrueAsync(
            async () => (await browser.GetAsync("/admin/login")).Text.Contains("/admin/oidc/start", StringComparison.Ordinal),
            "the button is there");
        var back = await browser.SignInAsync(provider, "sam", "/api/v1/node");
        (back.Status, back.Location).Should().Be((302, "/api/v1/node"));

        var nodes = await browser.GetAsync(back.Location!);
        nodes.Status.Should().Be(200);
        nodes.Text.Should().Contain("sam-laptop");
        nodes.Text.Should().NotContain("alice-laptop");
        var cookie = browser.Cookies.Should().ContainSingle(one => one.Key == "__Host-headtower").Subject;
        gateway.Headscale.Forwarded.SelectMany(one => one.Headers).Should()
            .NotContain(header => header.Value.Contains(cookie.Value.Value, StringComparison.Ordinal));
        provider.Client.LastWay.Should().Be("client_secret_basic");

        var me = JsonNode.Parse((await browser.GetAsync("/admin/api/me")).Text)!;
        ($"{me["identity"]!["source"]}", $"{me["identity"]!["subject"]}", $"{me["role"]}", $"{me["headscaleUser"]!["id"]}").Should()
            .Be(("oidc", "sub-sam", "self_service", "7"));
        var entry = (await gateway.StopAndReadAuditAsync())[^1];
        (entry.Actor, entry.Role, entry.HeadscaleUser).Should().Be(($"oidc:{provider.Issuer}#sub-sam", "self_service", "7"));
    }

    [Fact]
    public async Task AKeyThatWasRotatedIsFetchedInTheSameSignIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
        var fetches = provider.KeyFetches;

        provider.RotateKey();

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
        provider.KeyFetches.Should().Be(fetches + 1);
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

        answers.Should().AllSatisfy(answer => answer.Status.Should().Be(302));
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

        gateway.People.Snapshot.Everyone.Single().Should()
            .BeEquivalentTo(new { Name = "Sam Selfservice", Email = "sam@example.test", Role = "self_service" });
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

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
        provider.Client.LastWay.Should().Be(only);
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

        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(
            new Uri((await browser.GetAsync("/admin/oidc/start")).Location!).Query);

        (query.TryGetValue(parameter, out var sent) ? sent.ToString() : null).Should().Be(value);
        query["redirect_uri"].Should().Equal("https://gateway.example.test/admin/oidc/callback");
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
    }

    [Fact]
    public async Task EndpointsGivenByHandNeedNoDiscovery()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.Misbehaviour.Discovery = document => document["issuer"] = "nobody should look here";
        await using var gateway = await SignInSetup.StartAsync(
            provider,
            $"  authorization_endpoint: {provider.Issuer}/authorize\n  token_endpoint: {provider.Issuer}/token\n  jwks_uri: "
            + $"{provider.Issuer}/jwks\n  userinfo_endpoint: {provider.Issuer}/userinfo");
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
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
            ((await browser.GetAsync(callbacks[tab])) is var page ? page.Status : 0, page.Location).Should()
                .Be((302, $"/admin/?tab={tab}"));
        }

        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);
        browser.Cookies.Keys.Should().NotContain(name => name.Contains("signin", StringComparison.Ordinal));
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

        (browser.Cookies.Count <= 24).Should().BeTrue($"there are {browser.Cookies.Count} cookies");
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
    }

    [Fact]
    public async Task AnAnswerCountsOnceAndInItsOwnBrowserOnly()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        using var victim = new Browser(gateway);
        var callback = await browser.BeginAsync(provider, "alice");

        (await victim.GetAsync(callback)).Status.Should().Be(400);
        victim.Cookies.Keys.Should().NotContain("__Host-headtower");
        (await browser.GetAsync(callback)).Status.Should().Be(302);
        (await browser.GetAsync(callback)).Status.Should().Be(400);
        (await browser.GetAsync(callback + "&code=another")).Status.Should().Be(400);
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

        (await browser.SignInAsync(provider, "sam", returnTo)).Location.Should().Be("/admin/");
    }

    [Fact]
    public async Task OnlyANavigationIsSentToTheLoginPage()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        (await browser.PostAsync("/api/v1/user")).Status.Should().Be(401);
        browser.Headers["Sec-Fetch-Mode"] = "cors";
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(401);
        browser.Headers["Accept"] = "application/json";
        browser.Headers.Remove("Sec-Fetch-Mode");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(401);
        (await browser.GetAsync("/version")).Status.Should().Be(200);
    }
}
