using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>An answer of the provider counts once, whatever cookies come with it.</summary>
public sealed class ReplayTests
{
    [Fact]
    public async Task AnAnswerThatWasUsedIsRefusedAlsoWithItsCookie()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        var callback = await browser.BeginAsync(provider, "sam");
        var kept = browser.Cookies.Where(cookie => cookie.Key.Contains("signin", StringComparison.Ordinal)).ToArray();
        (await browser.GetAsync(callback)).Location.Should().Be("/admin/");
        foreach (var (name, cookie) in kept)
        {
            browser.Cookies[name] = cookie;
        }

        var again = await browser.GetAsync(callback);
        again.Status.Should().BeGreaterThanOrEqualTo(400);
        gateway.Log.Has("the answer was used before").Should().BeTrue();
    }
}
