using System.Text;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Loading;

/// <summary>Changed files take effect without a restart; broken ones do not.</summary>
public sealed class ReloadTests
{
    private const string Ts2021 = "POST /ts2021 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: upgrade\r\nUpgrade: "
        + "tailscale-control-protocol\r\nX-Tailscale-Handshake: ";

    [Fact]
    public async Task AChangedConfigurationTakesEffectAndNoTunnelNotices()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var tunnel = await gateway.ConnectAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes(Ts2021 + Convert.ToBase64String(new byte[102]) + "\r\n\r\n"));
        (await RawPeer.ReadHeadAsync(tunnel)).Should().StartWith("HTTP/1.1 101");
        await tunnel.ReadExactlyAsync(new byte[ClientPlane.Greeting.Length]);
        await using var kept = await gateway.ConnectAsync();
        (await AskAsync()).Should().Be(403);

        await RewriteAsync(
            gateway,
            text => text.Replace("role_map: {admin: admin,", "role_map: {interns: viewer, admin: admin,", StringComparison.Ordinal));

        await Until.TrueAsync(async () => await AskAsync() == 200, "interns are viewers");
        await tunnel.WriteAsync("still open"u8.ToArray());
        var echo = new byte[10];
        await tunnel.ReadExactlyAsync(echo);
        echo.Should().Equal("still open"u8.ToArray());

        async Task<int> AskAsync()
        {
            await kept.WriteAsync("GET /api/v1/node HTTP/1.1\r\nHost: x\r\nRemote-User: ida\r\nRemote-Groups: interns\r\n\r\n"u8.ToArray());
            var head = await RawPeer.ReadHeadAsync(kept);
            await DrainAsync(head);
            return int.Parse(head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        }

        async Task DrainAsync(string head)
        {
            var line = head.Split("\r\n").FirstOrDefault(one => one.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
            if (line is not null)
            {
                await kept.ReadExactlyAsync(new byte[int.Parse(line.AsSpan(16), System.Globalization.CultureInfo.InvariantCulture)]);
                return;
            }

            var tail = new StringBuilder();
            var one = new byte[1];
            while (!tail.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal) && await kept.ReadAsync(one) > 0)
            {
                tail.Append((char)one[0]);
            }
        }
    }

    [Theory]
    [InlineData("frobnicate: true\n")]
    [InlineData("server: [\n")]
    public async Task ABrokenConfigurationIsReportedAndTheOldOneStays(string broken)
    {
        await using var gateway = await TestGateway.StartAsync();

        await RewriteAsync(gateway, text => text + broken);

        await Until.TrueAsync(() => gateway.Log.Has("the old one stays in effect"), "the broken file is reported");
        gateway.Log.Has(gateway.Files.Config + ":").Should().BeTrue();
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);

        await RewriteAsync(gateway, text => text.Replace(broken, "", StringComparison.Ordinal));
        await Until.TrueAsync(() => gateway.Log.Has("The changed configuration is in effect"), "the mended file is read");
    }

    [Fact]
    public async Task AChangedPolicyTakesEffectAndABrokenOneDoesNot()
    {
        await using var gateway = await TestGateway.StartAsync(routes: Gateway.Loading.RouteFile.Shipped());
        using var vera = gateway.AsPerson("vera");
        (await TestGateway.CallAsync(vera, "GET", "/api/v1/node")).Status.Should().Be(200);
        var shipped = await File.ReadAllTextAsync(gateway.Files.Routes!);

        await File.WriteAllTextAsync(
            gateway.Files.Routes!, shipped.Replace("viewer: [ui_access, read_machines,", "viewer: [ui_access,", StringComparison.Ordinal));
        await Until.TrueAsync(
            async () => (await TestGateway.CallAsync(vera, "GET", "/api/v1/node/11")).Status == 404, "viewers see their own only");

        await File.WriteAllTextAsync(
            gateway.Files.Routes!, shipped.Replace("capability: read_machines", "capability: read_everything", StringComparison.Ordinal));
        await Until.TrueAsync(() => gateway.Log.Has("the old one stays in effect"), "the broken policy is reported");
        (await TestGateway.CallAsync(vera, "GET", "/api/v1/node/11")).Status.Should().Be(404);
    }

    [Fact]
    public async Task ARotatedKeyFileIsRead()
    {
        using var folder = new TemporaryFolder();
        var key = folder.File("key", "hskey-api-aaaaaaaaaaaa-wrong");
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale, headscaleSection: $"  api_key_path: {key}");
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(503);

        await File.WriteAllTextAsync(key, headscale.ApiKey);

        await Until.TrueAsync(async () => (await gateway.CallAsAsync("alice", "GET", "/api/v1/node")).Status == 200, "the new key is used");
    }

    [Fact]
    public async Task AnotherProviderTakesEffectForTheNextSignIn()
    {
        await using var first = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var second = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        second.RotateKey();
        await using var gateway = await SignInSetup.StartAsync(first);
        using var browser = new Browser(gateway);
        (await browser.SignInAsync(first, "sam")).Location.Should().Be("/admin/");
        var begun = await browser.BeginAsync(first, "sam");

        await RewriteAsync(gateway, text => text.Replace(first.Issuer, second.Issuer, StringComparison.Ordinal));

        await Until.TrueAsync(
            async () => (await browser.GetAsync("/admin/oidc/start")).Location?.StartsWith(second.Issuer, StringComparison.Ordinal) is true,
            "the new provider is asked");
        (await browser.GetAsync(begun)).Status.Should().Be(400, "the answer of the old provider is not one of the new");
        (await browser.SignInAsync(second, "sam")).Location.Should().Be("/admin/");
        gateway.People.Snapshot.Everyone.Select(one => one.Issuer).Should()
            .BeEquivalentTo([first.Issuer, second.Issuer], "the same name of another provider is somebody else");
    }

    [Fact]
    public async Task AnotherSettingMakesNobodyForgetAProviderThatIsDown()
    {
        var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
        await provider.DisposeAsync();

        await RewriteAsync(gateway, text => text.Replace("\noidc:\n", "\noidc:\n  acr_values: gold\n", StringComparison.Ordinal));

        await Until.TrueAsync(
            async () =>
                (await browser.GetAsync("/admin/oidc/start")).Location?.Contains("acr_values=gold", StringComparison.Ordinal) is true,
            "the new setting counts");
        (await browser.GetAsync("/admin/login")).Text.Should().Contain("/admin/oidc/start");
    }

    [Fact]
    public async Task WhoeverCameByAWayThatIsSwitchedOffIsSignedOut()
    {
        const string Off = "oidc: {enabled: false, issuer: 'http://127.0.0.1:1', client_id: c, client_secret: s, disable_api_key_login: ";
        await using var gateway = await TestGateway.StartAsync(more: $"bootstrap: {{owner: 'proxy:alice'}}\n{Off}false}}");
        using var browser = new Browser(gateway);
        await browser.SubmitAsync("/admin/login", "/admin/login", ("api_key", gateway.Headscale.ApiKey));
        (await browser.GetAsync("/admin/machines")).Status.Should().Be(200);

        await RewriteAsync(gateway, text => text.Replace("api_key_login: false", "api_key_login: true", StringComparison.Ordinal));

        await Until.TrueAsync(async () => (await browser.GetAsync("/admin/machines")).Status == 302, "the session counts no more");
        (await browser.GetAsync("/admin/login")).Text.Should().NotContain("name=\"api_key\"");
    }

    [Fact]
    public async Task PagesAndCookiesStayWhereTheyAreUntilTheRestart()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");

        await RewriteAsync(gateway, text => text.Replace(
            "server:\n", "server:\n  base_path: /other\n  cookie_secure: false\n", StringComparison.Ordinal));

        await Until.TrueAsync(() => gateway.Log.Has("change with the next restart"), "it is said");
        (await alice.GetAsync("/")).Location.Should().Be("/admin/");
        (await alice.GetAsync("/admin/")).Status.Should().Be(200);
    }

    private static async Task RewriteAsync(TestGateway gateway, Func<string, string> change)
    {
        var text = await File.ReadAllTextAsync(gateway.Files.Config);
        var changed = change(text);
        changed.Should().NotBe(text);
        await File.WriteAllTextAsync(gateway.Files.Config, changed);
    }
}
