using System.Net;
using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>
/// Whoever has no rights or no Headscale user is told why: on their page, on their page for administrators, on the command line, in log and
/// audit.
/// </summary>
public sealed class WhyNotTests
{
    [Theory]
    [InlineData("eve", "", "the address 'alice@example.test' does not count: the provider does not say that it verified it "
        + "(email_verified)")]
    [InlineData("nobody", "", "no Headscale user has the address 'nobody@example.test'")]
    [InlineData("mute", "", "there is no usable e-mail address")]
    [InlineData("twin", "", "several Headscale users have the address 'twin@example.test'")]
    [InlineData("taken", "", "the Headscale user that has the address 'bob@example.test' is linked to somebody else")]
    [InlineData("elsewhere", "", "one has that subject from another issuer, 'https://other.example'")]
    public async Task WhyNobodyIsLinked(string login, string more, string why)
    {
        await using var provider = await ProviderStandIn.StartAsync(
        [
            .. SignInSetup.Accounts,
            new("nobody", "sub-nobody", "No Body", "nobody@example.test", true, []),
            new("mute", "sub-mute", "Mute", "", true, []),
            new("twin", "sub-twin", "Twin", "twin@example.test", true, []),
            new("taken", "sub-taken", "Taken", "bob@example.test", true, []),
            new("elsewhere", "sub-elsewhere", "Else Where", "elsewhere@example.test", true, []),
        ]);
        await using var gateway = await SignInSetup.StartAsync(provider, more);
        gateway.Headscale.Tailnet.Users.AddRange(
            [new TailnetUser(81, "one", "twin@example.test"), new TailnetUser(82, "two", "twin@example.test"),
                new TailnetUser(83, "far", "", "https://other.example/sub-elsewhere")]);
        using (var bob = gateway.AsPerson("bob"))
        {
            await TestGateway.CallAsync(bob, "GET", "/api/v1/user");
        }

        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, login);

        await ExpectAsync(gateway, browser, provider, why);
    }

    [Theory]
    [InlineData("""["/admins","/staff"]""", "claim 'groups' is a list of 2: '/admins', '/staff', and none of that is in oidc.role_map "
        + "(the map has 'admins': switch full paths off at the provider, or write '/admins' in the map)")]
    [InlineData("\"users,admins\"", "claim 'groups' is the text 'users,admins', and none of that is in oidc.role_map (it looks like "
        + "several names in one text")]
    [InlineData("""{"others":{"1":"x"}}""", "claim 'groups' is an object with the key 'others', and none of that is in oidc.role_map")]
    [InlineData("7", "claim 'groups' is a number, which has no names in it")]
    [InlineData("null", "claim 'groups' is absent")]
    public async Task WhyTheRoleIsTheDefault(string groups, string why)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        provider.Misbehaviour.UserInfo = info => info.Remove("groups");
        provider.Misbehaviour.Payload = payload => payload["groups"] = System.Text.Json.Nodes.JsonNode.Parse(groups);

        await browser.SignInAsync(provider, "sam");

        gateway.People.Snapshot.Everyone.Single().Role.Should().Be("member");
        await ExpectAsync(gateway, browser, provider, why);
    }

    [Fact]
    public async Task WhyARoleWasLost()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        gateway.People.Snapshot.Everyone.Single().RoleNote.Should().Be("'staff' of claim 'groups' gives self_service");

        provider.Accounts = [.. provider.Accounts.Select(one => one with { Groups = ["others"] })];
        await browser.SignInAsync(provider, "sam");

        gateway.Log.Has(
            "changed from self_service to member by configuration: claim 'groups' is a list of 1: 'others', and none of that is in "
            + "oidc.role_map")
            .Should().BeTrue();
        (await browser.GetAsync("/api/v1/node")).Should().BeRefused(Reason.RoleTooLow);
        (await gateway.StopAndReadAuditAsync())[^1].Detail.Should()
            .StartWith("claim 'groups' is a list of 1: 'others'", "a refusal for want of a role says where the role comes from");
    }

    [Fact]
    public async Task NothingIsSaidOfTheOwnersRoleAndOfAPersonWhoIsLinked()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "alice");

        (await browser.GetAsync("/admin/")).Text.Should().NotContain("Why this role").And.NotContain("Why none was found");
        (await Verb.RunAsync("users", "show", "1", "--config", gateway.Files.Config)).Output.Should().MatchRegex("why this role +-\n").And
            .MatchRegex("why not linked +-\n");
    }

    [Fact]
    public async Task GroupsThatAProxySendsAreToldLikewise()
    {
        await using var gateway = await TestGateway.StartAsync(proxyAuth: "    role_map: {admins: admin}\n    groups_separator: ','");
        using var client = gateway.As("zed", "users|admins", "zed@example.test");

        (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Status.Should().Be(403);

        gateway.Log.Has(
            "proxy:zed: header Remote-Groups is a list of 1: 'users|admins', and none of that is in server.proxy_auth.role_map (it "
            + "looks like several names in one text")
            .Should().BeTrue();
        gateway.Log.Has("proxy:zed is linked to no Headscale user: no Headscale user has the address 'zed@example.test'").Should().BeTrue();
        client.DefaultRequestHeaders.Host = "gateway.example.test";
        var page = WebUtility.HtmlDecode((await TestGateway.CallAsync(client, "GET", "/admin/")).Text);
        page.Should().Contain("Why this role: header Remote-Groups").And.Contain("Why none was found: no Headscale user has the address");
        client.DefaultRequestHeaders.Add("Accept-Language", "de");
        WebUtility.HtmlDecode((await TestGateway.CallAsync(client, "GET", "/admin/")).Text).Should()
            .Contain("Warum keiner gefunden wurde: kein Headscale-Benutzer hat die Adresse „zed@example.test“");
        (await gateway.StopAndReadAuditAsync())[^1].Detail.Should().StartWith("header Remote-Groups is a list of 1");
    }

    private static async Task ExpectAsync(TestGateway gateway, Browser browser, ProviderStandIn provider, string why)
    {
        using var owner = new Browser(gateway);
        await owner.SignInAsync(provider, "alice");
        var person = gateway.People.Snapshot.Everyone.Single(one => one.Subject != "sub-alice" && one.Subject != "bob");

        using (new FluentAssertions.Execution.AssertionScope())
        {
            WebUtility.HtmlDecode((await browser.GetAsync("/admin/")).Text).Should().Contain(why, "their own first page tells them");
            WebUtility.HtmlDecode((await owner.GetAsync($"/admin/users/{person.Id}")).Text).Should()
                .Contain(why, "their page tells administrators");
            (await Verb.RunAsync("users", "show", $"{person.Id}", "--config", gateway.Files.Config)).Output.Should()
                .Contain(why, "the command line tells");
            var told = System.Text.Json.Nodes.JsonNode.Parse((await owner.GetAsync($"/admin/api/users/{person.Id}")).Text)!.AsObject();
            $"{told.Where(one => one.Key is "roleNote" or "whyUnlinked").Aggregate("", (all, one) => $"{all}{one.Value} ")}"
                .Should().Contain(why, "JSON tells");
            gateway.Log.Has(why).Should().BeTrue($"the log tells: {string.Join('\n', gateway.Log.All)}");
            (await gateway.StopAndReadAuditAsync()).Where(one => one.Row == "sign_in.oidc").Should()
                .Contain(one => one.Detail != null && one.Detail.Contains(why), "the audit tells");
        }
    }
}
