using System.Text.RegularExpressions;
using Gateway.Headscale;
using Gateway.Sandbox;
using Gateway.Tests.Support;
using Gateway.Users;
using Microsoft.Playwright;

namespace Gateway.Tests.Admin;

/// <summary>From a first sign-in to a connected device, and never to somebody else's.</summary>
public sealed partial class OnboardingTests
{
    [Fact]
    public async Task WhoAsksForAHeadscaleUserHasItOnceSomebodyWhoMayConfirmsIt()
    {
        await using var gateway = await StartAsync();
        using var nora = AsNora(gateway);
        Assert.Contains("Name of your Headscale user", (await nora.GetAsync("/admin/")).Text, StringComparison.Ordinal);

        Assert.Equal("/admin/?done=claim", (await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"))).Location);

        var waiting = await nora.GetAsync("/admin/");
        Assert.Contains("You asked for <strong>nora-local (70)</strong>", waiting.Text, StringComparison.Ordinal);
        Assert.Contains("<dd>none yet</dd>", waiting.Text, StringComparison.Ordinal);
        Assert.Equal(403, (await nora.GetAsync("/admin/machines/71")).Status);

        var id = Nora(gateway).Id;
        using var alice = PagesTests.As(gateway, "alice");
        Assert.Contains("One person asks", (await alice.GetAsync("/admin/")).Text, StringComparison.Ordinal);
        Assert.Contains("nora-local (70)", (await alice.GetAsync("/admin/users")).Text, StringComparison.Ordinal);
        Assert.Equal($"/admin/users/{id}?done=approve", (await alice.SubmitAsync($"/admin/users/{id}", $"/admin/users/{id}/approve")).Location);

        Assert.Equal(new UserLink("70", Nora(gateway).Link!.Fingerprint, LinkSource.Claim), Nora(gateway).Link);
        Assert.Null(Nora(gateway).Claim);
        Assert.Contains("nora-laptop", (await nora.GetAsync("/admin/")).Text, StringComparison.Ordinal);
        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row?.StartsWith("people.", StringComparison.Ordinal) is true).Select(one => (one.Row, one.Actor, one.Before, one.After, one.Reason));
        Assert.Equal([("people.claim", "proxy:nora", "none", "nora-local (70)", "done"), ("people.approve", "proxy:alice", "none", "nora-local (70)", "done")], entries);
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
        using var sam = PagesTests.As(gateway, "sam");
        await sam.GetAsync("/admin/");
        using var nora = AsNora(gateway);

        var answer = await nora.SubmitAsync("/admin/", "/admin/claim", ("name", name), ("user", "70"));

        Assert.Equal(403, answer.Status);
        Assert.Contains("no free user of that name", answer.Text, StringComparison.Ordinal);
        Assert.Null(Nora(gateway).Claim);
    }

    [Fact]
    public async Task SomebodyElseWithTheNumberOfAClaimIsNotLinked()
    {
        await using var gateway = await StartAsync();
        using var nora = AsNora(gateway);
        using var alice = PagesTests.As(gateway, "alice");
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        gateway.Headscale.Tailnet.Users.RemoveAll(one => one.Id == 70);
        gateway.Headscale.Tailnet.Users.Add(new(70, "stranger", "", "https://issuer.example/stranger"));
        await Until.TrueAsync(async () => (await alice.GetAsync("/admin/users/headscale/70")).Text.Contains("stranger", StringComparison.Ordinal), "the new user is known");

        Assert.Equal(403, (await alice.SubmitAsync("/admin/login", $"/admin/users/{Nora(gateway).Id}/approve")).Status);
        Assert.Null(Nora(gateway).Link);
    }

    [Fact]
    public async Task ARequestIsDeclinedOrWithdrawn()
    {
        await using var gateway = await StartAsync();
        using var nora = AsNora(gateway);
        using var alice = PagesTests.As(gateway, "alice");
        using var ivan = PagesTests.As(gateway, "ivan");
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        var id = Nora(gateway).Id;

        Assert.Equal(403, (await ivan.SubmitAsync("/admin/login", $"/admin/users/{id}/approve")).Status);
        Assert.Equal(302, (await alice.SubmitAsync("/admin/login", $"/admin/users/{id}/decline")).Status);
        Assert.Null(Nora(gateway).Claim);
        await nora.SubmitAsync("/admin/", "/admin/claim", ("name", "nora-local"));
        Assert.Equal("/admin/?done=withdraw", (await nora.SubmitAsync("/admin/", "/admin/claim/withdraw")).Location);
        Assert.Null(Nora(gateway).Claim);
        Assert.Equal(403, (await alice.SubmitAsync("/admin/login", $"/admin/users/{id}/approve")).Status);
    }

    [Fact]
    public async Task WhereItIsOffNobodyIsAskedAndNothingIsTaken()
    {
        await using var gateway = await StartAsync("onboarding: {self_claim: off}");
        using var nora = AsNora(gateway);

        Assert.DoesNotContain("/admin/claim", (await nora.GetAsync("/admin/")).Text, StringComparison.Ordinal);
        Assert.Equal(403, (await nora.SubmitAsync("/admin/login", "/admin/claim", ("name", "nora-local"))).Status);
        Assert.Null(Nora(gateway).Claim);
    }

    [Fact]
    public async Task WhereEverybodyIsBelievedAUserIsTakenAtOnceUnlessItIsSomebodys()
    {
        await using var gateway = await StartAsync("onboarding: {self_claim: open}");
        using var sam = PagesTests.As(gateway, "sam");
        await sam.GetAsync("/admin/");
        using var nora = AsNora(gateway);
        var page = await nora.GetAsync("/admin/");
        Assert.Contains("<option value=\"70\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<option value=\"7\"", page.Text, StringComparison.Ordinal);

        Assert.Equal(403, (await nora.SubmitAsync("/admin/", "/admin/claim", ("user", "7"))).Status);
        Assert.Equal("/admin/?done=linked", (await nora.SubmitAsync("/admin/", "/admin/claim", ("user", "70"))).Location);
        Assert.Equal(("70", LinkSource.Claim), (Nora(gateway).Link!.HeadscaleUserId, Nora(gateway).Link!.Source));
        Assert.Equal(403, (await nora.SubmitAsync("/admin/login", "/admin/claim", ("user", "1"))).Status);
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task ADeviceIsConnectedWithAKeyOrByItsLink(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var sam = PagesTests.As(gateway, "sam");
        var keys = gateway.Headscale.Tailnet.Keys.Count;

        var page = await sam.GetAsync("/admin/connect");
        Assert.Contains("sudo tailscale up --login-server=https://gateway.example.test</code>", page.Text, StringComparison.Ordinal);
        Assert.Equal("/admin/connect", (await sam.SubmitAsync("/admin/connect", "/admin/connect/key")).Location);
        var key = AuthKey().Match((await sam.GetAsync("/admin/connect")).Text).Groups[1].Value;
        Assert.True(key.Length > 20);
        Assert.DoesNotContain(key, (await sam.GetAsync("/admin/connect")).Text, StringComparison.Ordinal);
        var made = gateway.Headscale.Tailnet.Keys.Skip(keys).Single();
        Assert.Equal((7UL, false, false), (made.UserId, made.Reusable, made.Ephemeral));

        var id = version >= 29 ? "hskey-authreq-abcdefghijklmnopqrstuvwx" : "abcdefghijklmnopqrstuvwx";
        var registered = await sam.SubmitAsync("/admin/connect", "/admin/connect/register", ("device", $" https://gateway.example.test/register/{id} "));
        Assert.Matches("^/admin/machines/[0-9]+\\?done=register$", registered.Location);
        Assert.Contains("The device is registered", (await sam.GetAsync(registered.Location!)).Text, StringComparison.Ordinal);
        Assert.Contains(gateway.Headscale.Everything, one => one.Method == "POST" && (one.Target + one.Body).Contains(id, StringComparison.Ordinal));

        var foreign = await sam.SubmitAsync("/admin/connect", "/admin/connect/register", ("device", id), ("user", "1"));
        Assert.Equal(403, foreign.Status);
        Assert.Equal(400, (await sam.SubmitAsync("/admin/connect", "/admin/connect/register", ("device", "https://gateway.example.test/"))).Status);
    }

    [Fact]
    public async Task WhatTheRoleMayNotIsNotOfferedAndRefused()
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var (login, key, register) in new[] { ("vera", true, false), ("mel", false, false), ("nina", true, false), ("ivan", true, true), ("audrey", true, false) })
        {
            using var browser = PagesTests.As(gateway, login);
            var page = await browser.GetAsync("/admin/connect");
            Assert.Equal((key, register), (page.Text.Contains("/admin/connect/key\"", StringComparison.Ordinal), page.Text.Contains("/admin/connect/register\"", StringComparison.Ordinal)));
            if (!register)
            {
                Assert.Equal(403, (await browser.SubmitAsync("/admin/login", "/admin/connect/register", ("device", "abcdefghijklmnopqrstuvwx"))).Status);
            }

            if (!key)
            {
                Assert.Equal(403, (await browser.SubmitAsync("/admin/login", "/admin/connect/key")).Status);
            }
        }

        Assert.DoesNotContain(gateway.Headscale.Everything, one => one.Method == "POST");
    }

