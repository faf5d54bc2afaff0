using System.Text.Json.Nodes;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>What a session is worth, for how long, and who ends it.</summary>
public sealed class SessionTests
{
    [Fact]
    public async Task TheCookieIsOutOfReachAndTheStoreHoldsOnlyItsHash()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);

        var answer = await browser.SignInAsync(provider, "sam");

        var line = answer.Response.Headers.GetValues("Set-Cookie").Should()
            .ContainSingle(one => one.StartsWith("__Host-headtower=", StringComparison.Ordinal)).Subject;
        (new[] { "path=/", "secure", "httponly", "samesite=lax", "max-age=86400" }).Should()
            .AllSatisfy(part => line.Should().Contain(part));
        line.Should().NotContain("domain");
        var value = browser.Cookies["__Host-headtower"].Value;
        await gateway.StopAsync();
        gateway.StoredFiles.Should().AllSatisfy(file => File.ReadAllText(file).Should().NotContain(value));
    }

    [Fact]
    public async Task EverySignInHasANewIdAndEndsTheOneBefore()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        using var thief = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        thief.Cookies["__Host-headtower"] = browser.Cookies["__Host-headtower"];
        (await thief.GetAsync("/api/v1/node")).Status.Should().Be(200);
        await browser.SignInAsync(provider, "sam");
        browser.Cookies["__Host-headtower"].Value.Should().NotBe(thief.Cookies["__Host-headtower"].Value);

        // Another tab may have begun it just now; two minutes later there is none.
        (await thief.GetAsync("/api/v1/node")).Status.Should().Be(200);
        thief.Cookies["__Host-headtower"] = browser.Cookies["__Host-headtower"];
        await AgeSessionsAsync(gateway);
        await browser.SignInAsync(provider, "sam");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(200);
        (await thief.GetAsync("/api/v1/node")).Status.Should().Be(302);
    }

    [Fact]
    public async Task ARoleThatChangesCountsWithTheNextRequestAndAPersonWhoIsRemovedIsOut()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  default_role: viewer");
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        (await browser.GetAsync("/api/v1/node/11")).Status.Should().Be(200);

        var person = gateway.People.Snapshot.Everyone.Single();
        (await Verb.RunAsync("users", "set-role", $"{person.Id}", "member", "--config", gateway.Files.Config)).Exit.Should().Be(0);
        await Until.TrueAsync(async () => (await browser.GetAsync("/api/v1/node/11")).Status == 403, "the role is taken away");
        (await browser.GetAsync("/admin/")).Text.Should().Contain("No access yet");
        (await Verb.RunAsync("users", "remove", $"{person.Id}", "--config", gateway.Files.Config)).Exit.Should().Be(0);
        await Until.TrueAsync(async () => (await browser.GetAsync("/api/v1/node/11")).Status == 302, "the session is over");
    }

    [Fact]
    public async Task PeopleSeeAndRevokeTheirOwnSessionsAndAdministratorsEverybodys()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var alice = new Browser(gateway);
        using var sam = new Browser(gateway);
        using var elsewhere = new Browser(gateway);
        await alice.SignInAsync(provider, "alice");
        await sam.SignInAsync(provider, "sam");
        await elsewhere.SignInAsync(provider, "sam");

        (await IdsAsync(sam)).Should().Be("2 3");
        (await IdsAsync(alice)).Should().Be("1 2 3");
        using var http = new HttpClient { BaseAddress = gateway.Url };
        (await RevokeAsync(sam, 1, "https://gateway.example.test")).Should().Be(404);
        (await RevokeAsync(sam, 3, "https://evil.example")).Should().Be(403);
        (await RevokeAsync(sam, 3, null)).Should().Be(403);
        (await RevokeAsync(sam, 3, "https://gateway.example.test")).Should().Be(204);
        (await elsewhere.GetAsync("/api/v1/node")).Status.Should().Be(302);
        (await RevokeAsync(alice, 2, "https://gateway.example.test")).Should().Be(204);
        (await sam.GetAsync("/api/v1/node")).Status.Should().Be(302);

        static async Task<string> IdsAsync(Browser browser) =>
            string.Join(
                ' ',
                JsonNode.Parse((await browser.GetAsync("/admin/api/sessions")).Text)!["sessions"]!.AsArray()
                    .Select(one => $"{one!["id"]}"));

        async Task<int> RevokeAsync(Browser browser, long id, string? origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, $"/admin/api/sessions/{id}");
            request.Headers.Host = "gateway.example.test";
            request.Headers.Add("Cookie", $"__Host-headtower={browser.Cookies["__Host-headtower"].Value}");
            if (origin is not null)
            {
                request.Headers.Add("Origin", origin);
            }

            using var response = await http.SendAsync(request);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task TheCommandLineListsAndEndsSessionsAndAllOfItIsAudited()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");

        var listed = await Verb.RunAsync("sessions", "list", "--json", "--config", gateway.Files.Config);
        $"{JsonNode.Parse(listed.Output)![0]!["identity"]}".Should().Be($"oidc:{provider.Issuer}#sub-sam");
        (await Verb.RunAsync("sessions", "revoke", "99", "--config", gateway.Files.Config)).Error.Should().Contain("there is no session");
        (await Verb.RunAsync("sessions", "revoke", "1", "--config", gateway.Files.Config)).Exit.Should().Be(0);
        await Until.TrueAsync(async () => (await browser.GetAsync("/admin/api/me")).Status == 401, "the session is over");
        await browser.GetAsync("/admin/oidc/callback?state=forged");

        (await gateway.StopAndReadAuditAsync()).Select(one => $"{one.Row} {one.Reason} {one.Status}").Should()
            .Equal(["sign_in.oidc done 302", "session.revoke done 0", "sign_in.oidc state_invalid 400"]);
    }

    [Fact]
    public async Task SigningOutEndsTheSessionHereAndAtTheProvider()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider, "  use_end_session: true\n  default_role: viewer");
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");
        var cookie = browser.Cookies["__Host-headtower"];
        (await browser.PostAsync("/admin/logout")).Status.Should().Be(400);

        var page = await browser.SubmitAsync("/admin/", "/admin/logout");

        page.Location.Should().StartWith(provider.Issuer + "/end-session?");
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(new Uri(page.Location!).Query);
        query["post_logout_redirect_uri"].Should().Equal("https://gateway.example.test/admin/login?s=logout");
        query["id_token_hint"].ToString().Split('.').Length.Should().Be(3);
        browser.Cookies.Keys.Should().NotContain("__Host-headtower");
        browser.Cookies["__Host-headtower"] = cookie;
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(302);
        (await browser.GetAsync("/admin/login?s=logout")).Text.Should().Contain("signed out");
    }

    [Theory]
    [InlineData("subject")]
    [InlineData("session")]
    [InlineData("session, of a provider that sends no 'exp'")]
    public async Task TheProviderCanEndSessions(string by)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var sam = new Browser(gateway);
        using var alice = new Browser(gateway);
        await sam.SignInAsync(provider, "sam");
        await alice.SignInAsync(provider, "alice");
        var session = gateway.App.Services.GetService(typeof(Sessions)) is Sessions sessions ? sessions.All[0].ProviderSession : null;

        foreach (var (token, status) in new[]
        {
            (provider.MakeLogoutToken(null, null), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => payload["nonce"] = "n"), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => payload.Remove("events")), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload =>
                payload["events"] = new JsonObject { ["other"] = new JsonObject() }), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => payload["aud"] = "other"), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => payload["iss"] = "http://evil.example"), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => payload["exp"] = 1), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => payload["exp"] = "soon"), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload =>
                { payload.Remove("exp"); payload["iat"] = (long)payload["iat"]! - 300; }), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload => { payload.Remove("exp"); payload.Remove("iat"); }), 400),
            (provider.MakeLogoutToken("sub-sam", null, payload =>
                { payload["exp"] = (long)payload["iat"]! + 86_400; payload["iat"] = (long)payload["iat"]! - 700; }), 400),
            (provider.MakeLogoutToken("sub-sam", null, type: "at+jwt"), 400),
            (provider.MakeLogoutToken("sub-sam", null) + "x", 400),
            ("", 400),
        })
        {
            (await sam.PostAsync("/admin/oidc/backchannel-logout", ("logout_token", token))).Status.Should().Be(status);
        }

        (await sam.GetAsync("/api/v1/node")).Status.Should().Be(200);
        var good = by switch
        {
            "subject" => provider.MakeLogoutToken("sub-sam", null),
            "session" => provider.MakeLogoutToken(null, session),
            _ => provider.MakeLogoutToken(null, session, payload => payload.Remove("exp")),
        };
        (await alice.PostAsync("/admin/oidc/backchannel-logout", ("logout_token", good))).Status.Should().Be(200);
        (await sam.GetAsync("/api/v1/node")).Status.Should().Be(302);
        (await alice.GetAsync("/api/v1/node")).Status.Should().Be(200);

        // Back-Channel Logout 1.0 2.6: it counts once, so that nobody can sign somebody out again and again with it.
        await sam.SignInAsync(provider, "sam");
        (await alice.PostAsync("/admin/oidc/backchannel-logout", ("logout_token", good))).Status.Should().Be(400);
        (await sam.GetAsync("/api/v1/node")).Status.Should().Be(200);
    }

    [Fact]
    public async Task HeadersOfOneAndTheSessionOfAnotherAreRefused()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await browser.SignInAsync(provider, "sam");

        browser.Headers["Remote-User"] = "vera";
        browser.Headers["Remote-Groups"] = "viewer";
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(400);
        browser.Headers["Authorization"] = $"Bearer {gateway.Headscale.ApiKey}";
        browser.Headers.Remove("Remote-User");
        (await browser.GetAsync("/api/v1/node")).Status.Should().Be(400);
    }

    [Fact]
    public async Task NobodyHasMoreSessionsThanAllowedAndTheNumbersAreNotGivenAgain()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        var now = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < 5; i++)
        {
            await state.Sessions.AddAsync(New($"hash-{i}", now, now.AddHours(i)), mostPerPerson: 3);
        }

        state.Sessions.All.Select(one => one.Hash).Should().BeEquivalentTo("hash-2", "hash-3", "hash-4");
        (await state.Sessions.RemoveAsync(one => one.ExpiresAt <= now.AddHours(2))).Should().Be(1);
        (await state.Sessions.TouchAsync(new Dictionary<long, DateTimeOffset> { [5] = now.AddMinutes(30), [1] = now })).Should().Be(1);
        (await state.Sessions.RemoveAsync(_ => true)).Should().Be(2);
        (await state.Sessions.AddAsync(New("hash-5", now, now), mostPerPerson: 3)).Id.Should().Be(6);
    }

    /// <summary>Makes every session two minutes older.</summary>
    private static async Task AgeSessionsAsync(TestGateway gateway)
    {
        var documents = gateway.App.Services.GetRequiredService<DocumentSet>();
        var aged = (await documents.ExportAsync(default)).Where(one => one.Id.StartsWith("session/", StringComparison.Ordinal))
            .Select(one =>
        {
            var json = JsonNode.Parse(one.Json)!;
            json["createdAt"] = json["createdAt"]!.GetValue<DateTimeOffset>().AddMinutes(-2);
            return one with { Json = json.ToJsonString() };
        });
        await documents.ReplaceAsync([.. aged], _ => true, default);
    }

    private static Session New(string hash, DateTimeOffset now, DateTimeOffset expires) =>
        new() { Id = 0, Hash = hash, Kind = SessionKind.ApiKey, KeyPrefix = "abc", CreatedAt = now, ExpiresAt = expires, LastUsedAt = now };
}
