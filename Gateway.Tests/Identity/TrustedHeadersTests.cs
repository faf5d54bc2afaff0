using System.Net;
using System.Text;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

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
            header.Key.StartsWith("remote", StringComparison.OrdinalIgnoreCase)
                || header.Value.Contains("attacker", StringComparison.Ordinal) || header.Value.Contains("dmVy", StringComparison.Ordinal));
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
        await using var gateway = await TestGateway.StartAsync(
            proxyAuth: "    shared_secret_header: X-Proxy-Secret\n    shared_secret: the-secret");
        using var client = gateway.As("alice");
        client.DefaultRequestHeaders.Add("X-Proxy-Secret", secret is null ? [] : [secret]);

        ((int)(await client.GetAsync(new Uri("/api/v1/node", UriKind.Relative))).StatusCode).Should().Be(status);
        gateway.Headscale.Forwarded.SelectMany(one => one.Headers).Should()
            .NotContain(header => header.Value.Contains("the-secre", StringComparison.Ordinal));
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

        var answer = await RawAsync(
            gateway,
            $"POST /api/v1/node/11/expire HTTP/1.1\r\nHost: gateway.example.test\r\nRemote-User: alice\r\nContent-Length: "
            + $"0\r\n{headers}\r\n\r\n");

        answer.Should().StartWith($"HTTP/1.1 {status} ");
        gateway.Headscale.Forwarded.Count.Should().Be(status == 200 ? 1 : 0);
    }

    [Fact]
    public async Task GroupsDecideTheRoleAnewWithEveryRequest()
    {
        await using var gateway = await TestGateway.StartAsync(
            proxyAuth: "    groups_separator: '; '\n    role_map: {viewers: viewer, admins: admin}");

        (await DeleteAsync("users; admins; viewers")).Should().Be(HttpStatusCode.OK);
        (await DeleteAsync("viewers")).Should().Be(HttpStatusCode.Forbidden);
        (await DeleteAsync("admins,viewers")).Should().Be(HttpStatusCode.Forbidden);

        async Task<HttpStatusCode> DeleteAsync(string groups)
        {
            using var client = gateway.As("bob", groups);
            return (await client.PostAsync(new Uri("/api/v1/node/11/expire", UriKind.Relative), null)).StatusCode;
        }
    }

    [Fact]
    public async Task WhoeverHasManyGroupsIsStillSomebodyAndAPictureThatIsTooLongIsLeftOut()
    {
        await using var gateway = await TestGateway.StartAsync(
            proxyAuth: "    picture_header: Remote-Picture\n    role_map: {headscale-admins: admin}");
        var groups = string.Join(',', Enumerable.Range(0, 200).Select(one => $"cn=dept-{one:d3}").Append("headscale-admins"));
        using var client = gateway.As("a3", groups);
        client.DefaultRequestHeaders.Add("Remote-Picture", "data:image/png;base64," + new string('A', 2000));

        (await TestGateway.CallAsync(client, "GET", "/api/v1/user")).Status.Should().Be(200);

        gateway.People.Snapshot.Everyone.Single().Should().BeEquivalentTo(new { Role = "admin", Picture = (string?)null });
        gateway.Log.Has("Identity headers from the trusted 127.0.0.1: Remote-Picture was left out: it is longer than 1024 characters")
            .Should().BeTrue();
    }

    [Fact]
    public async Task GroupsThatCannotBeReadAreSaidToBeThat()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    role_map: {admins: admin}");

        await gateway.SendRawAsync(
            "",
            Encoding.UTF8.GetBytes("GET /api/v1/node HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRemote-User: bob\r\nRemote-Groups: "
                + "admins\u3164\r\n\r\n"));

        gateway.People.Snapshot.Everyone.Single().RoleNote.Should()
            .Contain("header Remote-Groups is a text that has the character U+3164, which cannot be seen");
        gateway.Log.Has("Remote-Groups was left out: it has the character U+3164, which cannot be seen").Should().BeTrue();
    }

    [Theory]
    [InlineData("Remote-User: alice\u3164\r\n", "Remote-User has the character U+3164, which cannot be seen")]
    [InlineData("Remote-User: alice\u2800\r\n", "Remote-User has the character U+2800, which cannot be seen")]
    [InlineData("Remote-User: alice\ufe0f\r\n", "Remote-User has the character U+FE0F, which cannot be seen")]
    [InlineData("Remote-User: alice\r\nRemote-Groups: a\r\nRemote-Groups: b\r\n", "Remote-Groups was sent more than once")]
    [InlineData("Remote-User:\r\n", "Remote-User is empty")]
    public async Task WhatATrustedProxySendsAndCannotBeUsedIsLogged(string headers, string cause)
    {
        await using var gateway = await TestGateway.StartAsync();

        var (head, _) = await gateway.SendRawAsync(
            "", Encoding.UTF8.GetBytes($"GET /api/v1/node HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"));

        head.Should().StartWith("HTTP/1.1 401 ");
        gateway.Log.Has($"Identity headers from the trusted 127.0.0.1: nobody was signed in: {cause}").Should()
            .BeTrue($"{string.Join('\n', gateway.Log.All)}");
    }

    [Theory]
    [InlineData("Remote-User: sam\r\nRemote-User: alice\r\n", 401)]
    [InlineData("Remote-User: sam\r\nConnection: close, Remote-User\r\n", 400)]
    [InlineData("Remote-User: s\u3164m\r\n", 401)]
    [InlineData("Remote-User:\r\n", 200)]
    [InlineData("", 200)]
    public async Task NoSessionCountsWhereAFrontNamesSomebodyInAWayThatCannotBeBelieved(string headers, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = new Browser(gateway);
        await browser.SubmitAsync("/admin/login", "/admin/login", ("api_key", gateway.Headscale.ApiKey));
        var cookie = browser.Cookies["__Host-headtower"].Value;
        var end = headers.Contains("Connection:", StringComparison.Ordinal) ? "" : "Connection: close\r\n";

        var (head, _) = await gateway.SendRawAsync(
            "",
            Encoding.UTF8.GetBytes(
                $"GET /api/v1/node HTTP/1.1\r\nHost: x\r\nCookie: __Host-headtower={cookie}\r\n{headers}{end}\r\n"));

        head.Should().StartWith($"HTTP/1.1 {status} ");
    }

    [Theory]
    [InlineData("\u2000__Host-headtower=")]
    [InlineData("\u00a0__Host-headtower=")]
    [InlineData("\u3000__Host-headtower=")]
    public async Task ACookieThatOnlyLooksLikeTheSessionsIsNone(string name)
    {
        await using var gateway = await TestGateway.StartAsync();
        var cookie = await gateway.App.Services.GetRequiredService<Sessions>().BeginAsync(new Session
        {
            Id = 0,
            Hash = "",
            Kind = SessionKind.ApiKey,
            KeyPrefix = ApiKeyFormat.PrefixOf(gateway.Headscale.ApiKey)!,
            CreatedAt = TimeProvider.System.GetUtcNow(),
            ExpiresAt = TimeProvider.System.GetUtcNow().AddHours(1),
            LastUsedAt = TimeProvider.System.GetUtcNow(),
        }, 20);

        (await StatusAsync("__Host-headtower=")).Should().StartWith("HTTP/1.1 200 ", "the session is good");
        (await StatusAsync(name)).Should().StartWith("HTTP/1.1 401 ", "the browser's rules for __Host- do not protect this one");

        async Task<string> StatusAsync(string prefix) => (await gateway.SendRawAsync("", Encoding.UTF8.GetBytes(
            $"GET /admin/api/me HTTP/1.1\r\nHost: gateway.example.test\r\nAccept: application/json\r\nConnection: close\r\nCookie: "
            + $"{prefix}{cookie}\r\n\r\n"))).Head;
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
