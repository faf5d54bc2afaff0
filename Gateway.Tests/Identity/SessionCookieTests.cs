using Gateway.Identity;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Identity;

/// <summary>Cookie names are compared byte for byte, on all lines of the header.</summary>
[Trait("Category", "Fast")]
public sealed class SessionCookieTests
{
    private static readonly string _value = new('a', 64);

    [Theory]
    [InlineData("__Host-headtower=V", true)]
    [InlineData("a=b; __Host-headtower=V;c=d", true)]
    [InlineData("a=b|__Host-headtower=V", true)]
    [InlineData("__Host-headtower=V|__Host-headtower=V", false)]
    [InlineData("__Host-headtower=V; __Host-headtower=V", false)]
    [InlineData("\u2000__Host-headtower=V", false)]
    [InlineData("\u00a0__Host-headtower=V", false)]
    [InlineData("__host-headtower=V", false)]
    [InlineData("__Host-headtower =V", false)]
    [InlineData("__Host-headtowerx=V", false)]
    [InlineData("headtower=V", false)]
    [InlineData("__Host-headtower=V\u2000", false)]
    [InlineData("__Host-headtower=short", false)]
    [InlineData("__Host-headtower", false)]
    [InlineData("", false)]
    public void OnlyTheExactNameCountsAndOnlyOnce(string header, bool isRead)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.Cookie = header.Replace("V", _value, StringComparison.Ordinal).Split('|');
        var settings = Some.Settings("headscale: {url: http://h}\nserver: {base_url: https://gw.example.test}").Settings!.Server.Cookie;

        SessionCookie.Read(request, settings).Should().Be(isRead ? _value : null);
    }

    [Theory]
    [InlineData("a=b", "a=b")]
    [InlineData("a=b|c=d", "a=b; c=d")]
    [InlineData("a=b; __Host-headtower=x; c=d", "a=b; c=d")]
    [InlineData("__Host-headtower=x|headtower=y|__Secure-headtower-signin.1=z|headtower-once-key=k|__Host-headtower-form=f", null)]
    [InlineData("headtowers=mine; __Host-headtowerx=y", "headtowers=mine; __Host-headtowerx=y")]
    [InlineData("", null)]
    public void TheGatewaysOwnCookiesGoNoFurther(string header, string? sent) =>
        SessionCookie.WithoutOwn(new(header.Split('|'))).Should().Be(sent);
}
