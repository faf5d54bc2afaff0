using Microsoft.Playwright;

namespace Gateway.Tests.Support;

/// <summary>The real browser, without a window. Without a sandbox of its own, too, which containers do not allow.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly IPlaywright _playwright;

    private Chromium(IPlaywright playwright, IBrowser browser) => (_playwright, Browser) = (playwright, browser);

    public IBrowser Browser { get; }

    public static async Task<Chromium> LaunchAsync()
    {
        var playwright = await Playwright.CreateAsync();
        return new(playwright, await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = RealComponents.Chromium,
            ChromiumSandbox = false,
            Args = ["--disable-dev-shm-usage"],
        }));
    }

    public async ValueTask DisposeAsync()
    {
        await Browser.DisposeAsync();
        _playwright.Dispose();
    }
}
