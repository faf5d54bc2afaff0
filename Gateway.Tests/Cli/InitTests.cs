using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Cli;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>From a few answers to settings that work.</summary>
public sealed class InitTests
{
    public static TheoryData<string> Choices => [.. InitVerb.Choices];

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
    public async Task ForAServiceTheSecretsAreCredentials()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();

        var result = await InitAsync(
            folder, headscale.ApiKey, "--systemd", "--headscale", headscale.Url.GetLeftPart(UriPartial.Authority), "--front", "nginx",
            "--sign-in", "authelia");

        var (output, config) = (Path.Combine(folder.Path, "out"), Path.Combine(folder.Path, "out", "headtower.yaml"));
        result.Output.Should().Contain($"CREDENTIALS_DIRECTORY={output} gateway check --online");
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
    [InlineData("--headscale: 'nonsense'", "--front", "nginx", "--sign-in", "authelia", "--headscale", "nonsense")]
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
    [InlineData("")]
    [InlineData("a key with spaces")]
    public async Task WithoutAKeyItSaysHowToGiveOne(string input)
    {
        using var folder = new TemporaryFolder();
        var result = await InitAsync(folder, input, "--headscale", "http://127.0.0.1:8080", "--front", "nginx", "--sign-in", "authelia");
        result.Exit.Should().Be(1);
        result.Error.Should().Contain("headscale apikeys create");
        if (input.Length > 0)
        {
            (result.Error + result.Output).Should().NotContain(input);
        }
    }

    private static (string Certificate, string Key) WriteCertificate(TemporaryFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=hs.test", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        return (folder.File("chain.pem", certificate.ExportCertificatePem()), folder.File("key.pem", key.ExportPkcs8PrivateKeyPem()));
    }

    private static Task<VerbResult> InitAsync(TemporaryFolder folder, string input, params string[] arguments) =>
        Verb.RunAsync(
            ["init", .. arguments, "--base-url", "https://hs.test", "--output", Path.Combine(folder.Path, "out"), "--data", folder.Path],
            [], input + "\n");
}
