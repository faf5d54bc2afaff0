using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Deploy;

/// <summary>Real fronts before the real gateway, with the settings that the comments of each shipped file name.</summary>
public sealed class ChainTests
{
    private static readonly string[] _forged =
    [
        "Remote-User: alice", "Remote-Email: alice@example.test", "Remote-Groups: headscale-admins", "Remote_User: alice",
        "Remote.User: alice", "REMOTE-USER: alice", "Remote-Sub: alice",
        "X-authentik-username: alice", "X-authentik-groups: headscale-admins", "X-authentik-uid: alice", "X-Auth-Request-User: alice",
        "X-Auth-Request-Email: alice@example.test", "X-Forwarded-User: alice", "X-Forwarded-Email: alice@example.test",
        "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6",
    ];

    public static TheoryData<string> Files => [.. new[] { "nginx", "caddy", "haproxy", "apache" }.SelectMany(front =>
        Directory.GetFiles(Path.Combine(Front.Folder, front), "*.*").Where(one => Path.GetExtension(one) != ".lua")
            .Select(one => $"{front}/{Path.GetFileName(one)}")).Order()];

    [FrontTheory]
    [MemberData(nameof(Files))]
    public async Task AFrontFromItsShippedFileKeepsItsPromises(string file)
    {
        await using var chain = await Chain.StartAsync(file);
        using var client = chain.Front.Client();
        var wrong = new List<string>();

        // Tailscale clients are asked nothing.
        Expect(wrong, "client plane", 200, (await SendAsync(client, "/key?v=113")).Status);
        Expect(wrong, "client plane with forged identity", 200, (await SendAsync(client, "/key?v=113", _forged)).Status);
        wrong.AddRange(await UpgradesAsync(chain.Front));

        // Nobody is let in, whatever they say of themselves.
        Expect(
            wrong, "pages of nobody", chain.Style is SignIn.Basic ? 401 : 302,
            (await SendAsync(client, "/admin/", "Accept: text/html")).Status);
        foreach (var header in _forged.Append(""))
        {
            var (status, text) = await SendAsync(client, "/admin/api/me", header, "Accept: application/json");
            Expect(wrong, $"nobody with {header}", true, status is 401 or 302);
            Expect(wrong, $"nobody with {header} is not alice", false, text.Contains("alice", StringComparison.Ordinal));
            Expect(
                wrong, $"API of nobody with {header}", true,
                (await SendAsync(client, "/api/v1/user", header, "Accept: application/json")).Status is 401);
        }

        Expect(
            wrong, "a form of nobody", chain.Style is SignIn.Gateway ? 302 : 401,
            (await SendAsync(client, "/admin/users", [], HttpMethod.Post)).Status);
        Expect(wrong, "a change of nobody", 401, (await SendAsync(client, "/api/v1/user", [], HttpMethod.Post)).Status);
        if (chain.Style is SignIn.Asked)
        {
            using var answer = await client.GetAsync(new Uri("/admin/audit?who=a&what=b", UriKind.Relative));
            Expect(wrong, "nobody is led to the portal", 302, (int)answer.StatusCode);
            Expect(wrong, "the portal's address", true, answer.Headers.Location is not null);
        }

        // Somebody is who they are, with their role, whatever they say of themselves.
        var sam = await chain.SignInAsync(client);
        foreach (var header in _forged.Append(""))
        {
            var (status, text) = await SendAsync(client, "/admin/api/me", [.. sam, header]);
            Expect(wrong, $"sam with {header}", 200, status);
            if (status == 200)
            {
                var me = JsonNode.Parse(text)!;
                Expect(wrong, $"sam with {header}", ("self_service", "7"), ((string?)me["role"], (string?)me["headscaleUser"]?["id"]));
            }
        }

        var nodes = JsonNode.Parse((await SendAsync(client, "/api/v1/node", sam)).Text)!["nodes"]!.AsArray()
            .Select(one => (string?)one!["id"]);
        Expect(wrong, "machines", "17", string.Join(' ', nodes));
        Expect(wrong, "somebody else's machine", 403, (await SendAsync(client, "/api/v1/node/11", sam, HttpMethod.Delete)).Status);
        Expect(wrong, "page", 200, (await SendAsync(client, "/admin/machines", [.. sam, "Accept: text/html"])).Status);

        // A nomination in Connection takes away an identity at most, and puts nobody in its place.
        foreach (var name in new[] { "Remote-User", "Remote-Email", "X-authentik-username", "X-Auth-Request-User", "X-Forwarded-User",
            "Remote-Groups", "X-authentik-groups", "X-Auth-Request-Groups", "X-Forwarded-Groups" })
        {
            var (status, text) = await SendAsync(
                client, "/admin/api/me",
                [.. sam, $"Connection: {name}", "Remote-User: alice", "X-authentik-username: alice", "X-Auth-Request-User: alice",
                    "X-Forwarded-User: alice"]);
            Expect(
                wrong, $"Connection: {name}", true,
                (status == 200 && text.Contains("sam", StringComparison.Ordinal)) || status is 400 or 401 or 403);
            Expect(
                wrong, $"Connection: {name} takes no group away", false,
                status == 200 && !text.Contains("self_service", StringComparison.Ordinal));
            Expect(wrong, $"Connection: {name} makes nobody alice", false, text.Contains("alice", StringComparison.Ordinal));
        }

        if (chain.Style is SignIn.Asked)
        {
            Expect(
                wrong, "a bypass rule names nobody", true,
                (await SendAsync(client, "/admin/api/me", $"Cookie: who={AuthServiceStandIn.Nobody}")).Status is 401 or 403);
            Expect(wrong, "denied", 403, (await SendAsync(client, "/admin/", $"Cookie: who={AuthServiceStandIn.Denied}")).Status);
        }

        foreach (var scheme in new[] { "Bearer", "bearer", "BEARER" })
        {
            Expect(
                wrong, $"own Headscale key by {scheme}", scheme == "Bearer" ? 200 : 401,
                (await SendAsync(client, "/api/v1/user", $"Authorization: {scheme} {chain.Gateway.Headscale.ApiKey}")).Status);
        }

        // A program with a token is who made it, past the sign-in of the front.
        var person = chain.Gateway.People.Snapshot.Everyone.Single(one => one.Link?.HeadscaleUserId == "7").Label;
        var token = await chain.Gateway.MakeTokenAsync(person, "self_service");
        var (ofToken, devices) = await SendAsync(client, "/api/v1/node", $"Authorization: Bearer {token}");
        Expect(wrong, "token", 200, ofToken);
        Expect(wrong, "token's devices", "17", ofToken != 200 ? "" : string.Join(
            ' ', JsonNode.Parse(devices)!["nodes"]!.AsArray().Select(one => (string?)one!["id"])));

        if (!file.StartsWith("apache", StringComparison.Ordinal))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/key?v=113")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var answer = await client.SendAsync(request);
            Expect(wrong, "HTTP/2", HttpStatusCode.OK, answer.StatusCode);
        }

