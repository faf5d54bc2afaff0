using System.Security.Cryptography;
using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Settings;

/// <summary>Files of neighbours, old and new: what is known depends on no other key, and what is wrong is said with a place and a way out.</summary>
public sealed class NeighbourFilesTests
{
    private const string Least = "headscale: {url: http://127.0.0.1:8080, api_key: k}\n";
    private const string Server = "server: {base_url: https://h.example.test}\n";
    private const string Key = "hskey-api-abcdefghijkl-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Oidc = "oidc:\n  issuer: https://a.example\n  client_id: x\n  client_secret: y\n";

    [Theory]
    [InlineData("  headscale_api_key: hskey-api-old", "new")]
    [InlineData("  headscale_api_key: null", "new")]
    [InlineData("  headscale_api_key: ''", "new")]
    [InlineData("  headscale_api_key_path: /nowhere/old", "new")]
    public void TheOldPlaceOfTheKeyBesideTheNewOneIsNamedAndNotUsed(string old, string used)
    {
        var (settings, problems, _) = Some.Settings($"headscale: {{url: 'http://h:8080', api_key: new}}\n{Server}{Oidc}{old}");

        problems.Errors.Should().BeEmpty();
        settings!.Headscale.ApiKey!.Reveal().Should().Be(used);
        problems.Warnings.Any(one => one.Contains("headscale.api_key is set and comes first", StringComparison.Ordinal)).Should().Be(!old.Contains("null", StringComparison.Ordinal) && !old.Contains("''", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("headscale: {url: 'http://h:8080', api_key: ''}")]
    [InlineData("headscale: {url: 'http://h:8080', api_key: null}")]
    [InlineData("headscale: {url: 'http://h:8080'}")]
    public void TheOldPlaceOfTheKeyCountsWhereTheNewOneSaysNothing(string headscale)
    {
        var (settings, problems, _) = Some.Settings($"{headscale}\n{Server}{Oidc}  headscale_api_key: old");

        problems.Errors.Should().BeEmpty();
        settings!.Headscale.ApiKey!.Reveal().Should().Be("old");
    }

    [Fact]
    public void EverySettingOfThisAndEveryOtherReleaseIsKnownAloneAndBesideEveryOther()
    {
        foreach (var key in Reference.All.Select(one => one.Key).Concat(KnownSettings.Unused.Select(one => one.Key)))
        {
            var yaml = string.Concat(key.Split('.').Select((part, depth) => $"{new string(' ', depth)}{part}:{(depth == key.Count(one => one == '.') ? " null" : "")}\n"));

            Some.Settings(yaml).Problems.Errors.Should().NotContain(one => one.Contains("there is no such key"), $"{key} is known whatever else is there");
        }
    }

    [Theory]
    [InlineData("oidc: {user_storage_file: /var/lib/headplane/users.json, strict_validation: true}", "oidc.user_storage_file", "oidc.strict_validation")]
    [InlineData("server: {agent: {authkey: x, ttl: 3, cache_path: y}}", "server.agent")]
    [InlineData("server: {database: {type: sqlite, path: x}}", "server.database")]
    [InlineData("server: {jwt_auth: {enabled: true, header: X-Goog-Iap-Jwt-Assertion, issuer: https://cloud.google.com/iap}}", "server.jwt_auth")]
    [InlineData("integration: {docker: {enabled: true, container_name: a, container_label: b, socket: c}, kubernetes: {enabled: false, validate_manifest: true, pod_name: x}, proc: {enabled: true}, agent: {enabled: true, pre_authkey: x, host_name: h, cache_ttl: 1, cache_path: p, work_dir: w, executable_path: e}}", "integration")]
    [InlineData("oidc: {only_start_if_oidc_is_available: true, strip_email_domain: true, expiry: 180d, use_expiry_from_token: false, email_verified_required: true, map_legacy_users: false}", "oidc.only_start_if_oidc_is_available", "oidc.strip_email_domain", "oidc.expiry", "oidc.use_expiry_from_token", "oidc.email_verified_required", "oidc.map_legacy_users")]
    [InlineData("debug: null", "debug")]
    public void WhatIsNotUsedIsNamedOnce(string yaml, params string[] keys)
    {
        var problems = Some.Settings(yaml).Problems;

        problems.Errors.Should().NotContain(one => one.Contains("there is no such key"));
        foreach (var key in keys)
        {
            problems.Warnings.Should().ContainSingle(one => one.Contains($": {key}: accepted and not used by the gateway ("));
        }
    }

    [Theory]
    [InlineData("server: {oidc: {issuer: https://a}}", "headtower.yaml:1:10: server.oidc: there is no such key; did you mean 'oidc' at the top level? (indentation)")]
    [InlineData("server:\n  port: 1\n  headscale:\n    url: x", "headtower.yaml:3:3: server.headscale: there is no such key; did you mean 'headscale' at the top level? (indentation)")]
    [InlineData("integration: {docker: {enabled: true}, headscale_api_key: secret-value}", "headtower.yaml:1:40: integration.headscale_api_key: there is no such key; it is known as 'oidc.headscale_api_key'")]
    [InlineData("integration: {docker: {enabled: true, container_nam: x}}", "integration.docker.container_nam: there is no such key; did you mean 'container_name'?")]
    [InlineData("docker: {enabled: true}", "docker: there is no such key; it is known as 'integration.docker'")]
    [InlineData("proxy_auth: {enabled: true}", "proxy_auth: there is no such key; it is known as 'server.proxy_auth'")]
    [InlineData("server: {issuer: https://a}", "server.issuer: there is no such key; it is known as 'oidc.issuer' or 'server.jwt_auth.issuer' or 'server.proxy_auth.issuer'")]
    [InlineData("server_url: https://a", "server_url: there is no such key; it is known as 'server.base_url'")]
    [InlineData("oidc: {role_maps: {a: admin}}", "oidc.role_maps: there is no such key; did you mean 'role_map'?")]
    [InlineData("server.base_url: https://a", "headtower.yaml:1:1: server.base_url: there is no such key; write it nested: server: {base_url: …}")]
    [InlineData("server: {proxy_auth.enabled: true}", "server.proxy_auth.enabled: there is no such key; write it nested: proxy_auth: {enabled: …}")]
    [InlineData("log: {level: info}", "log: there is no such key")]
    public void AKeyInTheWrongPlaceIsToldWhereItBelongs(string yaml, string error)
    {
        var problems = Some.Settings(yaml).Problems;

        problems.Errors.Should().Contain(one => one.EndsWith(error, StringComparison.Ordinal));
        problems.Errors.Should().NotContain(one => one.Contains("secret-value"));
    }

    [Fact]
    public void AllMistakesComeAtOnceInTheOrderOfTheFileEachWithItsPlace()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("lan.yaml", Least + "oidc:\n  issuer: https://a.example\n  client_id: x\n  client_secret: y\n  scope: profile email\n  default_role: owner\nserver:\n  base_url: https://h.example.test\n  proxy_auth: {enabled: true, groups_header: G, role_map: {a: admn}}\nunknown: 1");

        var problems = new ConfigurationFiles(file, null, Some.NoEnvironment).Load().Problems;

        problems.Errors.Select(one => one.Replace(file + ":", "", StringComparison.Ordinal)).Should().Equal(
            "6:3: oidc.scope: it must contain openid: without it, the provider sends no identity",
            "7:3: oidc.default_role: 'owner' is never given by a setting; use bootstrap.owner, or transfer ownership",
            "10:60: server.proxy_auth.role_map.a: there is no role 'admn'; did you mean 'admin'?",
            "11:1: unknown: there is no such key");
    }

    [Fact]
    public void OneMistakeMakesNoNoise()
    {
        Some.Settings("headscale: {url: nonsense, api_key_path: /nowhere/key}\nserver: {base_url: nonsense, proxy_auth: {enabled: true}}\n" + Oidc).Problems.Errors.Should().SatisfyRespectively(
            one => one.Should().Contain("headscale.url: this must be an address"),
            one => one.Should().Contain("headscale.api_key_path: cannot read /nowhere/key"),
            one => one.Should().Contain("server.base_url: this must be an address"));
    }

    [Fact]
    public void ARedirectAddressStandsInForAMissingBaseUrl()
    {
        var (settings, problems, _) = Some.Settings(Least + Oidc + "  redirect_uri: https://hs.example.com/admin/oidc/callback");

        problems.Errors.Should().BeEmpty();
        settings!.Server.BaseUrl.Should().Be(new Uri("https://hs.example.com"));
        problems.Warnings.Should().ContainSingle().Which.Should().EndWith("oidc.redirect_uri: server.base_url is not set and was taken from here; write server.base_url: https://hs.example.com");
    }

    [Theory]
    [InlineData(Least + Oidc + "  redirect_uri: https://hs.example.com/other/callback", "write server.base_url: https://hs.example.com, and register https://hs.example.com/admin/oidc/callback at the provider")]
    [InlineData(Least + Oidc, "oidc: OIDC needs server.base_url")]
    public void WithoutBothTheRemedyIsSaidAndNoKeyThatTheFileDoesNotHave(string yaml, string error)
    {
        var errors = Some.Settings(yaml).Problems.Errors;

        errors.Should().Contain(one => one.Contains(error)).And.NotContain(one => one.Contains("oidc.enabled"));
    }

    [Theory]
    [InlineData("https://h.example.test/admin/oidc/callback", false)]
    [InlineData("https://h.example.test/oidc/callback", true)]
    [InlineData("https://other.example.test/admin/oidc/callback", true)]
    public void ARedirectAddressThatDiffersIsWarnedOf(string redirect, bool isWarned) =>
        Some.Settings(Least + Server + Oidc + $"  redirect_uri: {redirect}").Problems.Warnings
            .Any(one => one.Contains("not used: people come back to https://h.example.test/admin/oidc/callback", StringComparison.Ordinal)).Should().Be(isWarned);

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
        problems.Warnings.Should().SayOnly(warning).And.NotContain(one => one.Contains("hunter2") || one.Contains("0123456789"), "the key is a secret");
    }

