using System.Security.Cryptography;
using Gateway.Edge;
using Gateway.Loading;
using Gateway.Tests.Support;

namespace Gateway.Tests.Settings;

/// <summary>Values that are known to be wrong, and keys in two forms.</summary>
public sealed partial class NeighbourFilesTests
{
    [Theory]
    [InlineData("<your-headscale-api-key>", "it is a placeholder")]
    [InlineData("${HEADSCALE_API_KEY}", "variables are put in only in headscale.api_key_path")]
    [InlineData("Bearer " + Key, "leave out 'Bearer'")]
    [InlineData(Key + " ", "it begins or ends with a blank")]
    [InlineData("hunter2", "it must be hskey-api-")]
    [InlineData(Key, null)]
    [InlineData("abcdefg.0123456789abcdef0123456789abcdef", null)]
    public void AKeyThatCannotBeOneIsWarnedOfWithoutAWordOfIt(string key, string? warning)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("headtower.yaml", $"headscale: {{url: 'http://127.0.0.1:8080', api_key: '{key}'}}");

        var problems = new ConfigurationFiles(file, null, Some.NoEnvironment).Load().Problems;

        problems.Errors.Should().BeEmpty("a start must not fail for a form that a later Headscale may change");
        problems.Warnings.Should().SayOnly(warning)
            .And.NotContain(one => one.Contains("hunter2") || one.Contains("0123456789"), "the key is a secret");
    }

    [Theory]
    [InlineData("headscale: {url: 'http://127.0.0.1:3000', api_key: k}\nserver: {host: 0.0.0.0, port: 3000}",
        "this is the gateway's own address", true)]
    [InlineData("headscale: {url: 'http://localhost:3000', api_key: k}\nserver: {listen: ['http://[::1]:3000']}",
        "this is the gateway's own address", true)]
    [InlineData("headscale: {url: 'https://hs.example.test', api_key: k}\nserver: {base_url: https://hs.example.test}",
        "the gateway's own public address", false)]
    [InlineData("headscale: {url: 'http://h', api_key: k}\nserver: {base_url: http://hs.example.test}",
        "the session cookie is for https alone", false)]
    [InlineData(Least + Server + "oidc: {issuer: https://a/.well-known/openid-configuration, client_id: x, client_secret: y}",
        "this is the address of the provider's discovery document", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: y, authorization_endpoint: https://a/auth, "
        + "token_endpoint: https://a/token}", "needs oidc.jwks_uri as well", false)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, token_endpoint_auth_method: none, use_pkce: false}",
        "protected by PKCE alone", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, token_endpoint_auth_method: private_key_jwt}",
        "client_key_path: missing", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: ''}", "client_secret: missing", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: y, use_pkce: true, pkce: {enabled: false}}",
        "says the opposite", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: y, pkce: {enabled: true, method: plain}}",
        "S256 is used, whatever is written here", false)]
    public void ValuesThatAreKnownToBeWrongAreFound(string yaml, string words, bool isError)
    {
        var problems = Some.Settings(yaml).Problems;

        (isError ? problems.Errors : problems.Warnings).Should().Contain(one => one.Contains(words));
        problems.Errors.Any().Should().Be(isError);
    }

    [Theory]
    [InlineData("  pkce: {enabled: true, method: S256}", true)]
    [InlineData("  pkce: {enabled: false, method: S256}", false)]
    [InlineData("  use_pkce: false", false)]
    [InlineData("  use_pkce: true\n  pkce: {enabled: true}", true)]
    [InlineData("", true)]
    public void BothFormsOfPkceCount(string more, bool expected) =>
        Some.Settings(Least + Server + Oidc + more).Settings!.Oidc!.UsePkce.Should().Be(expected);

    [Fact]
    public void AnEmptyListNamesNobodyAndSaysSo()
    {
        var (settings, problems, _) = Some.Settings(
            Least + "server: {proxy_auth: {enabled: true, trusted_proxy_cidrs: [], allowed_cidrs: [127.0.0.0/8]}}");

        settings!.Server.ProxyAuth!.TrustedProxyCidrs!.Networks.Should().BeEmpty("an empty list is a list of nobody, and not no list");
        problems.Warnings.Should().ContainSingle().Which.Should().Contain("trusted_proxy_cidrs: an empty list names nobody");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void AnEmptyVariableTakesNothingAway(string value) =>
        Some.Settings(
            Least + "server: {proxy_auth: {enabled: true, trusted_proxy_cidrs: [10.0.0.1]}}",
            ("HEADTOWER_SERVER__PROXY_AUTH__TRUSTED_PROXY_CIDRS", value))
            .Settings!.Server.ProxyAuth!.TrustedProxyCidrs!.Networks.Should().ContainSingle();

    [Theory]
    [InlineData("", "of headscale", "of headscale")]
    [InlineData("  client_secret: own", "of headscale", "own")]
    public void HeadscalesOwnVariableGivesTheSecretWhereNothingElseDoes(string more, string variable, string expected) =>
        Some.Settings(
            Least + Server + "oidc:\n  issuer: https://a.example\n  client_id: x\n" + more, ("HEADSCALE_OIDC_CLIENT_SECRET", variable))
            .Settings!.Oidc!.ClientSecret!.Reveal().Should().Be(expected);

    [Fact]
    public void VariablesOfTheOtherProductAreNamedAndThoseOfKubernetesAreNot() =>
        Some.Settings(
            Least, ("HEADTOWER_SESSION_SECRET", "x"), ("HEADTOWER_PORT", "tcp://10.0.0.1:80"), ("HEADTOWER_SERVICE_HOST", "10.0.0.1"))
            .Problems.Warnings.Should().ContainSingle()
            .Which.Should().StartWith("environment HEADTOWER_SESSION_SECRET: this is a variable of another product");

    [Theory]
    [InlineData("allowed_domains")]
    [InlineData("allowed_groups")]
    [InlineData("allowed_users")]
    public void AnEmptyListOfThoseWhoMaySignInIsWarnedOf(string key) =>
        Some.Settings(Least + Server + Oidc + $"  {key}: []").Problems.Warnings.Should().ContainSingle()
            .Which.Should().Contain($"oidc.{key}: an empty list allows everybody");

    [Theory]
    [InlineData("client_secret_path", "Zx9/very-secret+value==")]
    [InlineData("client_secret_path", "hunter2hunter2")]
    [InlineData("tls_ca_path", "hunter2hunter2")]
    public void ASecretInThePlaceOfItsFileIsNotRepeated(string key, string secret) =>
        Some.Settings(Least + Server + $"oidc: {{issuer: https://a.example, client_id: x, {key}: {secret}}}").Problems.Errors.Should()
            .Contain(one => one.Contains($"oidc.{key}: there is no file of this name")).And.NotContain(one => one.Contains(secret));

    [Fact]
    public void WhatAVariableHoldsIsNotRepeatedWhereItIsPartOfAPath() =>
        Some.Settings("headscale: {url: http://h, api_key_path: '${FOLDER}/key'}", ("FOLDER", "/hunter2")).Problems.Errors.Should()
            .ContainSingle().Which.Should().Contain("cannot read ${FOLDER}/key: it is not there").And.NotContain("hunter2");

    [Theory]
    [InlineData("public", "there is no private key in PEM in it")]
    [InlineData("short", "its RSA key has 1024 bits, and needs 2048")]
    [InlineData("curve", null)]
    public void AKeyThatCannotSignIsFoundBeforeTheStart(string kind, string? complaint)
    {
        using var folder = new TemporaryFolder();
        using var rsa = RSA.Create(kind == "short" ? 1024 : 2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var file = folder.File("key.pem", kind == "public" ? rsa.ExportSubjectPublicKeyInfoPem()
            : kind == "short" ? rsa.ExportPkcs8PrivateKeyPem() : curve.ExportPkcs8PrivateKeyPem());

        Some.Settings(
            Least + Server
            + $"oidc: {{issuer: https://a, client_id: x, token_endpoint_auth_method: private_key_jwt, client_key_path: {file}}}")
            .Problems.Errors.Should().SayOnly(complaint);
    }

    [Theory]
    [InlineData("http://192.168.1.5:3000", "192.168.1.5", true)]
    [InlineData("http://127.0.0.1:3000", "192.168.1.5", false)]
    [InlineData("http://127.0.0.2:3000", "127.0.0.1", false)]
    [InlineData("http://127.0.0.2:3000", "0.0.0.0", true)]
    [InlineData("http://[::1]:3000", "127.0.0.1", false)]
    public void OnlyTheGatewaysOwnAddressIsItsOwn(string headscale, string host, bool isOwn) =>
        Some.Settings($"headscale: {{url: '{headscale}', api_key: k}}\nserver: {{host: {host}, port: 3000}}").Problems.Errors
            .Any(one => one.Contains("this is the gateway's own address", StringComparison.Ordinal)).Should().Be(isOwn);

    [Theory]
    [InlineData("not a pem", "there is no certificate in PEM in it")]
    [InlineData("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----", "there is no certificate in PEM in it")]
    public void AFileWithoutACertificateIsFoundBeforeTheStart(string text, string words)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("cert.pem", text);

        Some.Settings(Least + $"server: {{tls_cert_path: {file}, tls_key_path: {file}}}").Problems.Errors.Should()
            .Contain(one => one.Contains("server.tls_cert_path") && one.Contains(words))
            .And.Contain(one => one.Contains("server.tls_key_path") && one.Contains("there is no private key in PEM in it"));
    }
}
