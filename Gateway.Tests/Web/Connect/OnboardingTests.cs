using System.Text.RegularExpressions;
using Gateway.Headscale;
using Gateway.Tests.Support;
using Gateway.Tests.Web.Layout;
using Gateway.Users;
using Microsoft.Playwright;

namespace Gateway.Tests.Web.Connect;

/// <summary>From a first sign-in to a connected device, and never to somebody else's.</summary>
public sealed partial class OnboardingTests
{
    [Fact]
    public async Task WhoAsksForAHeadscaleUserHasItOnceSomebodyWhoMayConfirmsIt()
    {
        await using var gateway = await StartAsync();
        using var nora = AsNora(gateway);
        (await nora.GetAsync("/admin/")).Text.Should().Contain("Name of your Headscale user");

        (await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"))).Location.Should().Be("/admin/?done=claim");

        var waiting = await nora.GetAsync("/admin/");
        waiting.Text.Should().Contain("you asked for <strong>nora-local (70)</strong>");
        waiting.Text.Should().Contain("<strong>nora-local (70)</strong>");
        (await nora.GetAsync("/admin/machines/71")).Status.Should().Be(403);

        var id = Nora(gateway).Id;
        using var alice = gateway.BrowserOf("alice");
        (await alice.GetAsync("/admin/")).Text.Should().Contain("says which Headscale user is theirs");
        (await alice.GetAsync("/admin/users")).Text.Should().Contain("nora-local (70)");
        (await alice.SubmitAsync($"/admin/users/{id}", $"/admin/users/{id}/approve")).Location.Should()
            .Be($"/admin/users/{id}?done=approve");

        Nora(gateway).Link.Should().Be(new UserLink("70", Nora(gateway).Link!.Fingerprint, LinkSource.Claim));
        Nora(gateway).Claim.Should().BeNull();
        (await nora.GetAsync("/admin/")).Text.Should().Contain("nora-laptop");
        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row?.StartsWith("people.", StringComparison.Ordinal) is true)
            .Select(one => (one.Row, one.Actor, one.Before, one.After, one.Reason));
        entries.Should()
            .Equal(
                [("people.claim", "proxy:nora", "none", "nora-local (70)", "done"),
                    ("people.approve", "proxy:alice", "none", "nora-local (70)", "done")]);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("none", true)]
    [InlineData("same-origin", true)]
    [InlineData("cross-site", false)]
    [InlineData("same-site", false)]
    public async Task NoOtherSiteFillsInItsOwnDevice(string? from, bool isFilledIn)
    {
        await using var gateway = await StartAsync();
        using var alice = gateway.BrowserOf("alice");
        if (from is not null)
        {
            alice.Headers["Sec-Fetch-Site"] = from;
        }

        var page = await alice.GetAsync("/admin/connect?key=hskey-authreq-abcdefghijklmnopqrstuvwx");

        page.Text.Contains("value=\"hskey-authreq-abcdefghijklmnopqrstuvwx\"", StringComparison.Ordinal).Should().Be(isFilledIn);
    }