    [Theory]
    [InlineData("headscale: {url: 'http://127.0.0.1:3000', api_key: k}\nserver: {host: 0.0.0.0, port: 3000}", "this is the gateway's own address", true)]
    [InlineData("headscale: {url: 'http://localhost:3000', api_key: k}\nserver: {listen: ['http://[::1]:3000']}", "this is the gateway's own address", true)]
    [InlineData("headscale: {url: 'https://hs.example.test', api_key: k}\nserver: {base_url: https://hs.example.test}", "the gateway's own public address", false)]
    [InlineData("headscale: {url: 'http://h', api_key: k}\nserver: {base_url: http://hs.example.test}", "the session cookie is for https alone", false)]
    [InlineData(Least + Server + "oidc: {issuer: https://a/.well-known/openid-configuration, client_id: x, client_secret: y}", "this is the address of the provider's discovery document", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: y, authorization_endpoint: https://a/auth, token_endpoint: https://a/token}", "needs oidc.jwks_uri as well", false)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, token_endpoint_auth_method: none, use_pkce: false}", "protected by PKCE alone", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, token_endpoint_auth_method: private_key_jwt}", "client_key_path: missing", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: ''}", "client_secret: missing", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: y, use_pkce: true, pkce: {enabled: false}}", "says the opposite", true)]
    [InlineData(Least + Server + "oidc: {issuer: https://a, client_id: x, client_secret: y, pkce: {enabled: true, method: plain}}", "S256 is used, whatever is written here", false)]
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
    public void BothFormsOfPkceCount(string more, bool expected) => Some.Settings(Least + Server + Oidc + more).Settings!.Oidc!.UsePkce.Should().Be(expected);

    [Fact]
    public void AnEmptyListNamesNobodyAndSaysSo()
    {
        var (settings, problems, _) = Some.Settings(Least + "server: {proxy_auth: {enabled: true, trusted_proxy_cidrs: [], allowed_cidrs: [127.0.0.0/8]}}");

        settings!.Server.ProxyAuth!.TrustedProxyCidrs!.Networks.Should().BeEmpty("an empty list is a list of nobody, and not no list");
        problems.Warnings.Should().ContainSingle().Which.Should().Contain("trusted_proxy_cidrs: an empty list names nobody");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void AnEmptyVariableTakesNothingAway(string value) =>
        Some.Settings(Least + "server: {proxy_auth: {enabled: true, trusted_proxy_cidrs: [10.0.0.1]}}", ("HEADTOWER_SERVER__PROXY_AUTH__TRUSTED_PROXY_CIDRS", value))
            .Settings!.Server.ProxyAuth!.TrustedProxyCidrs!.Networks.Should().ContainSingle();

    [Theory]
    [InlineData("", "of headscale", "of headscale")]
    [InlineData("  client_secret: own", "of headscale", "own")]
    public void HeadscalesOwnVariableGivesTheSecretWhereNothingElseDoes(string more, string variable, string expected) =>
        Some.Settings(Least + Server + "oidc:\n  issuer: https://a.example\n  client_id: x\n" + more, ("HEADSCALE_OIDC_CLIENT_SECRET", variable)).Settings!.Oidc!.ClientSecret!.Reveal().Should().Be(expected);

    [Fact]
    public void VariablesOfTheOtherProductAreNamedAndThoseOfKubernetesAreNot() =>
        Some.Settings(Least, ("HEADTOWER_SESSION_SECRET", "x"), ("HEADTOWER_PORT", "tcp://10.0.0.1:80"), ("HEADTOWER_SERVICE_HOST", "10.0.0.1"))
            .Problems.Warnings.Should().ContainSingle().Which.Should().StartWith("environment HEADTOWER_SESSION_SECRET: this is a variable of another product");

    [Theory]
    [InlineData("allowed_domains")]
    [InlineData("allowed_groups")]
    [InlineData("allowed_users")]
    public void AnEmptyListOfThoseWhoMaySignInIsWarnedOf(string key) =>
        Some.Settings(Least + Server + Oidc + $"  {key}: []").Problems.Warnings.Should().ContainSingle().Which.Should().Contain($"oidc.{key}: an empty list allows everybody");

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
        var file = folder.File("key.pem", kind == "public" ? rsa.ExportSubjectPublicKeyInfoPem() : kind == "short" ? rsa.ExportPkcs8PrivateKeyPem() : curve.ExportPkcs8PrivateKeyPem());

        Some.Settings(Least + Server + $"oidc: {{issuer: https://a, client_id: x, token_endpoint_auth_method: private_key_jwt, client_key_path: {file}}}").Problems.Errors.Should().SayOnly(complaint);
    }

    [Theory]
    [InlineData("http://192.168.1.5:3000", "192.168.1.5", true)]
    [InlineData("http://127.0.0.1:3000", "192.168.1.5", false)]
    [InlineData("http://127.0.0.2:3000", "127.0.0.1", false)]
    [InlineData("http://127.0.0.2:3000", "0.0.0.0", true)]
    [InlineData("http://[::1]:3000", "127.0.0.1", false)]
    public void OnlyTheGatewaysOwnAddressIsItsOwn(string headscale, string host, bool isOwn) =>
        Some.Settings($"headscale: {{url: '{headscale}', api_key: k}}\nserver: {{host: {host}, port: 3000}}").Problems.Errors.Any(one => one.Contains("this is the gateway's own address", StringComparison.Ordinal)).Should().Be(isOwn);

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
