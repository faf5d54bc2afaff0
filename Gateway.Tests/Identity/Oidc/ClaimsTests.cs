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
    [InlineData("""{"role":{"not":"a list"}}""", "role_claim: role", "member")]
    [InlineData("""{"role":["owner"]}""", "role_claim: role", "member")]
    [InlineData("""{"role":7}""", "role_claim: role, default_role: viewer", "viewer")]
    [InlineData("""{"groups":["staff"]}""", "role_claim: groups, role_map: {staff: it_admin}", "it_admin")]
    [InlineData("""{"groups":["viewer"]}""", "role_claim: groups, role_map: {staff: it_admin}", "member")]
    public async Task TheRoleComesFromTheClaimAndElseIsTheDefault(string claims, string settings, string? role)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, string.Concat(settings.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(one => $"  {one}\n")) + "  scope: openid");
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

        Assert.Equal(role ?? "member", gateway.People.Snapshot.Everyone.Single().Role);
    }

    [Fact]
    public async Task ARoleThatTheProviderTakesAwayIsGoneWithTheNextSignIn()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        Assert.Equal("self_service", gateway.People.Snapshot.Everyone.Single().Role);

        provider.Accounts = [.. provider.Accounts.Select(one => one with { Groups = [] })];
        await browser.SignInAsync(provider, "sam");

        Assert.Equal("member", gateway.People.Snapshot.Everyone.Single().Role);
        Assert.Equal(403, (await browser.GetAsync("/api/v1/node")).Status);
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

        Assert.Equal(isAllowed ? 302 : 403, answer.Status);
        Assert.Equal(isAllowed ? 1 : 0, gateway.People.Snapshot.Everyone.Count);
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
            await using var gateway = await SignInSetup.StartAsync(provider, more.Length > 0 ? more : "  default_role: self_service", version);
            gateway.Headscale.Tailnet.Users.Add(new TailnetUser(61, "auth0", "", $"{provider.Issuer}/auth0%7C5f7c"));
            gateway.Headscale.Tailnet.Users.Add(new TailnetUser(62, "slash", "", $"{provider.Issuer}/tenant/42"));
            gateway.Headscale.Tailnet.Users.Add(new TailnetUser(63, "decoy", "", "https://other.example/42"));
            using var browser = new Browser(gateway);

            await browser.SignInAsync(provider, login);
            await browser.GetAsync("/admin/api/me");

            Assert.Equal(expected, gateway.People.Snapshot.Everyone.Single().Link?.HeadscaleUserId);
        }
    }

    [Theory]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":true}""", true)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":"true"}""", true)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":"false"}""", false)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b","email_verified":1}""", false)]
    [InlineData("""{"sub":"s"}""", """{"email":"a@b"}""", false)]
    [InlineData("""{"sub":"s","email_verified":false}""", """{"email":"a@b","email_verified":true}""", false)]
    public void AnAddressIsVerifiedOnlyWhenTheProviderSaysSo(string token, string info, bool expected) =>
        Assert.Equal(expected, Read(token, info, "").EmailIsVerified);

    [Theory]
    [InlineData("""{"sub":"s","name":"Ann"}""", "Ann")]
    [InlineData("""{"sub":"s","given_name":"Ann","family_name":"Lee"}""", "Ann Lee")]
    [InlineData("""{"sub":"s","family_name":"Lee"}""", "Lee")]
    [InlineData("""{"sub":"s","preferred_username":"ann"}""", "ann")]
    [InlineData("""{"sub":"s","name":"  "}""", null)]
    public void TheNameIsWhatIsThere(string token, string? expected) => Assert.Equal(expected, Read(token, "{}", "").Name);

    [Theory]
    [InlineData("""{"sub":"s","oid":"o"}""", "subject_claims: [oid]", "s")]
    [InlineData("""{"oid":"o"}""", "subject_claims: [upn, oid]", "o")]
    public void TheSubjectIsSubAndElseTheFirstOfTheOthers(string token, string settings, string expected) => Assert.Equal(expected, Read(token, "{}", settings).Subject);

    private static Gateway.Identity.Caller Read(string token, string info, string settings)
    {
        using var claims = JsonDocument.Parse(token);
        using var more = JsonDocument.Parse(info);
        return new Claims(claims.RootElement, more.RootElement).ToCaller(Some.Settings(
            $"headscale: {{url: http://h, api_key: k}}\nserver: {{base_url: https://g}}\noidc: {{issuer: https://id, client_id: c, client_secret: s, {settings}}}").Settings!.Oidc!);
    }
}
