using Gateway.Sandbox;
using Gateway.Tests.Support;

namespace Gateway.Tests.Edge;

/// <summary>Where the gateway speaks TLS itself, plain HTTP from the network is for Tailscale's clients alone.</summary>
public sealed class HttpsRedirectionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("GET", "/admin/machines?q=a%20b", null, 302, "https://gateway.example.test/admin/machines?q=a%20b")]
    [InlineData("GET", "/", null, 302, "https://gateway.example.test/")]
    [InlineData("GET", "/api/v1/node", null, 302, "https://gateway.example.test/api/v1/node")]
    [InlineData("GET", "//evil.example/", null, 302, "https://gateway.example.test//evil.example/")]
    [InlineData("GET", "/api/v1/node", "Bearer hskey-api-a-b", 403, "replace it")]
    [InlineData("POST", "/api/v1/node/11/expire", null, 403, "this needs https, at https://gateway.example.test")]
    [InlineData("POST", "/admin/login", null, 403, "this needs https")]
    [InlineData("POST", "/api/v2/oauth/token", null, 403, "this needs https")]
    [InlineData("GET", "/key?v=113", null, 200, null)]
    [InlineData("GET", "/generate_204", null, 204, null)]
    [InlineData("GET", "/admin/healthz", null, 200, null)]
    [InlineData("GET", "/admin/readyz", null, 200, null)]
    public async Task OnlyTailscalesClientsAndMonitorsAreServedWithoutTls(
        string method, string target, string? credential, int status, string? words)
    {
        await using var gateway = await StartAsync("0.0.0.0", out var plain);

        var (answered, text) = await AskAsync(plain, method, target, credential);

        answered.Should().Be(status);
        text.Should().Contain(words ?? "\n");
        gateway.Headscale.Forwarded.Where(one => one.Target != "/key?v=113").Should().BeEmpty("nothing of the API went on");
    }

    [Fact]
    public async Task AListenerOfThisMachineAloneStaysAsItIs()
    {
        await using var gateway = await StartAsync("127.0.0.1", out var plain);

        (await AskAsync(plain, "GET", "/api/v1/node", null)).Status.Should().Be(401);
    }

    [Fact]
    public async Task WhatAFrontSaysCameWithTlsDid()
    {
        await using var gateway = await StartAsync("0.0.0.0", out var plain, "  trusted_proxies: [127.0.0.1]");

        (await AskAsync(plain, "GET", "/api/v1/node", null, "https")).Status.Should().Be(401);
        (await AskAsync(plain, "GET", "/api/v1/node", null, "http")).Status.Should().Be(302);
    }

    [Fact]
    public async Task WithoutTlsOfItsOwnTheFrontTakesCareOfIt()
    {
        var plain = GatewayProcess.FreePort();
        await using var gateway = await TestGateway.StartAsync(listen: $", http://0.0.0.0:{plain}");

        (await AskAsync(plain, "GET", "/api/v1/node", null)).Status.Should().Be(401);
    }

    private Task<TestGateway> StartAsync(string host, out int plain, string more = "")
    {
        var (certificate, key) = (Path.Combine(_folder.Path, "cert.pem"), Path.Combine(_folder.Path, "key.pem"));
        Certificates.Write(certificate, key);
        plain = GatewayProcess.FreePort();
        return TestGateway.StartAsync(
            listen: $", http://{host}:{plain}", server: $"  tls_cert_path: {certificate}\n  tls_key_path: {key}\n{more}");
    }

    private static async Task<(int Status, string Text)> AskAsync(
        int port, string method, string target, string? credential, string? forwarded = null)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(new(method), new Uri($"http://127.0.0.1:{port}{target}"));
        foreach (var (name, value) in new[] { ("Authorization", credential), ("X-Forwarded-Proto", forwarded) })
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var answer = await http.SendAsync(request);
        return ((int)answer.StatusCode, $"{answer.Headers.Location?.OriginalString}\n{await answer.Content.ReadAsStringAsync()}");
    }
}
