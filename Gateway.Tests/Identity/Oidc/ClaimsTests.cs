using System.Text.Json;
using Gateway.Identity.Oidc;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>What the provider says about somebody, and what follows from it.</summary>
public sealed class ClaimsTests
{
    [Theory]
    [InlineData("{}", "", null)]
    [InlineData("""{"role":"viewer"}""", "role_claim: role", "viewer")]
    [InlineData("""{"role":["nothing","auditor","viewer"]}""", "role_claim: role", "auditor")]
    [InlineData("""{"realm_access":{"roles":["viewer"]}}""", "role_claim: realm_access.roles", "viewer")]
    [InlineData("""{"https://example.test/roles":["viewer"]}""", "role_claim: https://example.test/roles", "viewer")]
    [InlineData("""{"role":{"not":"a role"}}""", "role_claim: role", "member")]
    [InlineData("""{"role":{"viewer":{"1":"x"}}}""", "role_claim: role", "viewer")]
    [InlineData("""{"resource":{"my.client":{"roles":["viewer"]}}}""", "role_claim: resource.my.client.roles", "viewer")]
    [InlineData("""{"role":["owner"]}""", "role_claim: role", "member")]
    [InlineData("""{"role":7}""", "role_claim: role, default_role: viewer", "viewer")]
    [InlineData("""{"groups":["staff"]}""", "role_claim: groups, role_map: {staff: it_admin}", "it_admin")]
    [InlineData("""{"groups":["viewer"]}""", "role_claim: groups, role_map: {staff: it_admin}", "member")]
    public async Task TheRoleComesFromTheClaimAndElseIsTheDefault(string claims, string settings, string? role)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(
            provider,
            string.Concat(settings.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(one => $"  {one}\n")) + "  scope: openid");
        using var browser = new Browser(gateway);
        provider.Misbehaviour.UserInfo = info => info.Remove("groups");
        provider.Misbehaviour.Payload = payload =>
        {
            foreach (var (name, value) in System.Text.Json.Nodes.JsonNode.Parse(claims)!.AsObject())
            {
                payload[name] = value?.DeepClone();
            }
        };

        await browser.SignInAsync(provider, "sam");

