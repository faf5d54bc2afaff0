using System.Text.RegularExpressions;
using Gateway.Audit;
using Gateway.Identity;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Web.PolicyDocument;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Web;

/// <summary>Headscale's users and API keys, owners of machines, what is compared and what is written down.</summary>
public sealed partial class MorePagesTests
{
    [Fact]
    public async Task HeadscaleUsersAreCreatedRenamedAndDeletedByWhoMay()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = PagesTests.As(gateway, "ivan");
        using var vera = PagesTests.As(gateway, "vera");

        (await ivan.SubmitAsync("/admin/users/headscale", "/admin/users/headscale", ("name", "new-one"), ("display_name", "New One"),
            ("email", ""))).Location.Should()
            .Be("/admin/users/headscale?done=create");
        var made = gateway.Headscale.Tailnet.Users.Single(one => one.Name == "new-one");
        (await ivan.GetAsync("/admin/users/headscale?q=new-one")).Text.Should().Contain($"new-one ({made.Id})");
        (await ivan.SubmitAsync($"/admin/users/headscale/{made.Id}", $"/admin/users/headscale/{made.Id}/rename",
            ("name", "newer"))).Location.Should()
            .Be($"/admin/users/headscale/{made.Id}?done=rename");
        gateway.Headscale.Tailnet.Users.Single(one => one.Id == made.Id).Name.Should().Be("newer");

        var page = await vera.GetAsync($"/admin/users/headscale/{made.Id}");
        (page.Status, page.Text.Contains("<form method=\"post\" action=\"/admin/users", StringComparison.Ordinal)).Should()
            .Be((200, false));
        (await vera.GetAsync("/admin/users/headscale")).Text.Should().NotContain("Create a Headscale user");
        (await vera.SubmitAsync("/admin/login", "/admin/users/headscale", ("name", "mine"))).Status.Should().Be(403);
        (await vera.SubmitAsync("/admin/login", $"/admin/users/headscale/{made.Id}/delete")).Status.Should().Be(403);