        Expect(wrong, "captive portal", 204, (await SendAsync(client, "http://headscale.example.com/generate_204")).Status);
        Expect(wrong, "plain HTTP", 301, (await SendAsync(client, "http://headscale.example.com/admin/")).Status);

        // The gateway knows whom it talks to, and Headscale heard nothing that was made up.
        chain.Gateway.Headscale.Everything.Should()
            .NotContain(
                one => one.Headers.Any(header => header.Value.Contains("alice", StringComparison.Ordinal)
                    || header.Value.Contains("6.6.6.6", StringComparison.Ordinal)));
        var clients = (await chain.Gateway.StopAndReadAuditAsync()).Select(one => one.Client).Distinct();
        Expect(wrong, "address of the client", "127.0.0.1", string.Join(' ', clients));
        wrong.Should().BeEmpty();
    }

    [FrontTheory]
    [InlineData("nginx/oidc.conf")]
    [InlineData("haproxy/oidc.cfg")]
    public async Task TheProxyProtocolTellsTheAddressWhereItIsSwitchedOn(string file)
    {
        await using var chain = await Chain.StartAsync(file, speaksProxyProtocol: true);
        using var client = chain.Front.Client(
            stream => stream.WriteAsync("PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\n"u8.ToArray()).AsTask());

        (await SendAsync(client, "/api/v1/user", "Accept: application/json", "X-Forwarded-For: 6.6.6.6")).Status.Should().Be(401);
        (await chain.Gateway.StopAndReadAuditAsync()).Select(one => one.Client).Distinct().Should().Equal(["203.0.113.7"]);
    }

    /// <summary>The upgrades of Tailscale's clients, and the WebSockets of those in a browser.</summary>
    private static async Task<IEnumerable<string>> UpgradesAsync(Front front)
    {
        var wrong = new List<string>();
        var handshake = Convert.ToBase64String(new byte[102]);
        foreach (var (name, head, greeting) in new[]
        {
            ("ts2021", $"POST /ts2021 HTTP/1.1\r\nHost: headscale.example.com\r\nContent-Length: 0\r\nConnection: upgrade\r\nUpgrade: "
                + $"tailscale-control-protocol\r\nX-Tailscale-Handshake: {handshake}\r\n\r\n", ClientPlane.Greeting),
            ("derp", "GET /derp HTTP/1.1\r\nHost: headscale.example.com\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n", [1, 0, 0, 0, 40]),
            ("websocket", "GET /derp HTTP/1.1\r\nHost: headscale.example.com\r\nConnection: Upgrade\r\nUpgrade: "
                + "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: derp\r\nSec-WebSocket-Key: "
                + "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", []),
        })
        {
            await using var tunnel = await front.ConnectAsync();
            await tunnel.WriteAsync(Encoding.ASCII.GetBytes(head));
            var answer = await RawPeer.ReadHeadAsync(tunnel);
            Expect(wrong, name, true, answer.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal));
            if (answer.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal) && greeting.Length > 0)
            {
                var bytes = new byte[greeting.Length];
                await tunnel.ReadExactlyAsync(bytes);
                Expect(wrong, $"{name} greets", true, greeting.AsSpan().SequenceEqual(bytes));
                await tunnel.WriteAsync("after"u8.ToArray());
                var rest = new byte[name == "derp" ? 45 : 5];
                await tunnel.ReadExactlyAsync(rest);
                Expect(wrong, $"{name} echoes", "after", Encoding.ASCII.GetString(rest[^5..]));
            }
        }

        return wrong;
    }

    private static void Expect<T>(List<string> wrong, string what, T expected, T actual)
    {
        if (!Equals(expected, actual))
        {
            wrong.Add($"{what}: {expected} expected, {actual} came");
        }
    }

    private static Task<(int Status, string Text)> SendAsync(HttpClient client, string target, params string[] headers) =>
        SendAsync(client, target, headers, HttpMethod.Get);

    private static async Task<(int Status, string Text)> SendAsync(HttpClient client, string target, string[] headers, HttpMethod method)
    {
        using var request = new HttpRequestMessage(method, target);
        foreach (var header in headers.Where(one => one.Length > 0))
        {
            var at = header.IndexOf(": ", StringComparison.Ordinal);
            request.Headers.TryAddWithoutValidation(header[..at], header[(at + 2)..]);
        }

        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
