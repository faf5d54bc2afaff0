using Gateway.Cli;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>From a few answers to settings that work.</summary>
public sealed class InitTests
{
    public static TheoryData<string> Choices => [.. InitFiles.Choices];

    [Theory]
    [MemberData(nameof(Choices))]
    public async Task WhatItWritesPassesTheOnlineCheck(string choice)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var provider = await ProviderStandIn.StartAsync([]);
        using var folder = new TemporaryFolder();
        var (front, signIn) = (choice.Split('/')[0], choice.Split('/')[1]);

        var (certificate, key) = WriteCertificate(folder);
        var result = await InitAsync(
            folder, headscale.ApiKey, "--tls-cert", certificate, "--tls-key", key, "--headscale",
            headscale.Url.GetLeftPart(UriPartial.Authority), "--front", front, "--sign-in", signIn, "--issuer", provider.Issuer);

        (result.Exit == 0).Should().BeTrue(result.Error);
        if (signIn == "oidc")
        {
            folder.File("out/client-secret", ProviderStandIn.ClientSecret);
        }

        var check = await Verb.RunAsync("check", "--online", "--config", Path.Combine(folder.Path, "out", "headtower.yaml"));
        (check.Exit == 0).Should().BeTrue(check.Output + check.Error);
        var files = Directory.GetFiles(Path.Combine(folder.Path, "out"), "*", SearchOption.AllDirectories);
        files.Where(one => File.ReadAllText(one).Contains(headscale.ApiKey, StringComparison.Ordinal)).Select(Path.GetFileName).Should()
            .Equal(["headscale-api-key"]);
        files.Should()
            .NotContain(
                one => one.Contains("/front/", StringComparison.Ordinal) && File.ReadAllText(one)
                    .Contains("headscale.example.com", StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Path.Combine(folder.Path, "out", "headscale-api-key")).Should()
                .Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task HeadscaleItsKeyAndTheProviderAreTriedOnTheSpot()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var provider = await ProviderStandIn.StartAsync([]);
        using var folder = new TemporaryFolder();
        string[] given = ["--front", "nginx", "--sign-in", "oidc", "--force"];

        var fine = await InitAsync(
            folder, headscale.ApiKey, [.. given, "--headscale", headscale.Url.Authority, "--issuer", provider.Issuer]);
        var wrongKey = await InitAsync(
            folder, $"hskey-api-abcdefghijkl-{new string('a', 64)}",
            [.. given, "--headscale", headscale.Url.Authority, "--issuer", headscale.Url.GetLeftPart(UriPartial.Authority)]);
        var offline = await InitAsync(
            folder, headscale.ApiKey, [.. given, "--headscale", "127.0.0.1:9", "--issuer", provider.Issuer, "--offline"]);

        fine.Output.Should().Contain("Headscale 0.29 answers; the API key is valid until").And
            .Contain($"the provider {provider.Issuer} is there")
            .And.NotContain("NOT YET");
        wrongKey.Output.Should().Contain("NOT YET").And.Contain("headscale.api_key").And.Contain("oidc");
        wrongKey.Exit.Should().Be(0, "the files are written, and may be right tomorrow");
        offline.Output.Should().NotContain("Tried now");
    }

    [Fact]
    public async Task InstallPutsTheUnitsInPlaceForThisProgramAndItsSecrets()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();

        var result = await InitAsync(
            folder, headscale.ApiKey, "--install", "--root", folder.Path, "--headscale", headscale.Url.Authority, "--front", "nginx",
            "--sign-in", "oidc", "--issuer", "http://127.0.0.1:9", "--listen", "127.0.0.1:3100", "--offline");

