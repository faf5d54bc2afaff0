using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Tests.Web.Layout;
using Microsoft.Playwright;

namespace Gateway.Tests.Web.Home;

/// <summary>The first hour of an owner, in a real browser and in the pages alone.</summary>
public sealed class FirstHourTests
{
    [ChromiumFact]
    public async Task FromAnEmptyHeadscaleToAConnectedDeviceWithoutLeavingThePages()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29, isFresh: true);
        headscale.Tailnet.Users.Add(new TailnetUser(900, "placeholder", ""));
        await using var gateway = await TestGateway.StartReachableAsync(headscale: headscale);
        headscale.Tailnet.Users.Clear();
        await using var chromium = await Chromium.LaunchAsync();
        var page = await PageLooksTests.NewPageAsync(chromium.Browser, gateway, "alice");

        // 1: a user of one's own.
        await page.GotoAsync("/admin/");
        await Assertions.Expect(page.GetByText("0 of 3 done")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create my user" }).ClickAsync();
        await Assertions.Expect(page.GetByText("1 of 3 done")).ToBeVisibleAsync();

        // 2: a key, copied into the line for the device.
        await page.GetByRole(AriaRole.Link, new() { Name = "Connect a device" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a key for one device" }).ClickAsync();
        await Assertions.Expect(page.Locator("pre", new() { HasText = "sudo tailscale up" })).ToContainTextAsync("--auth-key=");
        (await page.Locator("img.qr").EvaluateAsync<int>("one => one.naturalWidth")).Should().BePositive("phones read it");

        // 3: the overview notices by itself that the device has come.
        await page.GotoAsync("/admin/");
        await Assertions.Expect(page.GetByText("Waiting …")).ToBeVisibleAsync();
        headscale.Tailnet.Nodes.Add(new TailnetNode(1, "first-laptop", headscale.Tailnet.Users.Single().Id));
        await Assertions.Expect(page.GetByText("It is here:")).ToBeVisibleAsync(new() { Timeout = 60_000 });
    }
}
