using System.Net;
using Gateway.Edge;
using Gateway.Settings;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Edge;

/// <summary>
/// Who the client is behind trusted proxies: what clients write themselves changes nothing, and a proxy is never taken for its clients.
/// </summary>
[Trait("Category", "Fast")]
public sealed class ForwardedClientTests
{
    private static readonly ServerSettings _server = Support.Some.Settings(
        "headscale: {url: http://h}\nserver: {trusted_proxies: [10.0.0.0/8, '::1']}").Settings!.Server;

    [Theory]
    [InlineData("10.0.0.1", "192.0.2.7", "192.0.2.7")]
    [InlineData("10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7")]
    [InlineData("10.0.0.1", "rubbish, 192.0.2.7", "192.0.2.7")]
    [InlineData("10.0.0.1", "<script>, , 192.0.2.7, 10.0.0.2", "192.0.2.7")]
    [InlineData("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3")]
    [InlineData("10.0.0.1", "192.0.2.7, rubbish", null)]
    [InlineData("10.0.0.1", "rubbish", null)]
    [InlineData("10.0.0.1", "", null)]
    [InlineData("10.0.0.1", "unknown", null)]
    [InlineData("10.0.0.1", null, "10.0.0.1")]
    [InlineData("192.0.2.9", "203.0.113.9", "192.0.2.9")]
    [InlineData("::ffff:10.0.0.1", "192.0.2.7:4711", "192.0.2.7")]
    [InlineData("::1", "[2001:db8::7]:4711", "2001:db8::7")]
    public void TheClientIsTheLastAddressThatNoTrustedProxyHas(string peer, string? forwarded, string? client)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        if (forwarded is not null)
        {
            context.Request.Headers["X-Forwarded-For"] = forwarded;
        }

        Peer.Of(context, _server).Client?.ToString().Should().Be(client);
    }
}
