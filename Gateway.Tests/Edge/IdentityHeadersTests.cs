using Gateway.Edge;
using Gateway.Settings;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Edge;

/// <summary>Headers that name people are taken off in every spelling that a server behind the gateway could fold together.</summary>
[Trait("Category", "Fast")]
public sealed class IdentityHeadersTests
{
    private static readonly ProxyAuthSettings _settings = Some.Settings(
        "headscale: {url: http://h, api_key: hskey-api-aaaaaaaaaaaa-" + new string('a', 64) + "}\nserver: {proxy_auth: {enabled: true, "
            + "user_header: X-MyUser, ip_header: X-Forwarded-For}}")
        .Settings!.Server.ProxyAuth!;

    public static TheoryData<char> TokenCharacters => [.. "!#$%&'*+-.^_`|~"];

    [Theory]
    [InlineData("X-MyUser")]
    [InlineData("x_myuser")]
    [InlineData("Remote-User")]
    [InlineData("X-Goog-Authenticated-User-Email")]
    [InlineData("X-Goog-IAP-JWT-Assertion")]
    [InlineData("x-amzn-oidc-identity")]
    [InlineData("X-MS-CLIENT-PRINCIPAL")]
    [InlineData("X-MS-CLIENT-PRINCIPAL-NAME")]
    [InlineData("X-Authenticated-Userid")]
    [InlineData("X-Userinfo")]
    [InlineData("X-Id-Token")]
    [InlineData("X-Access-Token")]
    [InlineData("X-Forward-Auth-User")]
    [InlineData("Cf-Access-Jwt-Assertion")]
    [InlineData("X-Forwarded-Prefix")]
    [InlineData("Forwarded")]
    public void HeadersOfKnownProxiesAreTakenOff(string name)
    {
        var headers = new HeaderDictionary { [name] = "mallory", ["Accept"] = "*/*" };
        var taken = IdentityHeaders.TakeFrom(headers, _settings);

        headers.Keys.Should().Equal(["Accept"]);
        taken[name].ToString().Should().Be("mallory");
    }

    [Theory]
    [MemberData(nameof(TokenCharacters))]
    public void EveryTokenCharacterCountsAsTheSameSeparator(char separator)
    {
        foreach (var name in new[] { $"X{separator}MyUser", $"Remote{separator}User", $"X{separator}Forwarded{separator}For",
            $"x{separator}goog{separator}iap" })
        {
            var headers = new HeaderDictionary { [name] = "mallory" };
            IdentityHeaders.TakeFrom(headers, _settings);
            headers.Should().BeEmpty();
        }
    }

    [Theory]
    [InlineData("Accept")]
    [InlineData("User-Agent")]
    [InlineData("X-Tailscale-Handshake")]
    [InlineData("Remote")]
    [InlineData("X-MyUserName")]
    [InlineData("Sec-WebSocket-Key")]
    public void OtherHeadersStay(string name)
    {
        var headers = new HeaderDictionary { [name] = "value" };
        IdentityHeaders.TakeFrom(headers, _settings).AnyConfigured.Should().BeFalse();
        headers.Keys.Should().Equal([name]);
    }

    [Theory]
    [InlineData("close, X-MyUser", "X-MyUser", true)]
    [InlineData("x_myuser", "X-MyUser", true)]
    [InlineData("keep-alive", "X-MyUser", false)]
    public void ANominatedHeaderIsNoticed(string connection, string name, bool isNominated) =>
        IdentityHeaders.TakeFrom(new HeaderDictionary { ["Connection"] = connection }, _settings).IsNominated(name).Should()
            .Be(isNominated);
}
