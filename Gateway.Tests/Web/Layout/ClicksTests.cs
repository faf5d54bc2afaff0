using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.Playwright;

namespace Gateway.Tests.Web.Layout;

/// <summary>What people come for takes few clicks from the overview; typing and choosing from a list is not counted.</summary>
public sealed class ClicksTests
{
    [ChromiumFact]
    public async Task TheTasksOfAnAdministratorTakeAFewClicks()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        var tailnet = gateway.Headscale.Tailnet;
        tailnet.Nodes.Add(new TailnetNode(60, "edge", 2) { AvailableRoutes = ["10.1.0.0/16"] });
        foreach (var login in (string[])["sam", "vera"])
        {
            await gateway.BrowserOf(login).GetAsync("/admin/");
        }

        (await gateway.BrowserOf("sam").GetAsync("/admin/audit")).Status.Should().Be(403);
        await using var chromium = await Chromium.LaunchAsync();
        var alice = new Walk(await PageLooksTests.NewPageAsync(chromium.Browser, gateway, "alice", scripts: false));

        await alice.BeginAsync();
        await alice.ClickAsync(AriaRole.Link, "Devices");
        await alice.ClickAsync("summary[aria-label='Actions for sam-laptop']");
        await alice.ClickAsync(AriaRole.Button, "Sign out sam-laptop now");
        alice.Clicks.Should().BeLessThanOrEqualTo(3, "a person's device is signed out");
        tailnet.Node(17).Expiry.Should().NotBeNull();

        await alice.BeginAsync();
        await alice.ClickAsync(AriaRole.Link, "Review");
        await alice.ClickAsync(AriaRole.Button, "Approve what waits");
        alice.Clicks.Should().BeLessThanOrEqualTo(2, "a route is approved");
        tailnet.Node(60).ApprovedRoutes.Should().Equal("10.1.0.0/16");

        await alice.BeginAsync();
        await alice.ClickAsync(AriaRole.Link, "People");
        await alice.ClickAsync(AriaRole.Link, "vera");
        await alice.ClickAsync(AriaRole.Button, "auditor");
        alice.Clicks.Should().BeLessThanOrEqualTo(3, "a role is changed");
        gateway.People.Snapshot.Everyone.Single(one => one.Subject == "vera").Role.Should().Be("auditor");

        await alice.BeginAsync();
        await alice.ClickAsync(AriaRole.Link, "Refusals today");
        alice.Clicks.Should().BeLessThanOrEqualTo(2, "why somebody was refused is seen");
        (await alice.Page.Locator("#entries").InnerTextAsync()).Should().Contain("sam").And.Contain("read_audit");

        await alice.BeginAsync();
        await alice.ClickAsync(AriaRole.Link, "Keys");
        await alice.ClickAsync("main summary:has-text('New key')");
        await alice.ClickAsync("input[value=ci]");
        await alice.Page.GetByLabel("Tags").FillAsync("tag:ci");
        await alice.ClickAsync(AriaRole.Button, "Make key");
        alice.Clicks.Should().BeLessThanOrEqualTo(4, "a key for CI is made");
        tailnet.Keys[^1].Should().Match<TailnetKey>(one => one.Reusable && one.Ephemeral && one.Tags.Contains("tag:ci"));
    }

    [ChromiumFact]
    public async Task ThreeTasksAreDoneWithTheKeyboardAlone()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var page = await PageLooksTests.NewPageAsync(chromium.Browser, gateway, "alice");

        // The skip link is the first stop, and leads past the navigation.
        await page.GotoAsync("/admin/machines");
        await page.Keyboard.PressAsync("Tab");
        (await page.EvaluateAsync<string>("document.activeElement.textContent")).Should().Be("Skip to content");
        await page.Keyboard.PressAsync("Enter");
        (await page.EvaluateAsync<string>("document.activeElement.id")).Should().Be("main");

        // Searched while it is typed, found, opened.
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("sam-lap");
        await Assertions.Expect(page.Locator("#devices tbody tr")).ToHaveCountAsync(1);
        page.Url.Should().Contain("q=sam-lap");
        await page.GetByRole(AriaRole.Link, new() { Name = "sam-laptop" }).PressAsync("Enter");
        await page.GetByLabel("New name").FillAsync("travel");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("travel");

        // From page to page by letters, and a menu that Escape closes.
        await page.Locator("h1").ClickAsync();
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("d");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Devices");
        await page.Locator("summary[aria-label='Actions for travel']").PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Sign out travel now" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Sign out travel now" })).ToBeHiddenAsync();
    }

    [ChromiumFact]
    public async Task ANewDeviceAppearsInTheOpenListAndNothingLeavesTheOrigin()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var page = await PageLooksTests.NewPageAsync(chromium.Browser, gateway, "alice");
        var (foreign, errors) = (new List<string>(), new List<string>());
        page.Request += (_, request) =>
            Note(foreign, request.Url, !request.Url.StartsWith(gateway.Url.AbsoluteUri, StringComparison.Ordinal));
        page.Console += (_, message) => Note(errors, message.Text, message.Type == "error");
        await page.GotoAsync("/admin/machines");
        await Assertions.Expect(page.Locator("#devices tbody tr").First).ToBeVisibleAsync();

        gateway.Headscale.Tailnet.Nodes.Add(new TailnetNode(61, "brand-new", 1));

        await Assertions.Expect(page.GetByText("brand-new", new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        foreign.Should().BeEmpty();
        errors.Should().BeEmpty();
    }

    private static void Note(List<string> list, string text, bool counts)
    {
        if (counts)
        {
            list.Add(text);
        }
    }

    /// <summary>Counts what a hand does.</summary>
    private sealed class Walk(IPage page)
    {
        public IPage Page => page;

        public int Clicks { get; private set; }

        public async Task BeginAsync()
        {
            await page.GotoAsync("/admin/");
            Clicks = 0;
        }

        public Task ClickAsync(AriaRole role, string name) => ClickAsync(page.GetByRole(role, new() { Name = name }));

        public Task ClickAsync(string selector) => ClickAsync(page.Locator(selector));

        private async Task ClickAsync(ILocator what)
        {
            Clicks++;
            await what.First.ClickAsync();
        }
    }
}