        result.Exit.Should().Be(0, result.Error);
        var units = Path.Combine(folder.Path, "etc", "systemd", "system");
        var (service, output) = (await File.ReadAllTextAsync(Path.Combine(units, "headtower.service")), Path.Combine(folder.Path, "out"));
        service.Should().MatchRegex("ExecStart=/.*gateway(.dll)? serve\n").And.NotContain("/usr/bin/gateway ");
        (await File.ReadAllTextAsync(Path.Combine(units, "headtower.service.d", "init.conf"))).Should()
            .Contain("[Service]\n").And.Contain("SupplementaryGroups=\n")
            .And.Contain($"LoadCredential=headscale-api-key:{output}/headscale-api-key\n")
            .And.Contain($"LoadCredential=client-secret:{output}/client-secret\n")
            .And.Contain($"Environment=HEADTOWER_CONFIG={output}/headtower.yaml\n");
        (await File.ReadAllTextAsync(Path.Combine(units, "headtower.socket.d", "init.conf"))).Should()
            .Contain("ListenStream=\nListenStream=127.0.0.1:3100\n");
        result.Output.Should().Contain("systemctl enable --now headtower.socket").And.NotContain("systemctl edit");
        if (RealComponents.WithoutSystemd is null)
        {
            var (status, said) = await ProgramRun.OfAsync(
                "systemd-analyze", "verify", "--man=no", Path.Combine(units, "headtower.service"), Path.Combine(units, "headtower.socket"));
            (status, string.Join('\n', said.Split('\n').Where(one => one.Contains("headtower.s", StringComparison.Ordinal)
                && !one.Contains("not executable", StringComparison.Ordinal)))).Should().Be((0, ""));
        }
    }

    [Fact]
    public async Task APublicAddressWithoutHttpsIsRefused()
    {
        using var folder = new TemporaryFolder();

        var result = await Verb.RunAsync(
            ["init", "--front", "nginx", "--sign-in", "authelia", "--headscale", "127.0.0.1:9", "--base-url", "http://hs.test", "--output",
                folder.Path], [], "\n");

        result.Exit.Should().Be(1);
        result.Error.Should().Contain("--base-url: sign-in needs https");
        Directory.GetFiles(folder.Path).Should().BeEmpty();
    }

    [Fact]
    public async Task ForAServiceTheSecretsAreCredentials()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();

        var result = await InitAsync(
            folder, headscale.ApiKey, "--systemd", "--headscale", headscale.Url.GetLeftPart(UriPartial.Authority), "--front", "nginx",
            "--sign-in", "authelia");

        var (output, config) = (Path.Combine(folder.Path, "out"), Path.Combine(folder.Path, "out", "headtower.yaml"));
        result.Output.Should().Contain($"CREDENTIALS_DIRECTORY={output} {InitSteps.Program} check --online");
        (await File.ReadAllTextAsync(config)).Should().Contain("api_key_path: ${CREDENTIALS_DIRECTORY}/headscale-api-key");
        var check = await Verb.RunAsync(["check", "--online", "--config", config], [("CREDENTIALS_DIRECTORY", output)]);
        (check.Exit == 0).Should().BeTrue(check.Output + check.Error);
    }

    [Fact]
    public async Task WithHeadscalesSocketThereIsNoKey()
    {
        using var folder = new TemporaryFolder();
        var socket = Path.Combine(folder.Path, "headscale.sock");
        var headscale = await HeadscaleStandIn.StartAsync(28, socket: socket);

        var result = await InitAsync(
            folder, "", "--socket", socket, "--headscale", headscale.Url.GetLeftPart(UriPartial.Authority), "--front", "nginx",
            "--sign-in", "authelia");

        (result.Exit == 0).Should().BeTrue(result.Error);
        result.Output.Should().Contain("No API key is needed").And.Contain($"into the group of {socket}");
        var config = Path.Combine(folder.Path, "out", "headtower.yaml");
        (await File.ReadAllTextAsync(config)).Should().Contain($"socket: {socket}").And.NotContain("api_key_path:");
        File.Exists(Path.Combine(folder.Path, "out", "headscale-api-key")).Should().BeFalse();
        var check = await Verb.RunAsync("check", "--online", "--config", config);
        (check.Exit == 0).Should().BeTrue(check.Output + check.Error);

        await headscale.DisposeAsync();
        await using var away = await HeadscaleStandIn.StartAsync(28, headscale.Url.Port);
        check = await Verb.RunAsync("check", "--online", "--config", config);
        check.Exit.Should().Be(1);
        (check.Output + check.Error).Should().Contain("headscale.socket").And.Contain("there is no such socket");
    }

    [Fact]
    public async Task NothingIsWrittenOverUnlessThatIsMeant()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["--headscale", "http://127.0.0.1:8080", "--front", "caddy", "--sign-in", "authelia"];
        var key = "hskey-api-abcdefghijkl-" + new string('a', 64);
        (await InitAsync(folder, key, arguments)).Exit.Should().Be(0);

        var again = await InitAsync(folder, key, arguments);
        again.Exit.Should().Be(1);
        again.Error.Should().Contain("--force");
        (await InitAsync(folder, key, [.. arguments, "--force"])).Exit.Should().Be(0);
    }

    [Theory]
    [InlineData("there is no 'nginx' with 'authelai'", "--front", "nginx", "--sign-in", "authelai", "--headscale", "http://127.0.0.1:8080")]
    [InlineData("--headscale: 'two words'", "--front", "nginx", "--sign-in", "authelia", "--headscale", "two words")]
    [InlineData("--issuer is needed", "--front", "nginx", "--sign-in", "oidc", "--headscale", "http://127.0.0.1:8080")]
    public async Task WhatCannotWorkIsSaidBeforeAnythingIsWritten(string complaint, params string[] arguments)
    {
        using var folder = new TemporaryFolder();

        var result = await InitAsync(folder, "hskey-api-abcdefghijkl-" + new string('a', 64), arguments);

        result.Exit.Should().Be(1);
        result.Error.Should().Contain(complaint);
        Directory.Exists(Path.Combine(folder.Path, "out")).Should().BeFalse();
    }

    [Theory]
    [InlineData("", "nothing was there")]
    [InlineData("a key with spaces", "it must be hskey-api-")]
    [InlineData("Bearer something", "leave out 'Bearer'")]
    public async Task WithoutAKeyItSaysHowToGiveOne(string input, string why)
    {
        using var folder = new TemporaryFolder();
        var result = await InitAsync(folder, input, "--headscale", "http://127.0.0.1:8080", "--front", "nginx", "--sign-in", "authelia");
        result.Exit.Should().Be(1);
        result.Error.Should().Contain("headscale apikeys create").And.Contain(why);
        if (input.Length > 0)
        {
            (result.Error + result.Output).Should().NotContain(input);
        }
    }

    [Theory]
    [InlineData("nginx", "authelia", "listen 8443 ssl", "https://$host:8443$request_uri")]
    [InlineData("caddy", "authelia", "\nhs.test:8443 {", "redir https://hs.test:8443{uri} 301")]
    [InlineData("haproxy", "authelia", "bind :8443 ssl", "location https://hs.test:8443%[pathq]")]
    [InlineData("apache", "oidc", "<VirtualHost *:8443>", "\"https://hs.test:8443/$1\"")]
    [InlineData("none", "oidc", "https://[::]:8443", "base_url: https://hs.test:8443")]
    public async Task ThePortOfThePublicAddressIsKept(string front, string signIn, string listener, string redirect)
    {
        using var folder = new TemporaryFolder();

        var result = await Verb.RunAsync(
            ["init", "--headscale", "127.0.0.1:8080", "--front", front, "--sign-in", signIn, "--issuer", "https://id.test", "--base-url",
                "hs.test:8443", "--output", Path.Combine(folder.Path, "out"), "--data", folder.Path],
            [], $"hskey-api-abcdefghijkl-{new string('a', 64)}\n");

        (result.Exit == 0).Should().BeTrue(result.Error);
        var written = string.Concat(Directory.GetFiles(Path.Combine(folder.Path, "out"), "*", SearchOption.AllDirectories)
            .Select(File.ReadAllText));
        written.Should().Contain(listener).And.Contain(redirect).And.Contain("base_url: https://hs.test:8443")
            .And.NotContain("https://hs.test/");
    }

    [Fact]
    public async Task OwnerListenerAndAuthServiceArePutIn()
    {
        using var folder = new TemporaryFolder();

        var result = await InitAsync(
            folder, "hskey-api-abcdefghijkl-" + new string('a', 64), "--headscale", "127.0.0.1:8080", "--front", "nginx", "--sign-in",
            "authelia", "--owner", "alice", "--listen", "10.0.0.5:4000", "--auth-url", "http://authelia:9099", "--portal",
            "https://login.hs.test");

        (result.Exit == 0).Should().BeTrue(result.Error);
        result.Output.Should().Contain("sign in as proxy:alice").And.Contain("trusted_proxies").And.Contain("listen_addr: 127.0.0.1:8080")
            .And.Contain("access_control");
        var config = await File.ReadAllTextAsync(Path.Combine(folder.Path, "out", "headtower.yaml"));
        config.Should().Contain("owner: \"proxy:alice\"").And.Contain("host: 10.0.0.5").And.Contain("port: 4000")
            .And.Contain("logout_url: https://login.hs.test/logout").And.Contain("# role_map:");
        var front = await File.ReadAllTextAsync(Path.Combine(folder.Path, "out", "front", "authelia.conf"));
        front.Should().Contain("server 10.0.0.5:4000").And.Contain("http://authelia:9099/api/authz/auth-request")
            .And.NotContain("127.0.0.1:9091");
    }

    [Fact]
    public async Task WithoutAnOwnerItSaysWhoWillBe()
    {
        using var folder = new TemporaryFolder();

        var result = await InitAsync(
            folder, "hskey-api-abcdefghijkl-" + new string('a', 64), "--headscale", "127.0.0.1:8080", "--front", "caddy", "--sign-in",
            "authelia");

        result.Output.Should().Contain("SIGN IN YOURSELF FIRST");
        var check = await Verb.RunAsync("check", "--config", Path.Combine(folder.Path, "out", "headtower.yaml"));
        (check.Exit, check.Output.Contains("whoever signs in first becomes the owner", StringComparison.Ordinal)).Should().Be((0, true));
    }

    internal static (string Certificate, string Key) WriteCertificate(TemporaryFolder folder)
    {
        var (certificate, key) = (Path.Combine(folder.Path, "chain.pem"), Path.Combine(folder.Path, "key.pem"));
        Certificates.Write(certificate, key, "hs.test");
        return (certificate, key);
    }

    internal static Task<VerbResult> InitAsync(TemporaryFolder folder, string input, params string[] arguments) =>
        Verb.RunAsync(
            ["init", .. arguments, "--base-url", "https://hs.test", "--output", Path.Combine(folder.Path, "out"), "--data", folder.Path],
            [], input + "\n");
}
