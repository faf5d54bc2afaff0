using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Users;

/// <summary>Which Headscale user somebody is: one hit or none.</summary>
public sealed class UserMatchingTests
{
    private const string BothOn = "match_email: true, match_username: true";

    [Theory]
    [InlineData("match_email: true", "x", "ann@example.test", "1")]
    [InlineData("match_email: true", "x", "ANN@Example.test", "1")]
    [InlineData("match_email: true", "x", " ann@example.test ", null)]
    [InlineData("match_email: true", "x", "ann@evil@example.test", null)]
    [InlineData("match_email: true", "x", "ann@example.tes", null)]
    [InlineData("match_email: true", "x", "", null)]
    [InlineData("match_email: true", "x", "twin@example.test", null)]

    // The Kelvin sign folds to k in Unicode, and a dotless i to i (CVE-2019-19844).
    [InlineData("match_email: true", "x", "\u212aim@example.test", null)]
    [InlineData("match_email: true", "x", "k\u0131m@example.test", null)]
    [InlineData("match_email: true", "x", "kim@example.test", "6")]
    [InlineData("match_email: false", "x", "ann@example.test", null)]
    [InlineData("match_username: true", "ben", null, "2")]
    [InlineData("match_username: true", "BEN", null, null)]
    [InlineData("match_username: true", "twin", null, null)]
    [InlineData("match_username: false, match_email: false", "ben", null, null)]

    // E-mail is asked before the name, and what it finds is final.
    [InlineData(BothOn, "ben", "ann@example.test", "1")]
    [InlineData(BothOn, "ben", "twin@example.test", null)]
    [InlineData(BothOn, "ben", "unknown@example.test", "2")]
    [InlineData(BothOn, "ben", "claimed@example.test", null)]
    public void EMailAndNameFindTheOnlyUserThatMatches(string rules, string name, string? email, string? expected) =>
        (Find(rules, new Caller
        {
            Source = Source.Proxy,
            Issuer = "",
            Subject = name,
            UserName = name,
            Email = email,
            EmailIsTrusted = !rules.Contains("match_email: false", StringComparison.Ordinal)
                && rules.Contains("match_email", StringComparison.Ordinal)
        })?.Id).Should()
            .Be(expected);

    [Theory]
    [InlineData("https://id.example.test", "sub-7", "7")]
    [InlineData("https://id.example.test/", "sub-8", "8")]
    [InlineData("https://id.example.test", "sub-9", null)]
    [InlineData("https://id.example.test", "../sub-7", null)]
    [InlineData("https://evil.example.test", "sub-7", null)]
    public void AStableSubjectFindsTheUserThatHeadscaleMadeAtItsOwnSignIn(string issuer, string subject, string? expected) =>
        (Find($"subject_header: X-Sub, issuer: '{issuer}'",
            new Caller { Source = Source.Proxy, Issuer = issuer, Subject = subject, UserName = "who" })?.Id).Should()
            .Be(expected);

    [Theory]
    [InlineData("https://id.example.test", "7")]
    [InlineData("", "7")]
    [InlineData("https://other.example", null)]
    public void ASubjectIsOneOfItsOwnIssuer(string issuer, string? expected) =>
        UserMatching.Find(
            new Caller { Source = Source.Proxy, Issuer = issuer, Subject = "sub-7", UserName = "who" },
            new UserSnapshot(_users),
            _ => false,
            Some.Settings("headscale: {url: http://127.0.0.1:1, api_key: k}\noidc: {issuer: 'https://id.example.test', client_id: c, "
                + "client_secret: s}\nserver: {base_url: 'https://gw.example', proxy_auth: {enabled: true, allowed_cidrs: [10.0.0.0/8], "
                + "subject_header: X-Sub}}").Settings!)
            .User?.Id.Should().Be(expected);

    [Fact]
    public void WithoutASubjectHeaderTheLoginNameIsNoProviderId() =>
        Find(
            "match_email: true",
            new Caller { Source = Source.Proxy, Issuer = "https://id.example.test", Subject = "sub-7", UserName = "sub-7" }).Should()
            .BeNull();

    private static HeadscaleUser? Find(string rules, Caller caller) =>
        Match(rules, caller).User;

    private static UserMatch Match(string rules, Caller caller) =>
        UserMatching.Find(caller, new UserSnapshot(_users), id => id == "5", Some.Settings(
        $"headscale: {{url: http://127.0.0.1:1, api_key: k}}\nserver: {{proxy_auth: {{enabled: true, allowed_cidrs: [10.0.0.0/8], "
        + $"email_header: Remote-Email, {rules}}}}}").Settings!);

    [Theory]
    [InlineData("match_email: true", null, true, "there is no usable e-mail address")]
    [InlineData("match_email: false", "ann@example.test", false, "does not count: server.proxy_auth.match_email is off")]
    [InlineData("match_email: true", "twin@example.test", true, "several Headscale users have the address 'twin@example.test'")]
    [InlineData("match_email: true", "claimed@example.test", true, "has the address 'claimed@example.test' is linked to somebody else")]
    [InlineData("match_email: true", "nobody@example.test", true, "no Headscale user has the address 'nobody@example.test'")]
    public void WhoIsNotFoundIsToldWhy(string rules, string? email, bool isTrusted, string why)
    {
        var match = Match(
            rules,
            new Caller { Source = Source.Proxy, Issuer = "", Subject = "x", UserName = "x", Email = email, EmailIsTrusted = isTrusted });

        match.User.Should().BeNull();
        match.Why!.English().Should().Contain(why);
    }

    [Fact]
    public void ASubjectFromAnotherIssuerIsNamed() =>
        Match(
            "subject_header: X-Sub, issuer: 'https://other.example'",
            new Caller { Source = Source.Proxy, Issuer = "https://other.example", Subject = "sub-7", UserName = "who" })
            .Why!.English().Should().Contain(
                " (one has that subject from another issuer, 'https://id.example.test'; headscale.oidc_issuer can name it); there is no ");

    private static readonly HeadscaleUser[] _users =
    [
        User("1", "ann", "ann@example.test"),
        User("2", "ben", ""),
        User("3", "twin", "twin@example.test"),
        User("4", "twin", "twin@example.test"),
        User("5", "claimed", "claimed@example.test"),
        User("6", "kim", "kim@example.test"),
        User("7", "seven", "", "https://id.example.test/sub-7"),
        User("8", "eight", "", "https://id.example.test/sub-8"),
    ];

    private static HeadscaleUser User(string id, string name, string email, string providerId = "") =>
        new()
        {
            Id = id,
            Name = name,
            Email = email,
            ProviderId = providerId,
            Provider = providerId.Length > 0 ? "oidc" : "",
            CreatedAt = "2026-01-01T00:00:00Z",
        };
}
