using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Tests.Support;
using Microsoft.Playwright;

namespace Gateway.Tests.Web.Layout;

/// <summary>Own pages in a real browser: readable for everybody, on every width, in both lights, without scripts.</summary>
public sealed partial class PageLooksTests
{
    private static readonly string[] _pages =
    [
        "", "login", "machines", "machines?q=nothing", "machines/17", "machines/11", "search?q=sam", "connect", "keys", "apikeys", "users",
        "users/1", "users/new", "users/headscale", "users/headscale/1", "policy", "status", "account", "tokens", "audit", "audit/1",
        "access", "access?method=GET&path=/api/v1/node&role=viewer", "nowhere",
    ];

    /// <summary>Lights and widths, the two that differ most first.</summary>
    private static readonly (ColorScheme Light, int Width)[] _looks =
    [
        (ColorScheme.Light, 1280), (ColorScheme.Dark, 390), (ColorScheme.Dark, 1280), (ColorScheme.Light, 390), (ColorScheme.Light, 320),
        (ColorScheme.Dark, 320),
    ];

    private static string Axe => Path.Combine(RealComponents.Providers, "oidc-provider", "node_modules", "axe-core", "axe.min.js");

    /// <summary>The rules of axe that a page must keep (npm axe-core).</summary>
    private const string Audit = "async () => JSON.stringify((await axe.run({ resultTypes: ['violations'] })).violations"
        + ".map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' ')))";

    /// <summary>What reaches beyond the window.</summary>
    private const string Widest = "[...document.querySelectorAll('body *')]"
        + ".filter(one => one.getBoundingClientRect().right > innerWidth + 1)"
        + ".slice(0, 3).map(one => one.outerHTML.slice(0, 120)).join(' | ')";

    [ChromiumTheory]
    [InlineData("alice")]
    [InlineData("sam")]
    [InlineData("mel")]
    public async Task NobodyIsKeptOutByHowAPageIsMade(string login)
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        await using var chromium = await Chromium.LaunchAsync();
        var wrong = new List<string>();

        await using var context = await NewContextAsync(chromium.Browser, gateway, login, ColorScheme.Light, 1280);
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
            Note(wrong, message.Type == "error" && !message.Text.Contains("status of", StringComparison.Ordinal) ? message.Text : null);
        foreach (var path in _pages)
        {
            var answer = await page.GotoAsync($"/admin/{path}");
            Note(wrong, (await answer!.BodyAsync()).Length > 60_000 ? $"{path} is too large" : null);
            await page.AddScriptTagAsync(new() { Path = Axe });

            // Who sees the most sees it in every light and width; what others see is made of the same parts.
            foreach (var (light, width) in login == "alice" ? _looks : _looks[..2])
            {
                await page.EmulateMediaAsync(new() { ColorScheme = light });
                await page.SetViewportSizeAsync(width, 800);
                Note(
                    wrong,
                    await page.EvaluateAsync<int>("document.documentElement.scrollWidth - "
                        + "document.documentElement.clientWidth") > 0
                        ? $"{path} is wider than {width}: " + await page.EvaluateAsync<string>(Widest) : null);
                var violations = JsonSerializer.Deserialize<string[]>(await page.EvaluateAsync<string>(Audit))!;
                wrong.AddRange(violations.Select(one => $"{path} ({light}, {width}): {one}"));
                await ShootAsync(page, $"{login}-{(path.Length == 0 ? "home" : NotOfAName().Replace(path, "-"))}-{light}-{width}");
            }
        }

