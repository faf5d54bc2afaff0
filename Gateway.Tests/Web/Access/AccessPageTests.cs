using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Access;

/// <summary>What a role may do, explained.</summary>
public sealed class AccessPageTests
{
    [Fact]
    public async Task AccessIsExplainedByTheDeciderItself()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = gateway.BrowserOf("vera");

        Has(
            await vera.GetAsync("/admin/access?method=DELETE&path=%2Fapi%2Fv1%2Fnode%2F7&role=viewer"),
            "the role viewer lacks write_machines").Should()
            .BeTrue();
        var own = await vera.GetAsync("/admin/access?method=DELETE&path=%2Fapi%2Fv1%2Fnode%2F7&role=self_service");
        (Has(own, "Their own: allowed") && Has(own, "Someone else&#x27;s: the role self_service may only")).Should().BeTrue(own.Text);
        Has(await vera.GetAsync("/admin/access?method=GET&path=%2Fapi%2Fv1%2F..%2Fx&role=owner"), "no such operation").Should().BeTrue();
    }

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);
}
