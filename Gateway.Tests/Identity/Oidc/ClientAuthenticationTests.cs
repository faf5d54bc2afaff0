using System.Security.Cryptography;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>How the client shows itself to the provider, and what it asks for behind the browser's back.</summary>
public sealed class ClientAuthenticationTests
{
    [Theory]
    [InlineData("RSA")]
    [InlineData("P-256")]
    public async Task AClientWithAKeySignsWhoItIs(string kind)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        using var folder = new TemporaryFolder();
        var (key, publicKey) = MakeKey(kind);
        (provider.Client.PublicKey, provider.Client.OnlyWay) = (publicKey, "private_key_jwt");
        await using var gateway = await StartAsync(
            provider, $"  token_endpoint_auth_method: private_key_jwt\n  client_key_path: {folder.File("client.pem", key)}");
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");

        provider.Client.LastWay.Should().Be("private_key_jwt");
    }

    [Fact]
    public async Task AKeyThatTheProviderDoesNotKnowIsNamedAsSuch()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        using var folder = new TemporaryFolder();
        provider.Client.PublicKey = MakeKey("P-256").Public;
        await using var gateway = await StartAsync(
            provider,
            $"  token_endpoint_auth_method: private_key_jwt\n  client_key_path: {folder.File("client.pem", MakeKey("P-256").Private)}");
        using var browser = new Browser(gateway);

        var page = await browser.SignInAsync(provider, "sam");

        page.Status.Should().Be(502);
        page.Text.Should().Contain("The provider does not accept this gateway: client id, secret or key is wrong");
        gateway.Log.Has("ClientRejected").Should().BeTrue();
    }

    [Fact]
    public async Task APublicClientIsProtectedByPkceAlone()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        (provider.Client.IsPublic, provider.Client.OnlyWay) = (true, "none");
        await using var gateway = await StartAsync(provider, "  token_endpoint_auth_method: none");
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");

        provider.Client.LastWay.Should().Be("none");
    }

    [Theory]
    [InlineData("client_secret_basic")]
    [InlineData("client_secret_post")]
    public async Task AProviderThatDemandsPushedRequestsGetsThemAndTheBrowserSeesNothingOfThem(string way)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        (provider.RequiresPushedRequests, provider.Client.OnlyWay) = (true, way);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.BeginAsync(provider, "sam");

        var start = QueryHelpers.ParseQuery(new Uri((await browser.GetAsync("/admin/oidc/start")).Location!).Query);

        start.Keys.Should().BeEquivalentTo("client_id", "request_uri");
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
    }

    [Theory]
    [InlineData("required", false)]
    [InlineData("off", true)]
    public async Task ASettingThatDoesNotGoWithTheProviderIsSaid(string setting, bool isDemanded)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.RequiresPushedRequests = isDemanded;
        await using var gateway = await SignInSetup.StartAsync(provider, $"  pushed_authorization: {setting}");
        using var browser = new Browser(gateway);
        await Until.TrueAsync(() => gateway.Log.Has("is available"), "the provider is known");

        var page = await browser.GetAsync("/admin/oidc/start");

        page.Status.Should().Be(502);
        page.Text.Should().Contain("does not accept the way in which the gateway asks");
        gateway.Log.Has("RequestRejected: oidc.pushed_authorization does not go with the provider").Should().BeTrue();
    }

    [Fact]
    public async Task APushThatIsRefusedIsSaidWithTheProvidersWords()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.RequiresPushedRequests = true;
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        Misbehaving.Answer(
            "/par", 400, "application/json",
            """{"error":"invalid_request","error_description":"redirect_uri is not registered"}""")(provider);
        await Until.TrueAsync(() => gateway.Log.Has("is available"), "the provider is known");

        var page = await browser.GetAsync("/admin/oidc/start");

        page.Text.Should().Contain("https://gateway.example.test/admin/oidc/callback", "whoever registers it needs the address");
        gateway.Log.Has("""RedirectRejected: """).Should().BeTrue();
        gateway.Log.Has("""answered 400 invalid_request "redirect_uri is not registered" """.TrimEnd()).Should().BeTrue();
        (await gateway.StopAndReadAuditAsync())[^1].Reason.Should().Be("redirect_rejected");
    }

    [Theory]
    [InlineData("  max_age: 600", "max_age", "600")]
    [InlineData("  acr_values: [phr, phrh]", "acr_values", "phr phrh")]
    public async Task WhatIsAskedForIsInTheRequest(string more, string parameter, string value)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, more);
        using var browser = new Browser(gateway);
        await browser.BeginAsync(provider, "sam");

        QueryHelpers.ParseQuery(new Uri((await browser.GetAsync("/admin/oidc/start")).Location!).Query)[parameter].ToString().Should()
            .Be(value);
    }

    [Theory]
    [InlineData(-30, true)]
    [InlineData(-3600, false)]
    [InlineData(null, false)]
    public async Task WhoSignedInTooLongAgoIsSentBack(int? signedIn, bool isTaken)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  max_age: 600");
        using var browser = new Browser(gateway);
        provider.Misbehaviour.Payload = payload =>
        {
            if (signedIn is { } seconds)
            {
                payload["auth_time"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds;
            }
        };

        (await browser.SignInAsync(provider, "sam")).Status.Should().Be(isTaken ? 302 : 403);
    }

    [Fact]
    public async Task ChangedSettingsCountForTheNextSignIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  scope: openid");
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");

        await File.WriteAllTextAsync(
            gateway.Files.Config,
            (await File.ReadAllTextAsync(gateway.Files.Config)).Replace("scope: openid", "scope: openid groups", StringComparison.Ordinal));

        await Until.TrueAsync(
            async () =>
                (await browser.GetAsync("/admin/oidc/start")).Location?.Contains("scope=openid%20groups", StringComparison.Ordinal) is true,
            "the new scope is asked for");
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
    }

    private static Task<TestGateway> StartAsync(ProviderStandIn provider, string more) => TestGateway.StartAsync(
        more: $"oidc:\n  issuer: {provider.Issuer}\n  client_id: {ProviderStandIn.ClientId}\n{more}\nbootstrap: {{owner: "
            + $"'proxy:alice'}}", server: "  trusted_proxies: [127.0.0.1]");

    private static (string Private, string Public) MakeKey(string kind)
    {
        if (kind == "RSA")
        {
            using var rsa = RSA.Create(2048);
            return (rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportRSAPublicKeyPem());
        }

        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (curve.ExportPkcs8PrivateKeyPem(), curve.ExportSubjectPublicKeyInfoPem());
    }
}
