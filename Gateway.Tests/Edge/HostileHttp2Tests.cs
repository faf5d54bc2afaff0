using Gateway.Edge;
using Gateway.Tests.Support;

namespace Gateway.Tests.Edge;

/// <summary>The same requests as HTTP/2 frames, over TLS and without, and what only HTTP/2 can say.</summary>
public sealed class HostileHttp2Tests
{
    /// <summary>About connections and framing, HTTP/2 says other things in other ways (RFC 9113 8.2.2).</summary>
    private static readonly HashSet<string> _ofConnections = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Transfer-Encoding", "Upgrade", "Keep-Alive", "Proxy-Connection", "TE", "Host",
    };

    public static TheoryData<string> Classes =>
        [.. HostileRequest.All.Select(one => one.Class).Distinct().Except(["framing", "hop-by-hop"])];

    [Theory]
    [MemberData(nameof(Classes))]
    public async Task NoneOfThemGetsPastTheGatewayInFramesEither(string kind)
    {
        await using var guarded = await GuardedGateway.StartAsync();
        var (wrong, sent, answered) = (new List<string>(), 0, 0);
        foreach (var (request, tls) in HostileRequest.All.Where(one => one.Class == kind && one.Parts is not null)
            .SelectMany(one => new[] { (one, false), (one, true) }))
        {
            var (method, target, headers, body) = request.Parts!.Value;
            var authority = headers.FirstOrDefault(one => one.Name.Equals("Host", StringComparison.OrdinalIgnoreCase)).Value ?? "";
            guarded.Gateway.Headscale.Forget();
            await using var connection = await guarded.ConnectHttp2Async(request.IsProxy, tls);
            var answer = await new Http2Peer(connection).SendAsync(
                [(":method", method), (":scheme", tls ? "https" : "http"), (":path", target), (":authority", authority),
                    .. headers.Where(one => !_ofConnections.Contains(one.Name)).Select(one => (Lower(one.Name), one.Value))],
                body);
            sent++;

            // A stream that is reset, and a request that Kestrel finds malformed, are refusals, too.
            var statuses = GuardedGateway.StatusesOf(answer).Where(one => one is not (0 or 400)).ToArray();
            answered += statuses.Length > 0 ? 1 : 0;
            wrong.AddRange(request.Judge(statuses, answer, guarded.Gateway.Headscale.Forwarded));
        }

        wrong.Should().BeEmpty();
        sent.Should().BeGreaterThan(2);
        answered.Should().BeGreaterThan(0, "a peer that cannot speak would pass otherwise");
    }

    [Theory]
    [InlineData("upper case in a name", 0, "Remote-User=alice")]
    [InlineData("a header about the connection", 0, "connection=remote-user")]
    [InlineData("another encoding of the body", 0, "transfer-encoding=chunked")]
    [InlineData("a path twice", 0, ":path=/api/v1/node|:path=/health")]
    [InlineData("a method twice", 0, ":method=GET|:method=DELETE")]
    [InlineData("a pseudo-header after the others", 0, "remote-user=vera|:authority=evil.example")]
    [InlineData("an unknown pseudo-header", 0, ":user=alice")]
    [InlineData("no path", 0, ":path=")]
    [InlineData("no host", 400, ":authority=")]
    [InlineData("a path that is none", 0, ":path=api/v1/apikey")]
    [InlineData("a whole address as path", 0, ":path=http://evil.example/api/v1/apikey")]
    [InlineData("another scheme", 0, ":scheme=ftp")]
    [InlineData("a method in lower case", 400, ":method=get")]
    [InlineData("a tunnel through us", 0, ":method=CONNECT")]
    [InlineData("a line break in a value", 0, "remote-user=vera\r\nx: y")]
    [InlineData("a zero in a value", 0, "remote-user=vera\0")]
    [InlineData("two people", 401, "remote-user=vera|remote-user=alice")]
    [InlineData("another spelling of a person", 401, "remote-user=|remote_user=alice")]
    [InlineData("a body that is longer than said", 400, "content-length=1")]
    public async Task WhatOnlyFramesCanSayIsRefused(string what, int status, string changed)
    {
        await using var guarded = await GuardedGateway.StartAsync();
        var changes = changed.Split('|').Select(one => (Name: one[..one.IndexOf('=', 1)], Value: one[(one.IndexOf('=', 1) + 1)..]))
            .ToArray();
        foreach (var tls in new[] { false, true })
        {
            (string Name, string Value)[] usual =
            [
                (":method", "GET"), (":scheme", tls ? "https" : "http"), (":path", "/api/v1/node"), (":authority", "gw.example.test"),
                ("accept", "application/json"), ("x-forwarded-for", "192.0.2.10"), ("remote-user", "vera"),
            ];
            await using var connection = await guarded.ConnectHttp2Async(asProxy: true, tls);

            // What is changed takes the place of the usual; what is said twice, or late, stands beside it.
            var kept = usual.Where(one => !changes.Any(change => change.Name == one.Name)).ToArray();
            var pseudo = changes.Where(one => one.Name[0] == ':' && !what.Contains("after", StringComparison.Ordinal)).ToArray();
            var answer = await new Http2Peer(connection).SendAsync(
                [.. kept.Where(one => one.Name[0] == ':'), .. pseudo, .. kept.Where(one => one.Name[0] != ':'), .. changes.Except(pseudo)],
                what.Contains("body that", StringComparison.Ordinal) ? "{}" : "");

            var got = GuardedGateway.StatusesOf(answer).Should().ContainSingle().Subject;
            (got == status || got is 0 or 400).Should().BeTrue($"{what} was answered {got}");
        }

        guarded.Gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhoIsAllowedToIsServed(bool tls)
    {
        await using var guarded = await GuardedGateway.StartAsync();
        await using var connection = await guarded.ConnectHttp2Async(asProxy: true, tls);

        var answer = await new Http2Peer(connection).SendAsync(
            [(":method", "POST"), (":scheme", tls ? "https" : "http"), (":path", "/api/v1/user"), (":authority", "gw.example.test"),
                ("x-forwarded-for", "192.0.2.10"), ("remote-user", "bob"), ("content-type", "application/json")],
            """{"name":"new"}""",
            trailers: [("remote-user", "alice"), ("authorization", "Bearer x")]);

        answer.Should().StartWith("HTTP/1.1 200");
        var seen = guarded.Gateway.Headscale.Forwarded.Should().ContainSingle().Subject;
        (seen.Body, seen.Header("Authorization"), seen.Header("X-Forwarded-Host")).Should()
            .Be(("""{"name":"new"}""", $"Bearer {guarded.Gateway.Headscale.ApiKey}", "gw.example.test"));
        seen.Header("Remote-User").Should().BeNull();
        (await guarded.Gateway.StopAndReadAuditAsync()).Single(one => one.Row == "users.create").Actor.Should().Be("proxy:bob");
    }

    /// <summary>Names are lower case in frames.</summary>
    private static string Lower(string name) => string.Create(name.Length, name, (to, from) => from.AsSpan().ToLowerInvariant(to));
}
