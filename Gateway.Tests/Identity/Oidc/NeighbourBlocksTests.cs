using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>
/// The blocks of settings that the documents of neighbours print, with only addresses and secrets replaced: each starts the gateway and
/// signs people in.
/// </summary>
public sealed class NeighbourBlocksTests
{
    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "Data", "neighbours");

    [Theory]
    [InlineData("headplane-sso")]
    [InlineData("headplane-sso-0.6")]
    [InlineData("headplane-signing-out")]
    [InlineData("headscale-authentik")]
    [InlineData("headscale-mash")]
    [InlineData("headscale-all")]
    public async Task ABlockOfOidcSignsPeopleIn(string block)
    {
        await using var provider = await ProviderStandIn.StartAsync(
            [.. SignInSetup.Accounts.Select(one => one with { Groups = ["/headscale"] })]);
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var secrets = new TemporaryFolder();
        secrets.File("oidc_client_secret", ProviderStandIn.ClientSecret);
        var text = (await File.ReadAllTextAsync(Path.Combine(_folder, block + ".yaml")))
            .Replace("https://your-idp.com", provider.Issuer, StringComparison.Ordinal)
            .Replace("your-client-id", ProviderStandIn.ClientId, StringComparison.Ordinal)
            .Replace("\"your-client-secret\"", $"'{ProviderStandIn.ClientSecret}'", StringComparison.Ordinal)
            .Replace("${CREDENTIALS_DIRECTORY}", secrets.Path, StringComparison.Ordinal)
            .Replace("<generated-api-key>", headscale.ApiKey, StringComparison.Ordinal);
        await using var gateway = await TestGateway.StartFileAsync(headscale, folder =>
            $"{TestGateway.Yaml(headscale, folder.Path, TestGateway.NoProxyAuth, server: "  trusted_proxies: [127.0.0.1]", more: text)}"
                .Replace(
                    text.Contains("headscale_api_key", StringComparison.Ordinal) ? $"  api_key: {headscale.ApiKey}\n" : "\0", "",
                    StringComparison.Ordinal));
        var check = await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config);
        check.Exit.Should().Be(0, $"check passes: {check.Output}");
        using var browser = new Browser(gateway);

        (await browser.SignInAsync(provider, "sam")).Should().LeadTo("/admin/");

        (await browser.GetAsync("/admin/api/me")).Text.Should().Contain("\"headscaleUser\":{\"id\":\"7\"");
    }

    [Theory]
    [InlineData("headplane-proxy-auth", null)]
    [InlineData("headplane-proxy-auth-chained", "10.1.2.3")]
    public async Task ABlockOfProxyHeadersSignsPeopleIn(string block, string? client)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        var text = await File.ReadAllTextAsync(Path.Combine(_folder, block + ".yaml"));
        await using var gateway = await TestGateway.StartFileAsync(headscale, folder =>
            $"{text}  listen: [http://127.0.0.1:0]\n  base_url: https://gateway.example.test\n  data_path: {folder.Path}\nheadscale: "
            + $"{{url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', api_key: '{headscale.ApiKey}'}}\n");
        (await Verb.RunAsync("check", "--online", "--config", gateway.Files.Config)).Exit.Should().Be(0);
        using var alice = gateway.As("alice");
        if (client is not null)
        {
            alice.DefaultRequestHeaders.Add("X-Forwarded-For", client);
        }

        (await TestGateway.CallAsync(alice, "GET", "/api/v1/user")).Status.Should().Be(200, "the first person is the owner");
    }
}