    [Theory]
    [InlineData("https://hs.example/register/abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx")]
    [InlineData("https://hs.example/register/hskey-authreq-abcdefghijklmnopqrstuvwx", "hskey-authreq-abcdefghijklmnopqrstuvwx")]
    [InlineData("headscale nodes register --key abcdefghijklmnopqrstuvwx --user USERNAME", "abcdefghijklmnopqrstuvwx")]
    [InlineData("headscale auth register --auth-id hskey-authreq-abcdefghijklmnopqrst_-12 --user U", "hskey-authreq-abcdefghijklmnopqrst_-12")]
    [InlineData("abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx")]
    [InlineData("abcdefghijklmnopqrstuvwxy", null)]
    [InlineData("hskey-authreq-abcdefghijklmnopqrstuvwxyz", null)]
    [InlineData("nodekey:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", null)]
    [InlineData("abcdefghijkl&user=root&xy", null)]
    public void AKeyIsFoundInWhateverIsPasted(string pasted, string? key) => Assert.Equal(key, RegistrationKey.Find(pasted));

    [ChromiumFact]
    public async Task SomebodyNewGetsToTheirFirstMachineWithoutLeavingThePages()
    {
        var port = GatewayProcess.FreePort();
        await using var gateway = await TestGateway.StartAsync(29, port: port, server: $"  base_url: http://127.0.0.1:{port}\n  cookie_secure: false");
        gateway.Headscale.Tailnet.Users.Add(new(70, "nora-local", ""));
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await RealComponents.LaunchChromiumAsync(playwright);
        var alice = await PageLooksTests.NewPageAsync(chromium, gateway, "alice", scripts: false);
        var nora = await PageLooksTests.NewPageAsync(chromium, gateway, "nora", scripts: false);
        await alice.GotoAsync("/admin/");

        await nora.GotoAsync("/admin/");
        await nora.GetByLabel("Name of your Headscale user").FillAsync("nora-local");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Ask for it" }).ClickAsync();
        await Assertions.Expect(nora.GetByRole(AriaRole.Status)).ToContainTextAsync("Your request is stored");

        await alice.GotoAsync("/admin/");
        await alice.GetByRole(AriaRole.Link, new() { Name = "One person asks" }).ClickAsync();
        await alice.GetByRole(AriaRole.Region, new() { Name = "Waiting for an answer" }).GetByRole(AriaRole.Link, new() { Name = "nora" }).ClickAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = "Link them" }).ClickAsync();
        await Assertions.Expect(alice.GetByRole(AriaRole.Status)).ToContainTextAsync("was linked");

        await nora.GotoAsync("/admin/");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Make a key for one device" }).ClickAsync();
        await Assertions.Expect(nora.Locator("pre", new() { HasText = "sudo tailscale up" })).ToContainTextAsync($"--login-server=http://127.0.0.1:{port} --auth-key={gateway.Headscale.Tailnet.Keys[^1].Key}");

        // The way of a device without a key: the client opens Headscale's own page through the gateway and shows its link.
        var link = "/register/hskey-authreq-abcdefghijklmnopqrstuvwx";
        Assert.Equal(200, (await nora.GotoAsync(link))!.Status);
        await nora.GotoAsync("/admin/connect");
        await nora.Locator("summary", new() { HasText = "shows a link and waits" }).ClickAsync();
        await nora.GetByLabel("The link, or the key").FillAsync($"http://127.0.0.1:{port}{link}");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Register the device" }).ClickAsync();
        await Assertions.Expect(nora.GetByRole(AriaRole.Status)).ToContainTextAsync("The device is registered");
        await nora.GotoAsync("/admin/");
        await Assertions.Expect(nora.GetByRole(AriaRole.Link, new() { Name = "registered-node" })).ToBeVisibleAsync();
    }

    private static Person Nora(TestGateway gateway) => gateway.People.Snapshot.Everyone.Single(one => one.Subject == "nora");

    private static Browser AsNora(TestGateway gateway) => new(gateway) { Headers = { ["Remote-User"] = "nora", ["Remote-Groups"] = "self_service", ["Remote-Email"] = "nora@elsewhere.test" } };

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
