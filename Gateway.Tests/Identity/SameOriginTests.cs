using Gateway.Identity;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Identity;

/// <summary>Whether another site may have made a browser send this (Fetch Metadata, RFC 6454).</summary>
[Trait("Category", "Fast")]
public sealed class SameOriginTests
{
    private static readonly Uri _base = new("https://gw.example.test");

    [Theory]
    [InlineData("same-origin", null, false, false, true)]
    [InlineData("same-origin", "https://gw.example.test", true, false, true)]
    [InlineData("same-origin", "https://evil.example", true, true, false)]
    [InlineData("none", null, true, false, false)]
    [InlineData("same-site", null, false, true, false)]
    [InlineData("cross-site", null, false, true, false)]
    [InlineData("cross-site", "https://gw.example.test", false, true, false)]
    [InlineData(null, "https://gw.example.test", false, false, true)]
    [InlineData(null, "https://GW.example.test", false, false, true)]
    [InlineData(null, "https://gw.example.test:8443", false, true, false)]
    [InlineData(null, "http://gw.example.test", false, true, false)]
    [InlineData(null, "null", false, true, false)]
    [InlineData(null, "https://gw.example.test.evil.example", false, true, false)]
    [InlineData(null, null, false, false, false)]
    [InlineData(null, null, true, true, false)]
    public void ItIsSaidByTheBrowserAlone(string? site, string? origin, bool hasCookie, bool isCrossSite, bool isProven)
    {
        var request = new DefaultHttpContext().Request;
        foreach (var (name, value) in new[] { ("Sec-Fetch-Site", site), ("Origin", origin), ("Cookie", hasCookie ? "a=b" : null) })
        {
            if (value is not null)
            {
                request.Headers[name] = value;
            }
        }

        SameOrigin.IsCrossSite(request, _base).Should().Be(isCrossSite);
        SameOrigin.IsProven(request, _base).Should().Be(isProven);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "same-origin", "same-origin")]
    [InlineData("Origin", "https://gw.example.test", "https://gw.example.test")]
    public void TwoWordsOnItAreNone(string name, string first, string second)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers[name] = new([first, second]);
        SameOrigin.IsCrossSite(request, _base).Should().BeTrue();
        SameOrigin.IsProven(request, _base).Should().BeFalse();
    }
}
