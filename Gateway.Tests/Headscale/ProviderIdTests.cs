using Gateway.Headscale;

namespace Gateway.Tests.Headscale;

/// <summary>Issuer, subject, what 0.28 and before stored, what 0.29 and later store; computed with Go's net/url.</summary>
public sealed class ProviderIdTests
{
    [Theory]
    [InlineData("https://id.example.com", "1234", "https://id.example.com/1234", null)]
    [InlineData("https://id.example.com/", "1234", "https://id.example.com/1234", null)]
    [InlineData("https://tenant.auth0.com/", "auth0|5f7c", "https://tenant.auth0.com/auth0%7C5f7c", null)]
    [InlineData("https://id.example.com", "john doe", "https://id.example.com/john%20doe", null)]
    [InlineData("https://id.example.com", "a/b", "https://id.example.com/a/b", null)]
    [InlineData("https://id.example.com", "/a//b/", "https://id.example.com/a/b", null)]
    [InlineData("https://id.example.com", "a%2Fb", "https://id.example.com/a%2Fb", null)]
    [InlineData("https://id.example.com", "user@x.org", "https://id.example.com/user@x.org", null)]
    [InlineData("https://id.example.com", "a+b=c&d", "https://id.example.com/a+b=c&d", null)]
    [InlineData("https://id.example.com", "a:b", "https://id.example.com/a:b", null)]
    [InlineData("https://id.example.com", "CN=Bob,O=Ex", "https://id.example.com/CN=Bob,O=Ex", null)]
    [InlineData("https://id.example.com", "ümlaut", "https://id.example.com/%C3%BCmlaut", null)]
    [InlineData("https://id.example.com", "[x]{y}", "https://id.example.com/%5Bx%5D%7By%7D", null)]
    [InlineData("https://id.example.com", "a\\b", "https://id.example.com/a%5Cb", null)]
    [InlineData("https://id.example.com", "a?b", "https://id.example.com/a%3Fb", "https://id.example.com/a?b")]
    [InlineData("https://id.example.com", "a#b", "https://id.example.com/a%23b", "https://id.example.com/a#b")]
    [InlineData("https://id.example.com", "100%", "https://id.example.com", "https:/id.example.com/100%")]
    [InlineData("accounts.google.com", "1", "accounts.google.com/1", null)]
    [InlineData("https://ID.Example.com:8443", "S", "https://ID.Example.com:8443/S", null)]
    [InlineData("HTTPS://id.example.com/realms/x", "S", "https://id.example.com/realms/x/S", null)]
    public void BothRulesOfHeadscaleAreBuilt(string issuer, string subject, string before, string? since) =>
        ProviderId.Candidates(issuer, subject).Should().Equal(since is null ? [before] : [since, before]);

    [Theory]
    [InlineData("https://id.example.com", "..")]
    [InlineData("https://id.example.com", "a/../b")]
    [InlineData("https://id.example.com", "")]
    [InlineData("", "1")]
    public void ASubjectThatCouldTakeOverAnotherIdMatchesNobody(string issuer, string subject) =>
        ProviderId.Candidates(issuer, subject).Should().BeEmpty();
}
