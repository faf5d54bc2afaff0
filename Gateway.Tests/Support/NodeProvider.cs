using System.Diagnostics;
using System.Net;

namespace Gateway.Tests.Support;

/// <summary>The certified OpenID provider of npm as a process, and a gateway that signs in with it.</summary>
internal sealed class NodeProvider : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TestGateway _gateway;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private NodeProvider(Process process, string issuer, TestGateway gateway) => (_process, Issuer, _gateway) = (process, issuer, gateway);

    public string Issuer { get; }

    public TestGateway Gateway => _gateway;

    public static async Task<NodeProvider> StartAsync(string algorithm = "RS256", string more = "")
    {
        var port = Sandbox.GatewayProcess.FreePort();
        var url = $"http://127.0.0.1:{port}";
        var start = new ProcessStartInfo(
            "node",
            ["server.mjs", url + "/admin/oidc/callback", url + "/admin/login?s=logout", url + "/admin/oidc/backchannel-logout", algorithm])
        {
            WorkingDirectory = Path.Combine(RealComponents.Providers, "oidc-provider"),
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        var issuer = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the provider ended");
        var gateway = await TestGateway.StartAsync(
            port: port,
            server: $"  base_url: {url}\n  cookie_secure: false",
            more: $"oidc: {{issuer: '{issuer}', client_id: headtower, client_secret: the-secret-of-the-client-0123456789, scope: openid "
                + $"profile email groups, role_claim: groups, role_map: {{staff: self_service}}, use_end_session: "
                + $"true{more}}}\nbootstrap: {{owner: 'proxy:alice'}}");
        return new NodeProvider(process, issuer, gateway);
    }

    /// <summary>Begins at the gateway, passes the provider's pages, and gives the address of the answer.</summary>
    public async Task<string> BeginAsync(Browser browser, string person)
    {
        var start = await browser.GetAsync("/admin/oidc/start");
        start.Location.Should().StartWith(Issuer);
        return await PassAsync(start.Location!, person);
    }

    /// <summary>Follows the provider's redirects; chooses the person where it asks.</summary>
    public async Task<string> PassAsync(string address, string person)
    {
        var at = new Uri(new Uri(Issuer), address);
        while (at.AbsoluteUri.StartsWith(Issuer, StringComparison.Ordinal))
        {
            using var answer = await _http.GetAsync(at);
            at = answer.StatusCode is HttpStatusCode.OK && at.AbsolutePath.StartsWith("/people/", StringComparison.Ordinal)
                ? new Uri($"{at}/{person}")
                : new Uri(
                    at,
                    answer.Headers.Location ?? throw new InvalidOperationException($"{at} answered {answer.StatusCode}: "
                        + $"{await answer.Content.ReadAsStringAsync()}"));
        }

        return at.AbsoluteUri;
    }

    /// <summary>Signs out at the provider's page, which is what a person would do there.</summary>
    public async Task<string?> ConfirmSignOutAsync(string address)
    {
        using var page = await _http.GetAsync(new Uri(address));
        var html = await page.Content.ReadAsStringAsync();
        var field = html.Split("name=\"xsrf\" value=\"")[1].Split('"')[0];
        using var answer = await _http.PostAsync(
            new Uri(Issuer + "/session/end/confirm"),
                new FormUrlEncodedContent([KeyValuePair.Create("xsrf", field), KeyValuePair.Create("logout", "yes")]));
        return answer.Headers.Location?.OriginalString;
    }

    public async Task RotateKeyAsync() => (await _http.PostAsync(new Uri(Issuer + "/test/rotate"), null)).Dispose();

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
    }
}
