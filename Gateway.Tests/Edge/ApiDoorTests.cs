using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Edge;

/// <summary>Raw requests at the API: what is not understood gets an answer that says so, and Headscale sees none of it.</summary>
public sealed class ApiDoorTests
{
    [Theory]
    [InlineData("bob", 403)]
    [InlineData("nobody-of-that-name", 403)]
    [InlineData("sam", 200)]
    [InlineData("", 200)]
    public async Task WhoSeesTheirOwnDevicesAloneCannotTryWhichUsersThereAre(string user, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.AsPerson("sam");

        (await TestGateway.CallAsync(sam, "GET", $"/api/v1/node?user={user}")).Status.Should().Be(status);

        gateway.Headscale.Forwarded.Count(one => one.Target.Contains("user=", StringComparison.Ordinal)).Should()
            .Be(status == 200 ? 1 : 0);
    }

    private const string Json = "Content-Type: application/json\r\n";

    [Theory]
    [InlineData("GET /api/v1/node", "", "", 200, "")]
    [InlineData("GET /api/v1/node/11", "", "", 200, "")]
    [InlineData("GET /api/v1/nothing", "", "", 404, "no such operation")]
    [InlineData("GET /API/v1/node", "", "", 404, "")]
    [InlineData("GET /api/v1/node/", "", "", 404, "not canonical")]
    [InlineData("GET /api/v1/node/0x0b", "", "", 404, "")]
    [InlineData("GET /api/v1/node/011", "", "", 404, "")]
    [InlineData("GET /api/v1/node/18446744073709551616", "", "", 404, "")]
    [InlineData("GET /api/v1/no%64e", "", "", 404, "")]
    [InlineData("GET /api/v1/node/11/../12", "", "", 404, "not canonical")]
    [InlineData("GET /api/v1/node;x=1", "", "", 404, "not canonical")]
    [InlineData("get /api/v1/node", "", "", 400, "upper case")]
    [InlineData("FROB /api/v1/node", "", "", 400, "upper case")]
    [InlineData("PATCH /api/v1/node", "", "", 404, "")]
    [InlineData("GET /api/v1/node?frob=1", "", "", 400, "takes only user")]
    [InlineData("GET /api/v1/node?user=a&user=b", "", "", 400, "user")]
    [InlineData("GET /api/v1/node?user=%zz", "", "", 400, "")]
    [InlineData("GET /api/v1/node?User=a", "", "", 400, "takes only user")]
    [InlineData("POST /api/v1/user", Json, "{\"name\":\"x\"}", 200, "")]
    [InlineData("POST /api/v1/user", "", "{\"name\":\"x\"}", 415, "application/json")]
    [InlineData("POST /api/v1/user", "Content-Type: text/plain\r\n", "{\"name\":\"x\"}", 415, "application/json")]
    [InlineData("POST /api/v1/user", "Content-Type: application/json; charset=latin1\r\n", "{\"name\":\"x\"}", 415, "application/json")]
    [InlineData("POST /api/v1/user", "Content-Type: application/json; charset=\"UTF-8\"\r\n", "{\"name\":\"x\"}", 200, "")]
    [InlineData("POST /api/v1/user", Json + "Content-Encoding: gzip\r\n", "{\"name\":\"x\"}", 415, "encoded")]
    [InlineData("POST /api/v1/user", Json, "", 400, "body")]
    [InlineData("POST /api/v1/user", Json, "{\"name\":\"x\",\"name\":\"y\"}", 400, "twice")]
    [InlineData("POST /api/v1/user", Json, "{\"Name\":\"x\"}", 400, "member")]
    [InlineData("POST /api/v1/user", Json, "{\"n\\u0061me\":\"x\"}", 400, "")]
    [InlineData("POST /api/v1/user", Json, "{\"name\":\"x\",\"admin\":true}", 400, "member")]
    [InlineData("POST /api/v1/user", Json, "{\"name\":\"x\"} {}", 400, "JSON")]
    [InlineData("POST /api/v1/user", Json, "[]", 400, "object")]
    [InlineData("POST /api/v1/user", Json, "{\"name\":7}", 400, "name")]
    [InlineData("POST /api/v1/user", Json, "\u00ef\u00bb\u00bf{\"name\":\"x\"}", 400, "")]
    [InlineData("POST /api/v1/node/11/expire", Json, "{}", 200, "")]
    [InlineData("POST /api/v1/node/11/expire", "", "", 200, "")]
    [InlineData("POST /api/v1/node/11/expire", Json, "{\"expiry\":\"2036-01-01T00:00:00Z\"}", 400, "member")]
    [InlineData("DELETE /api/v1/node/11", Json, "{}", 400, "DELETE takes no body")]
    [InlineData("GET /api/v1/node", Json, "{}", 400, "GET takes no body")]
    [InlineData("POST /api/v1/preauthkey", Json, "{\"user\":\"1\"}", 400, "expiration")]
    [InlineData("POST /api/v1/apikey", Json, "{}", 400, "expiration")]
    public async Task EveryRequestIsUnderstoodOrRefusedInWords(string line, string headers, string body, int status, string says)
    {
        await using var gateway = await TestGateway.StartAsync();
        var bytes = Encoding.Latin1.GetBytes(body);

        var (head, text) = await gateway.SendRawAsync(
            $"{line} HTTP/1.1\r\nHost: x\r\nRemote-User: alice\r\nConnection: "
            + $"close\r\n{headers}{(bytes.Length > 0 || line.StartsWith('P') ? $"Content-Length: {bytes.Length}\r\n" : "")}\r\n",
            bytes);

        head.Should().StartWith($"HTTP/1.1 {status} ");
        text.Contains(says, StringComparison.Ordinal).Should().BeTrue($"the answer says '{says}': {text}");
        gateway.Headscale.Forwarded.Count.Should().Be(status == 200 ? 1 : 0);
        head.Should().Contain("X-Request-Id: ");
        if (line.Contains("/api/v1", StringComparison.Ordinal))
        {
            (await gateway.StopAndReadAuditAsync()).Should().ContainSingle();
        }
    }