    [Fact]
    public async Task WhoAsksForAnotherUserMeanwhileIsNotLinkedToIt()
    {
        await using var gateway = await StartAsync();
        gateway.Headscale.Tailnet.Users.Add(new(90, "bobs-servers", ""));
        using var nora = AsNora(gateway);
        using var alice = gateway.BrowserOf("alice");
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        var id = Nora(gateway).Id;
        (await alice.GetAsync($"/admin/users/{id}")).Text.Should().Contain("name=\"claimed\" value=\"70\"");
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "bobs-servers"));

        // What the page had that alice still looks at.
        var answer = await alice.SubmitAsync("/admin/keys", $"/admin/users/{id}/approve", ("claimed", "70"));

        (answer.Status, Nora(gateway).Link).Should().Be((403, null));
        answer.Text.Should().Contain("another Headscale user than the one that you were shown");
    }

    [Theory]
    [InlineData("sam")]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData("Nora-local")]
    [InlineData("twins")]
    public async Task WhatIsTakenMissingOrAmbiguousCannotBeAskedFor(string name)
    {
        await using var gateway = await StartAsync();
        gateway.Headscale.Tailnet.Users.AddRange([new(80, "twins", ""), new(81, "twins", "")]);
        using var sam = gateway.BrowserOf("sam");
        await sam.GetAsync("/admin/");
        using var nora = AsNora(gateway);

        var answer = await nora.SubmitAsync("/admin/", "/admin/claim", ("name", name), ("user", "70"));

        answer.Status.Should().Be(403);
        answer.Text.Should().Contain("no free user of that name");
        Nora(gateway).Claim.Should().BeNull();
    }

    [Fact]
    public async Task SomebodyElseWithTheNumberOfAClaimIsNotLinked()
    {
        await using var gateway = await StartAsync();
        using var nora = AsNora(gateway);
        using var alice = gateway.BrowserOf("alice");
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        gateway.Headscale.Tailnet.Users.RemoveAll(one => one.Id == 70);
        gateway.Headscale.Tailnet.Users.Add(new(70, "stranger", "", "https://issuer.example/stranger"));
        await Until.TrueAsync(
            async () => (await alice.GetAsync("/admin/users/headscale/70")).Text.Contains("stranger", StringComparison.Ordinal),
            "the new user is known");

        (await alice.SubmitAsync("/admin/login", $"/admin/users/{Nora(gateway).Id}/approve")).Status.Should().Be(403);
        Nora(gateway).Link.Should().BeNull();
    }

    [Fact]
    public async Task ARequestIsDeclinedOrWithdrawn()
    {
        await using var gateway = await StartAsync();
        using var nora = AsNora(gateway);
        using var alice = gateway.BrowserOf("alice");
        using var ivan = gateway.BrowserOf("ivan");
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        var id = Nora(gateway).Id;

        (await ivan.SubmitAsync("/admin/login", $"/admin/users/{id}/approve")).Status.Should().Be(403);
        (await alice.SubmitAsync("/admin/login", $"/admin/users/{id}/decline")).Status.Should().Be(302);
        Nora(gateway).Claim.Should().BeNull();
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        (await nora.SubmitAsync("/admin/", "/admin/claim/withdraw")).Location.Should().Be("/admin/?done=withdraw");
        Nora(gateway).Claim.Should().BeNull();
        (await alice.SubmitAsync("/admin/login", $"/admin/users/{id}/approve")).Status.Should().Be(403);
    }

    [Fact]
    public async Task WhereItIsOffNobodyIsAskedAndNothingIsTaken()
    {
        await using var gateway = await StartAsync("bootstrap: {owner: proxy:alice}\nonboarding: {self_claim: off}");
        using var nora = AsNora(gateway);

        (await nora.GetAsync("/admin/")).Text.Should().NotContain("/admin/claim");
        (await nora.SubmitAsync("/admin/login", "/admin/claim", ("name", "nora-local"))).Status.Should().Be(403);
        Nora(gateway).Claim.Should().BeNull();
    }

    [Fact]
    public async Task WhereEverybodyIsBelievedAUserIsTakenAtOnceUnlessItIsSomebodys()
    {
        await using var gateway = await StartAsync("onboarding: {self_claim: open}");
        using var sam = gateway.BrowserOf("sam");
        await sam.GetAsync("/admin/");
        using var nora = AsNora(gateway);
        var page = await nora.GetAsync("/admin/");
        page.Text.Should().Contain("<option value=\"70\"");
        page.Text.Should().NotContain("<option value=\"7\"");

        (await nora.SubmitAsync("/admin/", "/admin/claim", ("user", "7"))).Status.Should().Be(403);
        (await nora.SubmitAsync("/admin/", "/admin/claim", ("user", "70"))).Location.Should().Be("/admin/?done=linked");
        (Nora(gateway).Link!.HeadscaleUserId, Nora(gateway).Link!.Source).Should().Be(("70", LinkSource.Claim));
        (await nora.SubmitAsync("/admin/login", "/admin/claim", ("user", "1"))).Status.Should().Be(403);
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task ADeviceIsConnectedWithAKeyOrByItsLink(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var sam = gateway.BrowserOf("sam");
        var keys = gateway.Headscale.Tailnet.Keys.Count;

        var page = await sam.GetAsync("/admin/connect");
        page.Text.Should().Contain("sudo tailscale up --login-server=https://gateway.example.test</code>");
        (await sam.SubmitAsync("/admin/connect", "/admin/connect/key")).Location.Should().Be("/admin/connect");
        var key = AuthKey().Match((await sam.GetAsync("/admin/connect")).Text).Groups[1].Value;
        (key.Length > 20).Should().BeTrue();
        (await sam.GetAsync("/admin/connect")).Text.Should().NotContain(key);
        var made = gateway.Headscale.Tailnet.Keys.Skip(keys).Single();
        (made.UserId, made.Reusable, made.Ephemeral).Should().Be(((ulong?, bool, bool))(7UL, false, false));

        var id = version >= 29 ? "hskey-authreq-abcdefghijklmnopqrstuvwx" : "abcdefghijklmnopqrstuvwx";
        var registered = await sam.SubmitAsync(
            "/admin/connect", "/admin/connect/register", ("device", $" https://gateway.example.test/register/{id} "));
        registered.Location.Should().MatchRegex("^/admin/machines/[0-9]+\\?done=register$");
        (await sam.GetAsync(registered.Location!)).Text.Should().Contain("The device is registered");
        gateway.Headscale.Everything.Should()
            .Contain(one => one.Method == "POST" && (one.Target + one.Body).Contains(id, StringComparison.Ordinal));

        var foreign = await sam.SubmitAsync("/admin/connect", "/admin/connect/register", ("device", id), ("user", "1"));
        foreign.Status.Should().Be(403);
        (await sam.SubmitAsync("/admin/connect", "/admin/connect/register", ("device", "https://gateway.example.test/"))).Status.Should()
            .Be(400);
    }

    [Fact]
    public async Task WhatTheRoleMayNotIsNotOfferedAndRefused()
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var (login, key, register) in new[] { ("vera", true, false), ("mel", false, false), ("nina", true, false),
            ("ivan", true, true), ("audrey", true, false) })
        {
            using var browser = gateway.BrowserOf(login);
            var page = await browser.GetAsync("/admin/connect");
            (page.Text.Contains("/admin/connect/key\"", StringComparison.Ordinal),
                page.Text.Contains("/admin/connect/register\"", StringComparison.Ordinal)).Should()
                .Be((key, register));
            if (!register)
            {
                (await browser.SubmitAsync("/admin/login", "/admin/connect/register",
                    ("device", "abcdefghijklmnopqrstuvwx"))).Status.Should()
                    .Be(403);
            }

            if (!key)
            {
                (await browser.SubmitAsync("/admin/login", "/admin/connect/key")).Status.Should().Be(403);
            }
        }

        gateway.Headscale.Everything.Should().NotContain(one => one.Method == "POST");
    }

    [Theory]
    [InlineData("https://hs.example/register/abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx")]
    [InlineData("https://hs.example/register/hskey-authreq-abcdefghijklmnopqrstuvwx", "hskey-authreq-abcdefghijklmnopqrstuvwx")]
    [InlineData("headscale nodes register --key abcdefghijklmnopqrstuvwx --user USERNAME", "abcdefghijklmnopqrstuvwx")]
    [InlineData("headscale auth register --auth-id hskey-authreq-abcdefghijklmnopqrst_-12 "
        + "--user U", "hskey-authreq-abcdefghijklmnopqrst_-12")]
    [InlineData("abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx")]
    [InlineData("abcdefghijklmnopqrstuvwxy", null)]
    [InlineData("hskey-authreq-abcdefghijklmnopqrstuvwxyz", null)]
    [InlineData("nodekey:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", null)]
    [InlineData("abcdefghijkl&user=root&xy", null)]
    public void AKeyIsFoundInWhateverIsPasted(string pasted, string? key) => RegistrationKey.Find(pasted).Should().Be(key);

    [ChromiumFact]
    public async Task SomebodyNewGetsToTheirFirstMachineWithoutLeavingThePages()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        var own = gateway.Url.GetLeftPart(UriPartial.Authority);
        gateway.Headscale.Tailnet.Users.Add(new(70, "nora-local", ""));
        await using var chromium = await Chromium.LaunchAsync();
        var alice = await PageLooksTests.NewPageAsync(chromium.Browser, gateway, "alice", scripts: false);
        var nora = await PageLooksTests.NewPageAsync(chromium.Browser, gateway, "nora", scripts: false);
        await alice.GotoAsync("/admin/");

        await nora.GotoAsync("/admin/");
        await nora.GetByLabel("Name of your Headscale user").FillAsync("nora-local");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Send request" }).ClickAsync();
        await Assertions.Expect(nora.GetByRole(AriaRole.Status)).ToContainTextAsync("Request sent");

        await alice.GotoAsync("/admin/");
        await alice.GetByRole(AriaRole.Region, new() { Name = "Needs attention" }).GetByRole(AriaRole.Link, new() { Name = "Review" })
            .ClickAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = "Link them" }).ClickAsync();
        await Assertions.Expect(alice.GetByRole(AriaRole.Status)).ToContainTextAsync("was linked");

        await nora.GotoAsync("/admin/");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Make a key for one device" }).ClickAsync();
        await Assertions.Expect(nora.Locator("pre", new() { HasText = "sudo tailscale up" }))
            .ToContainTextAsync($"--login-server={own} --auth-key={gateway.Headscale.Tailnet.Keys[^1].Key}");

        // The way of a device without a key: the client opens Headscale's own page through the gateway and shows its link.
        var link = "/register/hskey-authreq-abcdefghijklmnopqrstuvwx";
        (await nora.GotoAsync(link))!.Status.Should().Be(200);
        await nora.GotoAsync("/admin/connect");
        await nora.GetByLabel("The link, or the key").FillAsync($"{own}{link}");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Register the device" }).ClickAsync();
        await Assertions.Expect(nora.GetByRole(AriaRole.Status)).ToContainTextAsync("The device is registered");
        await nora.GotoAsync("/admin/");
        await Assertions.Expect(nora.GetByRole(AriaRole.Link, new() { Name = "registered-node" })).ToBeVisibleAsync();
    }

    private static Person Nora(TestGateway gateway) => gateway.People.Snapshot.Everyone.Single(one => one.Subject == "nora");

    private static Browser AsNora(TestGateway gateway) =>
        new(gateway)
        {
            Headers = { ["Remote-User"] = "nora", ["Remote-Groups"] = "self_service",
            ["Remote-Email"] = "nora@elsewhere.test" }
        };

    private static async Task<TestGateway> StartAsync(string more = "")
    {
        var gateway = await TestGateway.StartAsync(more: more);
        gateway.Headscale.Tailnet.Users.Add(new(70, "nora-local", ""));
        gateway.Headscale.Tailnet.Nodes.Add(new(71, "nora-laptop", 70));
        return gateway;
    }

    [GeneratedRegex("--auth-key=([A-Za-z0-9_-]+)<")]
    private static partial Regex AuthKey();
}