        (await ivan.SubmitAsync($"/admin/users/headscale/{made.Id}", $"/admin/users/headscale/{made.Id}/delete")).Location.Should()
            .Be("/admin/users/headscale?done=delete");
        gateway.Headscale.Tailnet.Users.Should().NotContain(one => one.Id == made.Id);
        (await ivan.GetAsync($"/admin/users/headscale/{made.Id}")).Status.Should().Be(404);
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Method is not "GET").Select(one => $"{one.Row} {one.Status} {one.After}")
            .Should()
            .Equal(
                ["users.create 200 name: new-one, displayName: New One", "users.rename 200 ", "users.create 403 ", "users.delete 403 ",
                    "users.delete 200 "]);
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task ApiKeysAreMadeExpiredAndDeletedButNeverTheGatewaysOwn(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var bob = PagesTests.As(gateway, "bob");
        (await PagesTests.As(gateway, "ivan").GetAsync("/admin/apikeys")).Status.Should().Be(403);

        (await bob.SubmitAsync("/admin/apikeys", "/admin/apikeys", ("days", "30"))).Location.Should().Be("/admin/apikeys");
        var page = await bob.GetAsync("/admin/apikeys");
        var key = Fresh().Match(page.Text).Groups[1].Value;
        gateway.Headscale.Tailnet.ApiKeys.Should().Contain(one => one.Key == key);
        page.Text.Should().Contain("the gateway works with it");
        (await bob.GetAsync("/admin/apikeys")).Text.Should().NotContain(key);

        var (id, prefix) = (Id().Match(page.Text).Groups[1].Value, Prefix().Match(page.Text).Groups[1].Value);
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/expire", ("id", id), ("prefix", prefix))).Location.Should()
            .Be("/admin/apikeys?done=expire");
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/delete", ("prefix", prefix))).Location.Should()
            .Be("/admin/apikeys?done=delete");
        gateway.Headscale.Tailnet.ApiKeys.Should().NotContain(one => one.Key == key);

        var own = gateway.Headscale.Tailnet.ApiKeys.Single(one => one.Key == gateway.Configuration.Settings.Headscale.ApiKey!.Reveal());
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/delete",
            ("prefix", Gateway.Headscale.ApiKeyFormat.PrefixOf(own.Key)!))).Status.Should()
            .Be(403);
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/expire", ("id", $"{own.Id}"),
            ("prefix", Gateway.Headscale.ApiKeyFormat.PrefixOf(own.Key)!))).Status.Should()
            .Be(403);
        (await bob.GetAsync("/admin/machines")).Status.Should().Be(200);
    }

    [Theory]
    [InlineData(27, true)]
    [InlineData(28, false)]
    public async Task AMachineGetsAnotherOwnerWhereHeadscaleStillDoesThat(int version, bool isOffered)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var ivan = PagesTests.As(gateway, "ivan");

        (await ivan.GetAsync("/admin/machines/17")).Text.Contains("/admin/machines/17/user\"", StringComparison.Ordinal).Should()
            .Be(isOffered);
        var answer = await ivan.SubmitAsync("/admin/machines/17", "/admin/machines/17/user", ("user", "6"));
        (answer.Location == "/admin/machines/17?done=user").Should().Be(isOffered);
        gateway.Headscale.Tailnet.Node(17).UserId.Should().Be(isOffered ? 6UL : 7UL);

        using var sam = PagesTests.As(gateway, "sam");
        (await sam.GetAsync("/admin/machines/17")).Text.Should().NotContain("/admin/machines/17/user\"");
        (await sam.SubmitAsync("/admin/login", "/admin/machines/17/user", ("user", "7"))).Status.Should().Be(403);
    }

    [Fact]
    public async Task WhatAPolicyWouldChangeIsShownBeforeItIsSaved()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Policy = "{\n  \"acls\": [],\n  \"hosts\": {}\n}";
        using var nina = PagesTests.As(gateway, "nina");

        var page = await nina.SubmitAsync(
            "/admin/policy", "/admin/policy", ("policy", "{\r\n  \"acls\": [\"*\"],\r\n  \"hosts\": {}\r\n}"), ("step", "review"));

        var text = System.Net.WebUtility.HtmlDecode(page.Text);
        page.Status.Should().Be(200);
        text.Should().Contain("<del>-   \"acls\": [],");
        text.Should().Contain("<ins>+   \"acls\": [\"*\"],");
        gateway.Headscale.Everything.Should().NotContain(one => one.Method == "PUT");
        (await nina.SubmitAsync("/admin/policy", "/admin/policy", ("policy", gateway.Headscale.Tailnet.Policy),
            ("step", "review"))).Text.Should()
            .Contain("Nothing is different");
    }

    [Theory]
    [InlineData("a\nb\nc", "a\nb\nc", "")]
    [InlineData("a\nb\nc", "a\nx\nc", " a-b+x c")]
    [InlineData("1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10", " … 7 8 9+10")]
    [InlineData("", "a", "+a")]
    [InlineData("a\r\nb", "a\nb", "-a\r+a b")]
    [InlineData("a\nb", "b\na", "+b a-b")]
    public void LinesAreComparedAndFarOnesLeftOut(string before, string after, string shown) =>
        string.Concat(
            PolicyChange.Between(before, after)
                .Select(one => one.Kind switch { PolicyChangeKind.Added => "+", PolicyChangeKind.Removed => "-", _ => " " } + one.Text))
            .Should().Be(shown);

    [Fact]
    public async Task TheSameFormSentTwiceDoesItsWorkOnce()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = PagesTests.As(gateway, "sam");
        var keys = gateway.Headscale.Tailnet.Keys.Count;
        var token = Token().Match((await sam.GetAsync("/admin/keys")).Text);
        (string, string)[] form = [(token.Groups[1].Value, token.Groups[2].Value), ("days", "1")];

        (await sam.PostAsync("/admin/keys", form)).Status.Should().Be(302);
        var again = await sam.PostAsync("/admin/keys", form);

        again.Status.Should().Be(409);
        again.Text.Should().Contain("was sent already");
        gateway.Headscale.Tailnet.Keys.Count.Should().Be(keys + 1);
        (await sam.PostAsync("/admin/keys", [form[0], ("days", "7")])).Status.Should().Be(302);
    }

    [Fact]
    public async Task AnEntryShowsWhatAChangeSetsAndNoSecret()
    {
        await using var gateway = await TestGateway.StartAsync(27);
        using var audrey = PagesTests.As(gateway, "audrey");
        using var nina = gateway.AsPerson("nina");
        var key = gateway.Headscale.Tailnet.Keys[0];
        await TestGateway.CallAsync(nina, "POST", "/api/v1/node/12/approve_routes", """{"routes":["10.0.0.0/8"]}""");
        await TestGateway.CallAsync(nina, "POST", "/api/v1/preauthkey/expire", $$"""{"user":"{{key.UserId}}","key":"{{key.Key}}"}""");
        await TestGateway.CallAsync(nina, "PUT", "/api/v1/policy", $$"""{"policy":"{{new string(' ', 300)}}"}""");

        (await EntryAsync("approve_routes")).Should().Contain("<dt>Sets</dt><dd>routes: [10.0.0.0/8]</dd>");
        var expired = await EntryAsync("keys.expire");
        expired.Should().Contain("key: (hidden)");
        expired.Should().NotContain(key.Key);
        (await EntryAsync("policy.set")).Should().Contain("policy: 300 characters, sha256 ");
        (await audrey.GetAsync("/admin/audit/99999")).Status.Should().Be(404);
        (await PagesTests.As(gateway, "vera").GetAsync("/admin/audit/1")).Status.Should().Be(403);

        async Task<string> EntryAsync(string search)
        {
            var link = "";
            await Until.TrueAsync(
                async () => (link = Entry().Match((await audrey.GetAsync($"/admin/audit?q={search}")).Text).Groups[1].Value).Length > 0,
                "the entry is stored");
            return (await audrey.GetAsync(link)).Text;
        }
    }

    [Fact]
    public async Task NoPageGrowsWithHowMuchThereIs()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = PagesTests.As(gateway, "alice");
        await alice.GetAsync("/admin/");
        for (var number = 0UL; number < 1000; number++)
        {
            gateway.Headscale.Tailnet.Users.Add(new(1000 + number, $"user-{number}", $"user-{number}@example.test"));
            gateway.Headscale.Api.CreateKey(1000 + number, "2036-01-01T00:00:00Z", []);
            gateway.Headscale.Api.CreateApiKey("2036-01-01T00:00:00Z");
            await gateway.People.AddAsync(new(Source.Proxy, "", $"user-{number}", $"User {number}", null, null, "member"), null);
        }

        await Until.TrueAsync(
            async () => (await alice.GetAsync("/admin/users/headscale?q=user-999")).Text.Contains("user-999", StringComparison.Ordinal),
            "the new users are known");
        foreach (var path in new[] { "keys", "apikeys", "users", "users/headscale", "connect", "machines", "machines/11",
            $"users/{gateway.People.Snapshot.Everyone[500].Id}", "audit", "access" })
        {
            var page = await alice.GetAsync($"/admin/{path}");
            (page is { Status: 200, Text.Length: < 60_000 }).Should().BeTrue($"{path}: {page.Status}, {page.Text.Length} characters");
        }

        (await alice.GetAsync("/admin/keys?page=21")).Text.Should().Contain("Page 21 of 21");
        (await alice.GetAsync("/admin/apikeys?page=2")).Text.Should().Contain("Page 2 of 41");
    }

    [Fact]
    public async Task TheWholeAuditIsTakenAlongHoweverLongItIs()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var audrey = PagesTests.As(gateway, "audrey");
        await audrey.GetAsync("/admin/");
        await gateway.App.Services.GetRequiredService<IAuditStore>().WriteAsync(
            [.. Enumerable.Range(0, 1234).Select(one =>
                new AuditRecord.Begun(new AuditEntry { At = DateTimeOffset.UnixEpoch.AddYears(50), RequestId = $"r{one}",
                    Kind = AuditKind.Api, Method = "GET", Path = "/=cmd", Reason = "many", Detail = "=1+1" }))], isDurable: false, default);

        var lines = (await audrey.GetAsync("/admin/audit.csv?q=many")).Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

        lines.Length.Should().Be(1235);
        lines[1..].Select(one => one.Split(',')[9]).Distinct().Count().Should().Be(1234);
        lines[1..].Should().AllSatisfy(one => one.Should().Contain("\"'=1+1\""));
    }

    [Fact]
    public async Task SomebodysSessionsAreSeenAndEndedOnTheirPage()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var sam = new Browser(gateway);
        using var alice = new Browser(gateway);
        await alice.SignInAsync(provider, "alice");
        await sam.SignInAsync(provider, "sam");
        var id = gateway.People.Snapshot.Everyone.Single(one => one.Subject.Contains("sam", StringComparison.Ordinal)).Id;

        var page = await alice.GetAsync($"/admin/users/{id}");
        var action = EndSession().Match(page.Text).Groups[1].Value;
        (await alice.SubmitAsync($"/admin/users/{id}", action)).Location.Should().Be($"/admin/users/{id}?done=end");
        (await sam.GetAsync("/admin/")).Status.Should().Be(302);
    }

    [GeneratedRegex("shown this once: <code class=\"copy\">([^<]+)</code>")]
    private static partial Regex Fresh();

    [GeneratedRegex("name=\"id\" value=\"([0-9]+)\"")]
    private static partial Regex Id();

    [GeneratedRegex("name=\"prefix\" value=\"([^\"]+)\"")]
    private static partial Regex Prefix();

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Token();

    [GeneratedRegex("href=\"(/admin/audit/[0-9]+)\"")]
    private static partial Regex Entry();

    [GeneratedRegex("action=\"(/admin/account/sessions/[0-9]+/end)\"")]
    private static partial Regex EndSession();
}
