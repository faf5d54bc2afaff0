using System.Net;
using System.Text;
using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forward;

/// <summary>Tailscale clients notice nothing of the gateway.</summary>
public sealed class ClientPlaneTests
{
    public static TheoryData<string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var row in Some.Table.Rows.Where(one => one.Plane is Plane.Client && !one.UpgradeOnly))
            {
                foreach (var method in row.Methods)
                {
                    rows.Add(method, row.Path.Pattern.Replace("{id}", "hskey-authreq-0123", StringComparison.Ordinal).Replace("{platform}", "ios", StringComparison.Ordinal));
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task EveryClientRouteIsForwardedAsItCameAndNobodyIsAsked(string method, string path)
    {
        await using var gateway = await TestGateway.StartAsync(30);
        using var client = gateway.As(null);
        using var request = new HttpRequestMessage(
            new HttpMethod(method), new Uri($"http://{gateway.Url.Authority}{path}?v=113&x=%2e%zz", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.TryAddWithoutValidation("Cookie", "state_abcdef=1");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.1");
        request.Headers.TryAddWithoutValidation("Remote_User", "alice");
        request.Headers.TryAddWithoutValidation("Derp-Fast-Start", "1");

        using var response = await client.SendAsync(request);

        var seen = Assert.Single(gateway.Headscale.Forwarded);
        Assert.Equal((method, path + "?v=113&x=%2e%zz"), (seen.Method, seen.Target));
        Assert.Equal("127.0.0.1", seen.Header("X-Forwarded-For"));
        Assert.Equal("state_abcdef=1", seen.Header("Cookie"));
        Assert.Null(seen.Header("Remote_User"));
        Assert.Null(seen.Header("Derp-Fast-Start"));
        Assert.Null(seen.Header("Authorization"));
        Assert.Equal(path == "/derp" ? HttpStatusCode.UpgradeRequired : HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
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
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(connection);

        Assert.Matches("^HTTP/1.1 40[45] ", await reader.ReadLineAsync());
        Assert.Empty(gateway.Headscale.Forwarded);
    }

    [Fact]
    public async Task ARequestForTheControlProtocolWithoutAnUpgradeIsRefusedHere()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.PostAsync(new Uri("/ts2021", UriKind.Relative), null)).StatusCode);
        Assert.Empty(gateway.Headscale.Forwarded);
    }

    [Fact]
    public async Task TheCaptivePortalCheckIsAnswered()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var client = gateway.As(null);
        client.DefaultRequestHeaders.Add("X-Tailscale-Challenge", "ts_derp.example");

        using var answer = await client.GetAsync(new Uri("/generate_204", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("response ts_derp.example", answer.Headers.GetValues("X-Tailscale-Response").Single());
    }
}
