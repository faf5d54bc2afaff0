using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A provider that is down, wrong, or slow: the gateway works on and says what is the matter.</summary>
public sealed class ProviderTroubleTests
{
    [Fact]
    public async Task AProviderThatIsDownAtTheStartIsNoticedWhenItComes()
    {
        var first = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        var port = new Uri(first.Issuer).Port;
        await using var gateway = await SignInSetup.StartAsync(first);
        await first.DisposeAsync();
        await using var down = await SignInSetup.StartAsync(first);
        using var browser = new Browser(down);

        await Until.TrueAsync(
            async () =>
                (await browser.GetAsync("/admin/login")).Text.Contains(
                    "Single sign-on is temporarily unavailable: ", StringComparison.Ordinal),
            "the page says so");
        (await browser.GetAsync("/admin/login")).Text.Should().NotContain("/admin/oidc/start");
        (await browser.GetAsync("/admin/oidc/start")).Status.Should().Be(503);
        using var byKey = down.As(null);
        byKey.DefaultRequestHeaders.Add("Authorization", $"Bearer {down.Headscale.ApiKey}");
        (await TestGateway.CallAsync(byKey, "GET", "/api/v1/node")).Status.Should().Be(200);

        await using var back = await ProviderStandIn.StartAsync(SignInSetup.Accounts, port);
        await Until.TrueAsync(
            async () => (await browser.GetAsync("/admin/login")).Text.Contains("/admin/oidc/start", StringComparison.Ordinal),
            "the button is back");
        (await browser.SignInAsync(back, "sam")).Location.Should().Be("/admin/");
    }

    [Fact]
    public async Task TroubleThatASignInFoundIsOverWhenTheProviderIsBack()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
        Misbehaving.Answer("/jwks", 500, "text/plain", "oops")(provider);
        provider.RotateKey();

        using var other = new Browser(gateway);
        (await other.SignInAsync(provider, "alice")).Status.Should().Be(502);
        (await other.GetAsync("/admin/login")).Text.Should().Contain("Single sign-on is temporarily unavailable: ").And
            .NotContain("/admin/oidc/start");
        provider.Misbehaviour.Answer = null;

        await Until.TrueAsync(
            async () => (await other.GetAsync("/admin/login")).Text.Contains("/admin/oidc/start", StringComparison.Ordinal),
            "the button is back");
        (await other.SignInAsync(provider, "alice")).Location.Should().Be("/admin/");
    }

    [Fact]
    public async Task SessionsOutliveTheirProvider()
    {
        var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        var callback = await browser.BeginAsync(provider, "sam");
        await provider.DisposeAsync();

        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);
        var page = await browser.GetAsync(callback);
        page.Status.Should().Be(503);
        page.Text.Should().Contain("cannot be reached");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);
    }

    [Theory]
    [InlineData("another name", "calls itself")]
    [InlineData("a slash too many", "with or without the slash")]
    [InlineData("garbage", "did not answer with the JSON")]
    [InlineData("500", "answered 500")]
    [InlineData("redirect", "answered 302")]
    [InlineData("no endpoints", "publishes no usable authorization_endpoint")]
    [InlineData("script endpoint", "publishes no usable token_endpoint")]
    [InlineData("no keys", "has no keys")]
    [InlineData("silent", "did not answer within 5 s")]
    public async Task TheLoginPageSaysWhatIsWrongWithTheProvider(string what, string says)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        Misbehave(provider, what);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        await Until.TrueAsync(
            async () => (await browser.GetAsync("/admin/login")).Text.Contains(says, StringComparison.Ordinal), $"the page says '{says}'");

        (await browser.GetAsync("/admin/login")).Text.Should().NotContain("/admin/oidc/start");
        gateway.Log.Has("Sign-in with the provider is unavailable").Should().BeTrue();
        var ready = JsonNode.Parse((await browser.GetAsync("/admin/readyz")).Text)!;
        ($"{ready["status"]}", ready["provider"]!["ok"]!.GetValue<bool>()).Should().Be(("ok", false));
        var check = await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config);
        check.Exit.Should().Be(1);
        check.Output.Should().Contain(says);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AProviderWithACertificateOfOnesOwnIsBelievedWhenItsCaIsNamed(bool isNamed)
    {
        using var folder = new TemporaryFolder();
        var (ca, certificate) = MakeCertificate();
        using (ca)
        using (certificate)
        {
            await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts, certificate: certificate);
            await using var gateway = await SignInSetup.StartAsync(
                provider, isNamed ? $"  tls_ca_path: {folder.File("ca.pem", ca.ExportCertificatePem())}" : "  default_role: member");

            await Until.TrueAsync(
                () => gateway.Log.Has(isNamed ? "is available; it has 1 keys" : "Sign-in with the provider is unavailable: https://"),
                "the provider is believed, or not");
        }
    }

    [Theory]
    [InlineData("token_endpoint")]
    [InlineData("jwks_uri")]
    [InlineData("userinfo_endpoint")]
    [InlineData("end_session_endpoint")]
    public async Task WhatAProviderWithTlsPublishesWithoutItIsNotUsed(string name)
    {
        using var folder = new TemporaryFolder();
        var (ca, certificate) = MakeCertificate();
        using (ca)
        using (certificate)
        {
            await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts, certificate: certificate);
            provider.Misbehaviour.Discovery = document => document[name] = "http://id.example.test/x";
            await using var gateway = await SignInSetup.StartAsync(
                provider, $"  tls_ca_path: {folder.File("ca.pem", ca.ExportCertificatePem())}");

            await Until.TrueAsync(
                () => gateway.Log.Has($"publishes {name} with http, and secrets would go unencrypted"), "the provider is not believed");
        }
    }

    [Fact]
    public async Task AWeakKeyIsTakenWhereThatIsAllowed()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.RotateKey(1024);
        await using var gateway = await SignInSetup.StartAsync(provider, "  allow_weak_rsa_keys: true");
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
    }

    private static (X509Certificate2 Ca, X509Certificate2 Server) MakeCertificate()
    {
        var (from, until) = (TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var caRequest = new CertificateRequest("CN=Test CA", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var ca = caRequest.CreateSelfSigned(from, until);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=provider", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(ca, from, until, [1, 2, 3]);
        using var withKey = signed.CopyWithPrivateKey(key);
        return (ca, X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null));
    }

    private static void Misbehave(ProviderStandIn provider, string what)
    {
        var behaviour = provider.Misbehaviour;
        switch (what)
        {
            case "another name":
                behaviour.Discovery = document => document["issuer"] = "https://other.example";
                break;
            case "a slash too many":
                behaviour.Discovery = document => document["issuer"] = document["issuer"] + "/";
                break;
            case "no endpoints":
                behaviour.Discovery = document => document.Remove("authorization_endpoint");
                break;
            case "script endpoint":
                behaviour.Discovery = document => document["token_endpoint"] = "javascript:alert(1)";
                break;
            case "no keys":
                behaviour.Keys = keys => keys["keys"] = new JsonArray();
                break;
            default:
                behaviour.Answer = context => AnswerAsync(context, what);
                break;
        }
    }

    private static async Task<bool> AnswerAsync(HttpContext context, string what)
    {
        switch (what)
        {
            case "500":
                context.Response.StatusCode = 500;
                break;
            case "redirect":
                context.Response.Redirect("http://127.0.0.1:9/");
                break;
            case "silent":
                var gone = new TaskCompletionSource();
                await using (context.RequestAborted.Register(gone.SetResult))
                {
                    await gone.Task;
                }

                break;
            default:
                await context.Response.WriteAsync("<html>garbage");
                break;
        }

        return true;
    }
}
