using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>What <c>gateway check --online</c> says of an address that is not quite Headscale's.</summary>
public sealed class OnlineChecksTests
{
    [Fact]
    public async Task TlsToAHeadscaleThatSpeaksPlainHttpSaysHowItsAddressBegins()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var config = folder.File(
            "headtower.yaml",
            $"headscale: {{url: 'https://{headscale.Url.Authority}', api_key: {headscale.ApiKey}}}\n"
            + $"server: {{port: 0, data_path: '{folder.Path}'}}\n");

        var check = await Verb.RunAsync("check", "--online", "--config", config);

        check.Exit.Should().Be(1);
        (check.Output + check.Error).Should().Contain("TLS failed: ").And.Contain("the address begins with http://")
            .And.NotContain("inner exception").And.NotContain("circuit");
    }
}