        wrong.Should().BeEmpty();
    }

    [ChromiumFact]
    public async Task WhatComesAfterAFormKeepsNobodyOutEither()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        gateway.Headscale.Tailnet.Users.Add(new(70, "nora-local", ""));
        await using var chromium = await Chromium.LaunchAsync();
        var wrong = new List<string>();
        await using var ofAlice = await NewContextAsync(chromium.Browser, gateway, "alice", ColorScheme.Dark, 360);
        await using var ofNora = await NewContextAsync(chromium.Browser, gateway, "nora", ColorScheme.Light, 360);
        var (alice, nora) = (await ofAlice.NewPageAsync(), await ofNora.NewPageAsync());
        await alice.GotoAsync("/admin/");

        await nora.GotoAsync("/admin/");
        await CheckAsync(wrong, nora, "asking for a Headscale user");
        await nora.GetByLabel("Name of your Headscale user").FillAsync("nobody-of-that-name");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Send request" }).ClickAsync();
        await CheckAsync(wrong, nora, "refused");
        await nora.GotoAsync("/admin/");
        await nora.GetByLabel("Name of your Headscale user").FillAsync("nora-local");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Send request" }).ClickAsync();
        await CheckAsync(wrong, nora, "waiting");
        await alice.GotoAsync("/admin/users");
        await CheckAsync(wrong, alice, "somebody asks");
        await alice.GotoAsync($"/admin/users/{gateway.People.Snapshot.Everyone.Single(one => one.Subject == "nora").Id}");
        await CheckAsync(wrong, alice, "who asks");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Link them" }).ClickAsync();
        await CheckAsync(wrong, alice, "linked");
        await nora.GotoAsync("/admin/");
        await CheckAsync(wrong, nora, "first device");
        await nora.GetByRole(AriaRole.Button, new() { Name = "Make a key for one device" }).ClickAsync();
        await CheckAsync(wrong, nora, "a key for a device");
        await alice.GotoAsync("/admin/policy");
        await alice.GetByLabel("Policy (HuJSON)").FillAsync("{\n  // changed\n}");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Review the changes" }).ClickAsync();
        await CheckAsync(wrong, alice, "policy to review");
        gateway.Headscale.Broken = System.Net.HttpStatusCode.InternalServerError;
        await alice.GotoAsync("/admin/machines");
        await CheckAsync(wrong, alice, "trouble");
        wrong.Should().BeEmpty();
    }

    private static async Task CheckAsync(List<string> wrong, IPage page, string what)
    {
        // A click is over when the new page begins; how it looks is known when its style sheet is there.
        await page.WaitForFunctionAsync("document.readyState === 'complete'", null, new() { PollingInterval = 50, Timeout = 120_000 });
        Note(
            wrong,
            await page.EvaluateAsync<int>("document.documentElement.scrollWidth - "
                + "document.documentElement.clientWidth") > 0 ? $"{what} is too wide: " + await page.EvaluateAsync<string>(Widest) : null);
        await page.AddScriptTagAsync(new() { Path = Axe });
        wrong.AddRange(JsonSerializer.Deserialize<string[]>(await page.EvaluateAsync<string>(Audit))!.Select(one => $"{what}: {one}"));
        await ShootAsync(page, $"after-{what.Replace(' ', '-')}");
    }

    [ChromiumFact]
    public async Task AMachineIsRenamedAndDeletedByKeyboardWithScriptsOff()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        await using var chromium = await Chromium.LaunchAsync();
        await using var context = await NewContextAsync(chromium.Browser, gateway, "sam", ColorScheme.Light, 360, scripts: false);
        var page = await context.NewPageAsync();

        await page.GotoAsync("/admin/machines");
        await page.GetByRole(AriaRole.Link, new() { Name = "sam-laptop" }).PressAsync("Enter");
        await page.GetByLabel("New name").FillAsync("travel");
        await page.GetByLabel("New name").PressAsync("Enter");
        (await page.GetByRole(AriaRole.Status).InnerTextAsync()).Should().Contain("has its new name");
        (await page.Locator("h1").InnerTextAsync()).Should().Be("travel");

        (await page.GetByRole(AriaRole.Button, new() { Name = "Delete travel" }).IsVisibleAsync()).Should().BeFalse();
        await page.Locator("summary", new() { HasText = "Delete this device" }).PressAsync("Enter");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete travel" }).PressAsync("Enter");
        (await page.GetByRole(AriaRole.Status).InnerTextAsync()).Should().Contain("was deleted");
    }

    /// <summary>A page of a browser that the front signed somebody in to.</summary>
    internal static async Task<IPage> NewPageAsync(IBrowser chromium, TestGateway gateway, string login, bool scripts = true) =>
        await (await NewContextAsync(chromium, gateway, login, ColorScheme.Light, 1280, scripts)).NewPageAsync();

    private static async Task<IBrowserContext> NewContextAsync(
        IBrowser chromium, TestGateway gateway, string login, ColorScheme light, int width, bool scripts = true)
    {
        var role = Sandbox.People.All.SingleOrDefault(one => one.Login == login)?.Role ?? "self_service";
        return await chromium.NewContextAsync(new()
        {
            BaseURL = gateway.Url.AbsoluteUri,
            BypassCSP = scripts,
            ColorScheme = light,
            ReducedMotion = ReducedMotion.Reduce,
            JavaScriptEnabled = scripts,
            ViewportSize = new() { Width = width, Height = 800 },
            ExtraHTTPHeaders = new Dictionary<string, string>
            {
                ["Remote-User"] = login,
                ["Remote-Groups"] = role,
                ["Remote-Email"] = $"{login}@example.test",
            },
        });
    }

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotOfAName();

    private static void Note(List<string> wrong, string? what)
    {
        if (what is not null)
        {
            wrong.Add(what);
        }
    }

    /// <summary>Pictures for a look, where a folder is named.</summary>
    private static async Task ShootAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }
}
