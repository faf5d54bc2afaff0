using System.Net;
using System.Text;
using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forwarding;

/// <summary>Tailscale clients notice nothing of the gateway.</summary>
public sealed class ClientPlaneTests
{
    public static TheoryData<string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string>();

            // What was there up to 0.29 is tested with 0.29.
            foreach (var row in Some.Table.Rules.Where(one => one.Plane is Plane.Client && !one.UpgradeOnly
                && !one.Id.StartsWith("client.swagger", StringComparison.Ordinal)))
            {
                foreach (var method in row.Methods)
                {
                    rows.Add(
                        method,
                        row.Path.Pattern.Replace("{id}", "hskey-authreq-0123", StringComparison.Ordinal)
                            .Replace("{platform}", "ios", StringComparison.Ordinal));
                }
            }

            return rows;
        }
    }

    [Theory]
    [InlineData("text/html,application/xhtml+xml", 302, "/admin/")]
    [InlineData("*/*", 404, null)]
    public async Task WhoeverTypesTheHostsNameIntoABrowserComesToThePages(string accept, int status, string? location)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("Accept", accept);

        using var answer = await client.SendAsync(request);

        ((int)answer.StatusCode, answer.Headers.Location?.OriginalString).Should().Be((status, location));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task EveryClientRouteIsForwardedAsItCameAndNobodyIsAsked(string method, string path)
    {
        await using var gateway = await TestGateway.StartAsync(30);
        using var client = gateway.As(null);
        using var request = new HttpRequestMessage(
            new HttpMethod(method), new Uri($"http://{gateway.Url.Authority}{path}?v=113&x=%2e%zz",
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.TryAddWithoutValidation("Cookie", "state_abcdef=1");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.1");
        request.Headers.TryAddWithoutValidation("Remote_User", "alice");
        request.Headers.TryAddWithoutValidation("Derp-Fast-Start", "1");
        request.Content = path == "/verify" ? new StringContent("{}") : null;

        using var response = await client.SendAsync(request);

        var seen = gateway.Headscale.Forwarded.Should().ContainSingle().Subject;
        (seen.Method, seen.Target).Should().Be((method, path + "?v=113&x=%2e%zz"));
        seen.Header("X-Forwarded-For").Should().Be("127.0.0.1");
        seen.Header("Cookie").Should().Be("state_abcdef=1");
        seen.Header("Remote_User").Should().BeNull();
        seen.Header("Derp-Fast-Start").Should().BeNull();
        seen.Header("Authorization").Should().BeNull();
        response.StatusCode.Should().Be(path == "/derp" ? HttpStatusCode.UpgradeRequired : HttpStatusCode.OK);
        response.Headers.Contains("Set-Cookie").Should().BeFalse();
    }

    [Theory]
    [InlineData("GET", "/metrics")]
    [InlineData("GET", "/debug/config")]
    [InlineData("GET", "/")]
    [InlineData("GET", "/apple/../metrics")]
    [InlineData("GET", "/HEALTH")]
    [InlineData("POST", "/health")]
    [InlineData("GET", "/headscale.v1.HeadscaleService/ListUsers")]
    public async Task WhatClientsDoNotNeedIsNotThere(string method, string path)
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var connection = await gateway.ConnectAsync();
        await connection.WriteAsync(
            Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(connection);

        (await reader.ReadLineAsync()).Should().MatchRegex("^HTTP/1.1 40[45] ");
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task ARequestForTheControlProtocolWithoutAnUpgradeIsRefusedHere()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);

        (await client.PostAsync(new Uri("/ts2021", UriKind.Relative), null)).StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task TheCaptivePortalCheckIsAnswered()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.Add("X-Tailscale-Challenge", "ts_derp.example");

        using var answer = await client.GetAsync(new Uri("/generate_204", UriKind.Relative));

        answer.StatusCode.Should().Be(HttpStatusCode.NoContent);
        answer.Headers.GetValues("X-Tailscale-Response").Single().Should().Be("response ts_derp.example");
    }
}