        gateway.People.Snapshot.Everyone.Single().Role.Should().Be(role ?? "member");
    }

    [Fact]
    public async Task ARoleThatTheProviderTakesAwayIsGoneWithTheNextSignIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        gateway.People.Snapshot.Everyone.Single().Role.Should().Be("self_service");

        provider.Accounts = [.. provider.Accounts.Select(one => one with { Groups = [] })];
        await browser.SignInAsync(provider, "sam");

        gateway.People.Snapshot.Everyone.Single().Role.Should().Be("member");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(403);
    }

    [Theory]
    [InlineData("allowed_domains: [example.test]", "sam", true)]
    [InlineData("allowed_domains: [ample.test]", "sam", false)]
    [InlineData("allowed_domains: [elsewhere.test]", "sam", false)]
    [InlineData("allowed_domains: [example.test]", "eve", false)]
    [InlineData("allowed_groups: [staff]", "sam", true)]
    [InlineData("allowed_groups: [Staff]", "sam", false)]
    [InlineData("allowed_groups: [admins]", "sam", false)]
    [InlineData("allowed_users: [sam@example.test]", "sam", true)]
    [InlineData("allowed_users: [alice@example.test]", "eve", false)]
    [InlineData("allowed_users: [SAM@example.test]", "sam", true)]
    public async Task WhoMayNotSignInIsNotEvenStored(string rule, string login, bool isAllowed)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  " + rule);
        using var browser = new Browser(gateway);

        var answer = await browser.SignInAsync(provider, login);

        answer.Status.Should().Be(isAllowed ? 302 : 403);
        gateway.People.Snapshot.Everyone.Count.Should().Be(isAllowed ? 1 : 0);
    }

    [Theory]
    [InlineData("", "member")]
    [InlineData("  allowed_users: [alice@example.test]", null)]
    [InlineData("  allowed_domains: [example.test]", null)]
    public async Task TheAddressOfOneDocumentIsNotVerifiedByAnother(string rule, string? role)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await TestGateway.StartAsync(
            more: $"oidc:\n  issuer: {provider.Issuer}\n  client_id: {ProviderStandIn.ClientId}\n  client_secret: "
                + $"'{ProviderStandIn.ClientSecret}'\n  role_claim: groups\n{rule}\nbootstrap: {{owner: 'email:alice@example.test'}}",
            server: "  trusted_proxies: [127.0.0.1]");
        using var browser = new Browser(gateway);
        provider.Misbehaviour.Payload = payload => payload["email"] = "alice@example.test";
        provider.Misbehaviour.UserInfo = info =>
            (info["email"], info["email_verified"], info["groups"]) = ("mallory@evil.test", true, new System.Text.Json.Nodes.JsonArray());

        await browser.SignInAsync(provider, "eve");
        await browser.GetAsync("/admin/api/me");

        gateway.People.Snapshot.Everyone.Select(one => (one.Role, one.Link?.HeadscaleUserId)).Should()
            .Equal(role is null ? [] : [(role, (string?)null)]);
    }

    [Theory]
    [InlineData("root1\u00a0")]
    [InlineData(" root1")]
    [InlineData("root1 ")]
    [InlineData("\u2003root1")]
    public async Task NobodyBecomesSomebodyElseByABlank(string subject)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await gateway.People.AddAsync(
            new(Gateway.Identity.Source.Oidc, provider.Issuer, "root1", "Root", "root@example.test", null, "admin"), null);
        provider.Misbehaviour.Payload = payload => payload["sub"] = subject;
        provider.Misbehaviour.UserInfo = info => info["sub"] = subject;

        (await browser.SignInAsync(provider, "sam")).Status.Should().Be(502);

        gateway.People.Snapshot.Everyone.Should().ContainSingle().Which.Should()
            .BeEquivalentTo(new { Name = "Root", Email = "root@example.test" });
        (await Verb.RunAsync("users", "add", "--source", "oidc", "--issuer", provider.Issuer, "--subject", subject, "--role", "admin",
            "--config", gateway.Files.Config))
            .Error.Should().Contain("--subject ", "a subject that nobody can have is refused there, too");
    }

    [Theory]
    [InlineData("sam", "", "7")]
    [InlineData("eve", "", null)]
    [InlineData("eve", "  match_email: always", "1")]
    [InlineData("sam", "  match_email: off", null)]
    [InlineData("auth0", "", "61")]
    [InlineData("slash", "", "62")]
    public async Task PeopleFindTheirHeadscaleUserAndNobodyElses(string login, string more, string? expected)
    {
        foreach (var version in new[] { 26, 28, 29, 30 })
        {
            await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
            await using var gateway = await SignInSetup.StartAsync(
                provider, more.Length > 0 ? more : "  default_role: self_service", version);
            gateway.Headscale.Tailnet.Users.Add(new TailnetUser(61, "auth0", "", $"{provider.Issuer}/auth0%7C5f7c"));
            gateway.Headscale.Tailnet.Users.Add(new TailnetUser(62, "slash", "", $"{provider.Issuer}/tenant/42"));
            gateway.Headscale.Tailnet.Users.Add(new TailnetUser(63, "decoy", "", "https://other.example/42"));
            using var browser = new Browser(gateway);

            await browser.SignInAsync(provider, login);
            await browser.GetAsync("/admin/api/me");

            (gateway.People.Snapshot.Everyone.Single().Link?.HeadscaleUserId).Should().Be(expected);
        }
    }

    [Theory]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":true}""", true)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":"true"}""", true)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":"false"}""", false)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":1}""", false)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b"}""", false)]
    [InlineData("""{"sub":"s","email_verified":false}""", """{"email":"a@b","email_verified":true}""", true)]

    // A pair out of one document, and never one document's word about another's address.
    [InlineData("""{"sub":"s","email":"a@b"}""", """{"email":"m@evil","email_verified":true}""", false)]
    [InlineData("""{"sub":"s","email":"a@b","email_verified":true}""", """{"email":"m@evil","email_verified":false}""", true)]
    [InlineData("""{"sub":"s","email_verified":true}""", """{"email":"a@b"}""", false)]
    [InlineData("""{"sub":"s","email":"a@b"}""", """{"email":"a@b","email_verified":true}""", false)]
    [InlineData("""{"sub":"s","email":7,"email_verified":true}""", """{"email":"a@b","email_verified":true}""", false)]
    [InlineData("""{"sub":"s","email":"a@evil@b","email_verified":true}""", """{}""", false)]
    [InlineData("""{"sub":"s","email":" a@b","email_verified":true}""", """{}""", false)]
    public void AnAddressIsVerifiedOnlyWhenTheProviderSaysSo(string token, string info, bool expected) =>
        Read(token, info, "").EmailIsVerified.Should().Be(expected);

    [Theory]
    [InlineData("""{"sub":"s","name":"Ann"}""", "Ann")]
    [InlineData("""{"sub":"s","given_name":"Ann","family_name":"Lee"}""", "Ann Lee")]
    [InlineData("""{"sub":"s","family_name":"Lee"}""", "Lee")]
    [InlineData("""{"sub":"s","preferred_username":"ann"}""", "ann")]
    [InlineData("""{"sub":"s","name":"  "}""", null)]
    [InlineData("""{"sub":"s","name":" Ann "}""", " Ann ")]
    public void TheNameIsWhatIsThere(string token, string? expected) => Read(token, "{}", "").Name.Should().Be(expected);

    [Theory]
    [InlineData("""{"sub":"s","oid":"o"}""", "subject_claims: [oid]", "s")]
    [InlineData("""{"oid":"o"}""", "subject_claims: [upn, oid]", "o")]
    public void TheSubjectIsSubAndElseTheFirstOfTheOthers(string token, string settings, string expected) =>
        Read(token, "{}", settings).Subject.Should().Be(expected);

    [Theory]
    [InlineData("""{"sub":"s"}""", "claim 'groups' is absent")]
    [InlineData("""{"sub":"s","groups":null}""", "claim 'groups' is absent")]
    [InlineData("""{"sub":"s","groups":[]}""", "claim 'groups' is an empty list")]
    [InlineData("""{"sub":"s","groups":["/headscale-admins","/staff"]}""", "claim 'groups' is a list of 2: '/headscale-admins', '/staff'")]
    [InlineData("""{"sub":"s","groups":"users,headscale-admins"}""", "claim 'groups' is the text 'users,headscale-admins'")]
    [InlineData("""{"sub":"s","groups":{"headscale-admins":{"1":"x"}}}""", "claim 'groups' is an object with the key 'headscale-admins'")]
    [InlineData("""{"sub":"s","groups":7}""", "claim 'groups' is a number, which has no names in it")]
    [InlineData("""{"sub":"s","groups":["a",7]}""", "claim 'groups' is a list with a number in it, which has no names in it")]
    [InlineData("""{"sub":"s","groups":[{"name":"a"}]}""", "claim 'groups' is a list with an object in it, which has no names in it")]
    [InlineData("""{"sub":"s","_claim_names":{"groups":"src1"}}""",
        "claim 'groups' was left out by the provider because there are too many groups (overage); "
            + "have it send only those of this application, or app roles")]
    [InlineData("""{"sub":"s","hasgroups":true}""",
        "claim 'groups' was left out by the provider because there are too many groups (overage); "
            + "have it send only those of this application, or app roles")]
    public void GroupsAreReadOrNamedAsUnreadable(string token, string expected) =>
        Read(token, "{}", "role_claim: groups").Roles.Describe().Should().Be(expected);

    [Theory]
    [InlineData("""{"sub":" root1"}""")]
    [InlineData("""{"sub":"root1 "}""")]
    [InlineData("""{"sub":"root1\u00a0"}""")]
    [InlineData("""{"sub":"\u2003u1"}""")]
    [InlineData("""{"sub":"root1\u3164"}""")]
    [InlineData("""{"sub":"root1\u2800"}""")]
    [InlineData("""{"sub":"root1\ufe0f"}""")]
    public void ASubjectThatOnlyLooksLikeAnotherIsRefused(string token) =>
        FluentActions.Invoking(() => Read(token, "{}", "")).Should()
            .Throw<SignInException>("a subject is compared byte for byte").Which.Failure.Should().Be(SignInFailure.SubjectUnusable);

    [Theory]
    [InlineData("""{"name":"x"}""", "", SignInFailure.SubjectMissing, "the token has no 'sub'")]
    [InlineData("""{"sub":null}""", "", SignInFailure.SubjectMissing, "the token has no 'sub'")]
    [InlineData("""{"sub":""}""", "", SignInFailure.SubjectMissing, "the token's 'sub' is empty")]
    [InlineData("""{"sub":42}""", "", SignInFailure.SubjectUnusable, "the token's 'sub' is a number")]
    [InlineData("""{"name":"x"}""", "subject_claims: [oid, upn]", SignInFailure.SubjectMissing,
        "neither 'sub' nor any of oidc.subject_claims (oid, upn)")]
    [InlineData("""{"oid":7}""", "subject_claims: [oid]", SignInFailure.SubjectUnusable, "the token's 'oid' is a number")]
    public void AMissingSubjectIsNamedAsSuch(string token, string settings, object failure, string says)
    {
        var thrown = FluentActions.Invoking(() => Read(token, """{"sub":"of user info alone"}""", settings)).Should()
            .Throw<SignInException>().Which;
        thrown.Failure.Should().Be((SignInFailure)failure);
        thrown.Message.Should().Contain(says);
    }

    private static Gateway.Identity.Caller Read(string token, string info, string settings)
    {
        using var claims = JsonDocument.Parse(token);
        using var more = JsonDocument.Parse(info);
        return new Claims(claims.RootElement, more.RootElement).ToCaller(Some.Settings(
            $"headscale: {{url: http://h, api_key: k}}\nserver: {{base_url: https://g}}\noidc: {{issuer: https://id, client_id: c, "
            + $"client_secret: s, {settings}}}").Settings!.Oidc!);
    }
}
