using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>With nothing in front, certificate and key reach the gateway by systemd.</summary>
public sealed class InitCertificateTests
{
    [Fact]
    public async Task WithoutAFrontSystemdHandsTheCertificateOver()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var (certificate, key) = InitTests.WriteCertificate(folder);

        var result = await InitTests.InitAsync(
            folder, headscale.ApiKey, "--install", "--root", folder.Path, "--headscale", headscale.Url.Authority, "--front", "none",
            "--sign-in", "oidc", "--issuer", "http://127.0.0.1:9", "--tls-cert", certificate, "--tls-key", key, "--offline");

        result.Exit.Should().Be(0, result.Error);
        result.Output.Should().Contain("systemctl try-restart headtower");
        var output = Path.Combine(folder.Path, "out");
        var unit = await File.ReadAllTextAsync(Path.Combine(folder.Path, "etc/systemd/system/headtower.service.d/init.conf"));
        unit.Should().Contain($"LoadCredential=tls-cert:{output}/tls-cert\n").And.Contain($"LoadCredential=tls-key:{output}/tls-key\n");
        folder.File("out/client-secret", "a secret");
        var check = await Verb.RunAsync(
            ["check", "--config", Path.Combine(output, "headtower.yaml")], [("CREDENTIALS_DIRECTORY", output)]);
        check.Exit.Should().Be(0, check.Error + check.Output);
        (await File.ReadAllTextAsync(Path.Combine(output, "tls-key"))).Should().Be(await File.ReadAllTextAsync(key));
    }

    [Theory]
    [InlineData("tls-key", 0)]
    [InlineData("another.key", 1)]
    public async Task AKeyThatIsInThePlaceOfALinkStays(string own, int exit)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var (certificate, key) = InitTests.WriteCertificate(folder);
        Directory.CreateDirectory(Path.Combine(folder.Path, "out"));
        var there = folder.File("out/tls-key", "somebody's only key");
        File.Copy(key, Path.Combine(folder.Path, "out", own), overwrite: true);
        var before = await File.ReadAllTextAsync(there);

        var result = await InitTests.InitAsync(
            folder, headscale.ApiKey, "--systemd", "--force", "--headscale", headscale.Url.Authority, "--front", "none", "--sign-in",
            "oidc", "--issuer", "http://127.0.0.1:9", "--tls-cert", certificate, "--tls-key", Path.Combine(folder.Path, "out", own),
            "--offline");

        result.Exit.Should().Be(exit, result.Error);
        (await File.ReadAllTextAsync(there), new FileInfo(there).LinkTarget).Should().Be((before, null));
    }
}
