using System.Text;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Store;

/// <summary>No secret that the gateway handles is anywhere on its disk.</summary>
public sealed class CanaryTests
{
    [Theory]
    [InlineData("sqlite")]
    [InlineData("litedb")]
    public async Task NoKeyNoTokenAndNoCookieIsInTheDataFolder(string kind)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(
            provider, $"  use_end_session: true\n  default_role: viewer\nstore: {{kind: {kind}}}");
        using var browser = new Browser(gateway);
        using var byKey = new Browser(gateway);
        await browser.SignInAsync(provider, "alice");
        (await byKey.SubmitAsync("/admin/login", "/admin/login", ("api_key", gateway.Headscale.ApiKey))).Status.Should().Be(302);
        var stranger = $"hskey-api-abcdefghijkl-{new string('q', 64)}";
        using (var http = new HttpClient { BaseAddress = gateway.Url })
        {
            http.DefaultRequestHeaders.Authorization = new("Bearer", gateway.Headscale.ApiKey);
            var made = await TestGateway.CallAsync(
                http, "POST", "/api/v1/preauthkey", """{"user":"7","expiration":"2036-01-01T00:00:00Z"}""");
            made.Status.Should().Be(200);
            http.DefaultRequestHeaders.Authorization = new("Bearer", stranger);
            (await TestGateway.CallAsync(http, "GET", "/api/v1/node?token=canary-in-the-query")).Status.Should().Be(401);
        }

        string[] secrets =
        [
            gateway.Headscale.ApiKey[^24..], ProviderStandIn.ClientSecret, stranger[^30..], "canary-in-the-query",
            browser.Cookies["__Host-headtower"].Value, byKey.Cookies["__Host-headtower"].Value,
            .. gateway.Headscale.Tailnet.Keys.Select(one => one.Key[^20..]),
        ];
        await gateway.StopAsync();

        gateway.StoredFiles.Should().NotBeEmpty();
        foreach (var file in gateway.StoredFiles)
        {
            var bytes = await File.ReadAllBytesAsync(file);
            secrets.Where(secret => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0).Should()
                .BeEmpty($"{Path.GetFileName(file)} is read by whoever makes backups");
        }
    }
}
