using Gateway.Edge;
using Gateway.Loading;
using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Settings;

/// <summary>
/// Files of neighbours, old and new: what is known depends on no other key, and what is wrong is said with a place and a way out.
/// </summary>
public sealed partial class NeighbourFilesTests
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
        problems.Warnings.Any(one => one.Contains("headscale.api_key is set and comes first", StringComparison.Ordinal)).Should()
            .Be(!old.Contains("null", StringComparison.Ordinal) && !old.Contains("''", StringComparison.Ordinal));
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
        foreach (var key in SettingDeclarations.All.Select(one => one.Key).Concat(KnownSettings.Unused.Select(one => one.Key)))
        {
            var yaml = string.Concat(key.Split('.').Select((part, depth) =>
                $"{new string(' ', depth)}{part}:{(depth == key.Count(one => one == '.') ? " null" : "")}\n"));

            Some.Settings(yaml).Problems.Errors.Should()
                .NotContain(one => one.Contains("there is no such key"), $"{key} is known whatever else is there");
        }
    }

    [Theory]
    [InlineData("oidc: {user_storage_file: /var/lib/headplane/users.json, strict_validation: true}",
        "oidc.user_storage_file", "oidc.strict_validation")]
    [InlineData("server: {agent: {authkey: x, ttl: 3, cache_path: y}}", "server.agent")]
    [InlineData("server: {database: {type: sqlite, path: x}}", "server.database")]
    [InlineData("server: {jwt_auth: {enabled: true, header: X-Goog-Iap-Jwt-Assertion, issuer: https://cloud.google.com/iap}}",
        "server.jwt_auth")]
    [InlineData("integration: {docker: {enabled: true, container_name: a, container_label: b, socket: c}, "
        + "kubernetes: {enabled: false, validate_manifest: true, pod_name: x}, proc: {enabled: true}, agent: {enabled: true, "
        + "pre_authkey: x, host_name: h, cache_ttl: 1, cache_path: p, work_dir: w, executable_path: e}}", "integration")]
    [InlineData("oidc: {only_start_if_oidc_is_available: true, strip_email_domain: true, expiry: 180d, use_expiry_from_token: false, "
        + "email_verified_required: true, map_legacy_users: false}", "oidc.only_start_if_oidc_is_available", "oidc.strip_email_domain",
        "oidc.expiry", "oidc.use_expiry_from_token", "oidc.email_verified_required", "oidc.map_legacy_users")]
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
    [InlineData("server: {oidc: {issuer: https://a}}",
        "headtower.yaml:1:10: server.oidc: there is no such key; did you mean 'oidc' at the top level? (indentation)")]
    [InlineData("server:\n  port: 1\n  headscale:\n    url: x",
        "headtower.yaml:3:3: server.headscale: there is no such key; did you mean 'headscale' at the top level? (indentation)")]
    [InlineData("integration: {docker: {enabled: true}, headscale_api_key: secret-value}",
        "headtower.yaml:1:40: integration.headscale_api_key: there is no such key; it is known as 'oidc.headscale_api_key'")]
    [InlineData("integration: {docker: {enabled: true, container_nam: x}}",
        "integration.docker.container_nam: there is no such key; did you mean 'container_name'?")]
    [InlineData("docker: {enabled: true}", "docker: there is no such key; it is known as 'integration.docker'")]
    [InlineData("proxy_auth: {enabled: true}", "proxy_auth: there is no such key; it is known as 'server.proxy_auth'")]
    [InlineData("server: {issuer: https://a}",
        "server.issuer: there is no such key; it is known as 'oidc.issuer' or 'server.jwt_auth.issuer' or 'server.proxy_auth.issuer'")]
    [InlineData("server_url: https://a", "server_url: there is no such key; it is known as 'server.base_url'")]
    [InlineData("oidc: {role_maps: {a: admin}}", "oidc.role_maps: there is no such key; did you mean 'role_map'?")]
    [InlineData("server.base_url: https://a",
        "headtower.yaml:1:1: server.base_url: there is no such key; write it nested: server: {base_url: …}")]
    [InlineData("server: {proxy_auth.enabled: true}",
        "server.proxy_auth.enabled: there is no such key; write it nested: proxy_auth: {enabled: …}")]
    [InlineData("derp: {server: {enabled: true}}", "derp: there is no such key")]
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
        var file = folder.File("lan.yaml", Least + "oidc:\n  issuer: https://a.example\n  client_id: x\n  client_secret: y\n  scope: "
            + "profile email\n  default_role: owner\nserver:\n  base_url: https://h.example.test\n  proxy_auth: {enabled: true, "
            + "groups_header: G, role_map: {a: admn}}\nunknown: 1");

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
        var yaml = "headscale: {url: nonsense, api_key_path: /nowhere/key}\n"
            + "server: {base_url: nonsense, proxy_auth: {enabled: true}}\n" + Oidc;
        Some.Settings(yaml).Problems.Errors.Should().SatisfyRespectively(
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
        problems.Warnings.Should().ContainSingle().Which.Should().EndWith(
            "oidc.redirect_uri: server.base_url is not set and was taken from here; write server.base_url: https://hs.example.com");
    }

    [Theory]
    [InlineData(Least + Oidc + "  redirect_uri: https://hs.example.com/other/callback",
        "write server.base_url: https://hs.example.com, and register https://hs.example.com/admin/oidc/callback at the provider")]
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
            .Any(one => one.Contains("not used: people come back to https://h.example.test/admin/oidc/callback", StringComparison.Ordinal))
            .Should().Be(isWarned);
}
