using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity;

/// <summary>Who a request is taken for, and what of it ever reaches Headscale.</summary>
public sealed class TrustedHeadersTests
{
    private const string Fixture =
        """
            allowed_cidrs: [192.0.2.0/24]
            trusted_proxy_cidrs: [127.0.0.1/32, 10.9.0.0/16]
            ip_header: X-Forwarded-For
            name_header: Remote-Name
            role_map: {viewers: viewer, admins: admin}
        """;

    private const string Vera = "Remote-User: vera\r\nRemote-Groups: viewers\r\nX-Forwarded-For: 192.0.2.10\r\n";

    [Theory]
    [InlineData(Vera, 200)]
    [InlineData("", 401)]
    [InlineData("Remote-User: vera\r\n", 401)]
    [InlineData("Remote-User: vera\r\nX-Forwarded-For: 203.0.113.66\r\n", 401)]
    [InlineData("Remote-User: vera\r\nX-Forwarded-For: 192.0.2.10, 203.0.113.66\r\n", 401)]
    [InlineData("Remote-User: vera\r\nX-Forwarded-For: 192.0.2.10\r\nX-Forwarded-For: 203.0.113.66\r\n", 401)]
    [InlineData("Remote-User: vera\r\nX_Forwarded_For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote-User: vera\r\nX-Real-IP: 192.0.2.10\r\n", 401)]
    [InlineData("Remote_User: vera\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote.User: vera\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData(Vera + "Remote_User: alice\r\n", 200)]
    [InlineData(Vera + "Remote-User: alice\r\n", 401)]
    [InlineData(Vera + "Remote-Email: a@x\r\nRemote-Email: b@x\r\n", 401)]
    [InlineData("Remote-User:\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote-User: (null)\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote-User: {http.reverse_proxy.header.Remote-User}\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote-Email: vera@example.test\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote-User: ve\u200bra\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData("Remote-User: vera\u00a0\r\nX-Forwarded-For: 192.0.2.10\r\n", 401)]
    [InlineData(Vera + "Connection: Remote-User\r\n", 401)]
    [InlineData(Vera + "Connection: foo, Remote_Groups\r\n", 401)]
    [InlineData(Vera + "Connection: foo, X-Forwarded-For\r\n", 401)]

    // Kestrel leaves nothing but "close", "keep-alive" or "upgrade" of such a line. The header arrived, so nobody dropped it on the way.
    [InlineData(Vera + "Connection: close, Remote-User\r\n", 200)]
    [InlineData(Vera + "Authorization: Bearer attacker-key\r\n", 401)]
    [InlineData(Vera + "Authorization: Basic dmVyYTpwYXNzd29yZA==\r\n", 200)]
    public async Task OnlyExactlyOneGoodValueFromATrustedChainIsSomebody(string headers, int status)
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: Fixture);

        var answer = await RawAsync(gateway, $"GET /api/v1/node HTTP/1.1\r\nHost: gateway.example.test\r\n{headers}\r\n");

        answer.Should().StartWith($"HTTP/1.1 {status} ");
        gateway.Headscale.Forwarded.Count.Should().Be(status == 200 ? 1 : 0);
        gateway.Headscale.Forwarded.SelectMany(one => one.Headers).Should().NotContain(header =>
            header.Key.StartsWith("remote", StringComparison.OrdinalIgnoreCase) || header.Value.Contains("attacker", StringComparison.Ordinal) || header.Value.Contains("dmVy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ANameTooLongIsNobody()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(new string('a', 257), "viewer");

        (await client.GetAsync(new Uri("/api/v1/node", UriKind.Relative))).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task APeerThatIsNotTrustedIsNobodyWhateverItSays()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    allowed_cidrs: [10.0.0.1]");
        using var client = gateway.As("alice");

        (await client.GetAsync(new Uri("/api/v1/node", UriKind.Relative))).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Theory]
    [InlineData("the-secret", 200)]
    [InlineData("the-secreT", 401)]
    [InlineData(null, 401)]
    public async Task ASharedSecretIsPartOfTheTrust(string? secret, int status)
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    shared_secret_header: X-Proxy-Secret\n    shared_secret: the-secret");
        using var client = gateway.As("alice");
        client.DefaultRequestHeaders.Add("X-Proxy-Secret", secret is null ? [] : [secret]);

        ((int)(await client.GetAsync(new Uri("/api/v1/node", UriKind.Relative))).StatusCode).Should().Be(status);
        gateway.Headscale.Forwarded.SelectMany(one => one.Headers).Should().NotContain(header => header.Value.Contains("the-secre", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Sec-Fetch-Site: cross-site", 403)]
    [InlineData("Sec-Fetch-Site: same-site", 403)]
    [InlineData("Sec-Fetch-Site: same-origin", 200)]
    [InlineData("Origin: https://gateway.example.test", 200)]
    [InlineData("Origin: https://evil.example", 403)]
    [InlineData("Origin: null", 403)]
    [InlineData("Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example", 403)]
    [InlineData("Cookie: a=b", 403)]
    [InlineData("X-Nothing: here", 200)]
    public async Task AnotherSiteCannotMakeABrowserChangeAnything(string headers, int status)
    {
        await using var gateway = await TestGateway.StartAsync();

        var answer = await RawAsync(gateway, $"POST /api/v1/node/11/expire HTTP/1.1\r\nHost: gateway.example.test\r\nRemote-User: alice\r\nContent-Length: 0\r\n{headers}\r\n\r\n");

        answer.Should().StartWith($"HTTP/1.1 {status} ");
        gateway.Headscale.Forwarded.Count.Should().Be(status == 200 ? 1 : 0);
    }

    [Fact]
    public async Task GroupsDecideTheRoleAnewWithEveryRequest()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    groups_separator: '; '\n    role_map: {viewers: viewer, admins: admin}");

        (await DeleteAsync("users; admins; viewers")).Should().Be(HttpStatusCode.OK);
        (await DeleteAsync("viewers")).Should().Be(HttpStatusCode.Forbidden);
        (await DeleteAsync("admins,viewers")).Should().Be(HttpStatusCode.Forbidden);

        async Task<HttpStatusCode> DeleteAsync(string groups)
        {
            using var client = gateway.As("bob", groups);
            return (await client.PostAsync(new Uri("/api/v1/node/11/expire", UriKind.Relative), null)).StatusCode;
        }
    }

    private static async Task<string> RawAsync(TestGateway gateway, string request)
    {
        await using var connection = await gateway.ConnectAsync();
        await connection.WriteAsync(Encoding.UTF8.GetBytes(request));
        var buffer = new byte[16];
        await connection.ReadExactlyAsync(buffer);
        return Encoding.ASCII.GetString(buffer);
    }
}