    [Theory]
    [InlineData("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Content-Length: 4\r\nContent-Length: 5\r\n")]
    [InlineData("Content-Length: +4\r\n")]
    [InlineData("Content-Length: 0x4\r\n")]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n")]
    public async Task AmbiguousFramingIsRefused(string framing)
    {
        await using var gateway = await TestGateway.StartAsync();

        var (head, _) = await gateway.SendRawAsync(
            $"POST /api/v1/user HTTP/1.1\r\nHost: x\r\nRemote-User: alice\r\nConnection: close\r\n{Json}{framing}\r\n",
            "4\r\n{}\r\n\r\n0\r\n\r\n"u8.ToArray());

        head.Should().MatchRegex("^HTTP/1\\.1 (400|501) ");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Theory]
    [InlineData("2\r\n{}\r\nZZ\r\n")]
    [InlineData("FFFFFFFFFFFFFFFFF\r\n{}")]
    [InlineData("-1\r\n{}")]
    public async Task BrokenChunksAreRefusedBeforeHeadscaleSeesAnything(string chunks)
    {
        await using var gateway = await TestGateway.StartAsync();

        var (head, _) = await gateway.SendRawAsync(
            $"POST /api/v1/user HTTP/1.1\r\nHost: x\r\nRemote-User: alice\r\nConnection: close\r\n{Json}Transfer-Encoding: chunked\r\n\r\n",
            Encoding.ASCII.GetBytes(chunks));

        head.Should().StartWith("HTTP/1.1 400 ");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task AChunkedBodyIsSentOnWithItsLength()
    {
        await using var gateway = await TestGateway.StartAsync();

        var (head, _) = await gateway.SendRawAsync(
            $"POST /api/v1/user HTTP/1.1\r\nHost: x\r\nRemote-User: alice\r\nConnection: close\r\n{Json}Transfer-Encoding: chunked\r\n\r\n",
            "5\r\n{\"nam\r\n7\r\ne\":\"x\"}\r\n0\r\n\r\n"u8.ToArray());

        head.Should().StartWith("HTTP/1.1 200 ");
        var received = gateway.Headscale.Forwarded.Should().ContainSingle().Subject;
        received.Body.Should().Be("""{"name":"x"}""");
        received.Header("Content-Length").Should().Be("12");
        received.Header("Transfer-Encoding").Should().BeNull();
    }

    [Theory]
    [InlineData("/api/v1/user", (1 << 20) + 1)]
    [InlineData("/api/v1/policy", (4 << 20) + 1)]
    public async Task ABodyPastTheLimitIsRefused(string path, int size)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As("alice");

        var (status, text) = await TestGateway.CallAsync(
            client, path.EndsWith("policy", StringComparison.Ordinal) ? "PUT" : "POST", path, new string(' ', size));

        status.Should().Be(413);
        text.Should().Contain("larger than");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task APolicyOfThreeMegabytesIsSentOn()
    {
        await using var gateway = await TestGateway.StartAsync();
        var policy = "{}//" + new string('x', 3 << 20);

        (await gateway.CallAsAsync("alice", "PUT", "/api/v1/policy", $$"""{"policy":"{{policy}}"}""")).Status.Should().Be(200);
        gateway.Headscale.Tailnet.Policy.Should().Be(policy);
    }

    [Theory]
    [InlineData(26, "{\"code\":", "application/json")]
    [InlineData(29, "{\"code\":", "application/json")]
    [InlineData(30, "{\"title\":", "application/problem+json")]
    public async Task ErrorsHaveTheFormOfTheHeadscaleBehind(int version, string start, string type)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var client = gateway.As("vera", "viewer");
        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(200);

        using var response = await client.DeleteAsync(new Uri("/api/v1/node/11", UriKind.Relative));

        ((int)response.StatusCode).Should().Be(403);
        response.Content.Headers.ContentType!.MediaType.Should().Be(type);
        var text = await response.Content.ReadAsStringAsync();
        text.Should().StartWith(start);
        text.Should().Contain("your role viewer lacks write_machines");
    }
}
