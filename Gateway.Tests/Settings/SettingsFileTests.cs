using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Settings;

public sealed partial class SettingsFileTests
{
    private const string Least = "headscale: {url: http://127.0.0.1:8080, api_key: k}\n";

    private static readonly string _headplane = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", "headplane-config.yaml"));

    [Fact]
    public void AHeadplaneConfigurationStartsTheGateway()
    {
        var (settings, problems, _) = Some.Settings(_headplane);

        problems.Errors.Should().BeEmpty();
        settings!.Headscale.Url.AbsoluteUri.Should().Be("http://127.0.0.1:8080/");
        settings.Server.ProxyAuth!.IpHeader.Should().Be("X-Forwarded-For");
        settings.Oidc!.DefaultRole.Should().Be("viewer");
        settings.Headscale.OidcIssuer.Should().Be("https://auth.example.com/");
    }

    [Fact]
    public void KeysOfTheUserInterfaceAreNamedOnceAsNotUsed()
    {
        var warnings = Some.Settings(_headplane).Problems.Warnings;

        foreach (var key in (string[])["integration", "headscale.config_path", "server.info_secret", "server.cookie_secret"])
        {
            warnings.Should()
                .ContainSingle(warning => warning.Contains($": {key}: accepted and not used by the gateway (", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void NoSecretIsInAnyMessage()
    {
        var problems = Some.Settings(_headplane.Replace("enabled: true", "enabled: maybe", StringComparison.Ordinal)).Problems;

        problems.Errors.Concat(problems.Warnings).Should().NotContain(line =>
            line.Contains("abcdefg", StringComparison.Ordinal) || line.Contains("a-client-secret", StringComparison.Ordinal)
                || line.Contains("1234567890", StringComparison.Ordinal));
        new Secret("x").ToString().Should().Be("***");
        Some.Settings(_headplane).Settings!.ToString().Should().NotContain("abcdefg");
    }

    [Theory]
    [InlineData("headscale: {url: http://h}\nserver: {prot: 1}", "headtower.yaml:2:10: server.prot: there is no such key; did you mean "
        + "'port'?")]
    [InlineData("server: {port: 3000}", "headscale.url: missing")]
    [InlineData("headscale: {url: 'ftp://x'}", "headtower.yaml:1:13: headscale.url: this must be an address")]
    [InlineData("headscale: {url: 'localhost:8080'}", "headscale.url: this must be an address")]
    [InlineData("headscale: {url: 'http://h/sub'}", "lives at the root of its host")]
    [InlineData(Least + "server: {port: 70000}", "server.port: this must be a whole number from 0 to 65535")]
    [InlineData(Least + "server: {port: 0x50}", "server.port: this must be a whole number")]
    [InlineData(Least + "server: {host: localhost}", "server.host: this must be an IP address")]
    [InlineData(Least + "server: {listen: ['http://localhost:3000']}", "is not of the form")]
    [InlineData(Least + "server: {listen: ['https://0.0.0.0:3000']}", "needs tls_cert_path and tls_key_path")]
    [InlineData(Least + "server: {tls_cert_path: /nowhere/cert.pem}", "certificate and key are needed together")]
    [InlineData(Least + "server: {base_path: /api}", "belongs to Headscale")]
    [InlineData(Least + "server: {base_path: admin}", "this must be a path such as /admin")]
    [InlineData(Least + "server: {trusted_proxies: [0.0.0.0/0]}", "set dangerously_trust_everyone: true")]
    [InlineData(Least + "server: {trusted_proxies: ['10.0.0.0/']}", "is not a network")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, allowed_cidrs: ['::/0']}}", "set dangerously_trust_everyone: true")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, trusted_proxy_cidrs: [nginx]}}", "is not a network")]
    [InlineData(Least + "server: {proxy_auth: {allowed_cidrs: [10.0.0.1]}}", "enabled: missing")]
    [InlineData(Least + "server: {proxy_auth: {enabled: sure}}", "this must be true or false")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, user_header: 'Remote User'}}", "is not the name of a header")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, user_header: Authorization}}", "already has a meaning")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, email_header: remote-user}}", "is given two meanings")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, role_map: {a: admin}}}", "needs groups_header")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, issuer: https://id}}", "needs subject_header")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, shared_secret_header: X-Secret}}", "are needed together")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, ip_header_mode: last}}", "this must be rightmost or first")]
    [InlineData("headscale: {url: http://h}\nserver: {proxy_auth: {enabled: true}}", "proxy_auth needs headscale.socket or")]
    [InlineData(Least + "oidc: {issuer: https://id, client_id: c, client_secret: s}", "OIDC needs server.base_url")]
    [InlineData("headscale: {url: http://h}\nserver: {base_url: https://g}\noidc: {issuer: https://id, client_id: c, "
        + "client_secret: s}", "OIDC needs headscale.socket or headscale.api_key")]
    [InlineData(Least + "oidc: {enabled: false}", "the section oidc needs issuer")]
    [InlineData(Least + "oidc: {enabled: false, issuer: https://id, client_id: c, client_secret: s, extra_params: "
        + "{state: x}}", "belongs to the protocol")]
    [InlineData(Least + "bootstrap: {owner: alice}", "this must be proxy:NAME, oidc:ISSUER#SUBJECT or email:ADDRESS")]
    [InlineData(Least + "store: {kind: mysql}", "must be sqlite, litedb or postgres")]
    [InlineData(Least + "audit: {retention_days: 0}", "from 1 to 36500")]
    [InlineData(Least + "onboarding: {self_claim: always}", "approval, off or open")]
    [InlineData("headscale: {url: http://h, api_key: k, api_key_path: /k}", "give only one of the two")]
    [InlineData("headscale: {url: http://h, api_key_path: '/nowhere/key'}", "cannot read /nowhere/key")]
    [InlineData("headscale: {url: http://h, api_key_path: '${NOT_SET}/key'}", "the environment variable NOT_SET is not set")]
    [InlineData(Least + "server: {proxy_auth: {enabled: true, allowed_cidrs: [10.0.0.0/8], shared_secret_header: X-S, shared_secret: "
        + "'${SECRET}'}}", "shared_secret: variables are put in only in the paths of files")]
    [InlineData(Least + "store: {encryption_key: changeme}", "encryption_key: this is a placeholder, which anybody can guess")]
    [InlineData(Least + "oidc: {issuer: 'https://id', client_id: c, client_secret: <secret>}", "client_secret: this is a placeholder")]
    [InlineData("headscale: {url: http://h, base_domain: 'https://tail.example'}", "base_domain: this is Headscale's dns.base_domain")]
    [InlineData("headscale: {url: http://h, tls_ca_path: /nowhere/ca.pem}", "tls_ca_path: cannot read /nowhere/ca.pem")]
    [InlineData("headscale: {url: http://h}\nheadscale: {url: http://h}", "Duplicate key")]
    [InlineData("headscale: [a", "not valid YAML")]
    [InlineData("headscale:\n\turl: x", "not valid YAML")]
    [InlineData("", "the file is empty")]
    [InlineData("- a", "'key: value' lines")]
    public void AMistakeIsNamedWithItsPlaceAndAWayOut(string yaml, string words)
    {
        var (settings, problems, _) = Some.Settings(yaml);

        settings.Should().BeNull();
        problems.Errors.Should()
            .Contain(
                error => error.Contains(words, StringComparison.Ordinal) && error.StartsWith("headtower.yaml", StringComparison.Ordinal));
    }

    [Fact]
    public void AllMistakesAreReportedAtOnce()
    {
        var problems = Some.Settings("headscale: {url: nonsense}\nserver: {port: x, host: y, trusted_proxies: [z]}\nunknown: 1").Problems;

        problems.Errors.Count.Should().Be(5);
    }

    [Fact]
    public void TheEnvironmentOverridesTheFileAndIsTypedByTheKey()
    {
        var (settings, problems, _) = Some.Settings(
            Least, ("HEADTOWER_SERVER__PORT", "4000"), ("HEADPLANE_SERVER__TRUSTED_PROXIES", "10.0.0.1, fd00::/8"),
                ("HEADTOWER_HEADSCALE__API_KEY", "12345"), ("HEADTOWER_PORT", "tcp://10.0.0.1:80"));

        problems.Errors.Should().BeEmpty();
        settings!.Server.Listen[0].Port.Should().Be(4000);
        settings.Server.TrustedProxies.Networks.Select(one => one.ToString()).Should().Equal(["10.0.0.1/32", "fd00::/8"]);
        settings.Headscale.ApiKey!.Reveal().Should().Be("12345");
    }

    [Fact]
    public void AMistypedEnvironmentVariableIsAMistake() =>
        Some.Settings(Least, ("HEADTOWER_SERVER__BASE_ULR", "https://x")).Problems.Errors.Should()
            .Contain(
                error => error == "environment HEADTOWER_SERVER__BASE_ULR: server.base_ulr: there is no such key; did you mean "
                    + "'base_url'?");

    [Fact]
    public void ASecretFileIsReadWithItsVariableExpandedAndOneLineEndRemoved()
    {
        using var folder = Some.Folder();
        folder.File("key", "the key \n\n");

        var (settings, problems, files) = Some.Settings("headscale: {url: http://h, api_key_path: '${DIR}/key'}", ("DIR", folder.Path));

        problems.Errors.Should().BeEmpty();
        settings!.Headscale.ApiKey!.Reveal().Should().Be("the key \n");
        files.Should().Contain(Path.Combine(folder.Path, "key"));
    }

    [Fact]
    public void TheWholeWorldIsTrustedOnlyWhenItIsSaid() =>
        Some.Settings(Least + "server: {dangerously_trust_everyone: true, trusted_proxies: [0.0.0.0/0]}").Problems.Errors.Should()
            .BeEmpty();

    [Fact]
    public void ARoleThatThePolicyDoesNotHaveIsAMistake()
    {
        var problems = new Problems();
        var settings = Some.Settings(
            Least + "server: {proxy_auth: {enabled: true, groups_header: G, role_map: {a: admn, b: owner}}}").Settings!;

        Gateway.Policy.Configuration.Check(settings, Some.Table, key => key, problems);

        problems.Errors.Should()
            .Contain(error => error.Contains("there is no role 'admn'; did you mean 'admin'?", StringComparison.Ordinal));
        problems.Errors.Should().Contain(error => error.Contains("'owner' is never given by a setting", StringComparison.Ordinal));
    }

    [Fact]
    public void TheSampleConfigurationIsFineAsItStands()
    {
        var result = Some.Settings(File.ReadAllText(Sample()));

        result.Settings.Should().NotBeNull();
        result.Problems.Errors.Should().BeEmpty();
        result.Problems.Warnings.Should().BeEmpty();
    }

    [Fact]
    public void EveryCommentedLineOfTheSampleIsAKeyThatExists()
    {
        var all = CommentedSection().Replace(CommentedKey().Replace(File.ReadAllText(Sample()), "$1$2"), "$1");

        Some.Settings(all).Problems.Errors.Should().NotContain(error =>
            !error.Contains("cannot", StringComparison.Ordinal) && !error.Contains("needed together", StringComparison.Ordinal)
                && !error.Contains("OIDC needs headscale.socket or headscale.api_key", StringComparison.Ordinal));
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"^( *)#([a-z_]+:)", System.Text.RegularExpressions.RegexOptions.Multiline)]
    private static partial System.Text.RegularExpressions.Regex CommentedKey();

    /// <summary>The lines of a section that is commented as a whole.</summary>
    [System.Text.RegularExpressions.GeneratedRegex(@"^#(  [a-z_]+:)", System.Text.RegularExpressions.RegexOptions.Multiline)]
    private static partial System.Text.RegularExpressions.Regex CommentedSection();

    private static string Sample([System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "headtower.yaml"));
}
