using Gateway.Tests.Support;
using Gateway.Web.PolicyDocument;

namespace Gateway.Tests.Web.PolicyDocument;

/// <summary>The policy: what would change, and who was faster.</summary>
public sealed class PolicyPageTests
{
    [Fact]
    public async Task AccessRulesMayBeLongerThanWhatStrangersSend()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = gateway.BrowserOf("nina");
        var rules = $"// {new string('x', 300_000)}\n{{}}";

        (await nina.SubmitAsync("/admin/policy", "/admin/policy", ("policy", rules), ("step", "save"))).Location.Should()
            .StartWith("/admin/policy");

        gateway.Headscale.Everything.Single(one => one.Method == "PUT").Body.Length.Should().BeGreaterThan(300_000);
    }

    [Theory]
    [InlineData(28)]
    [InlineData(29)]
    public async Task APolicyIsSavedUnlessSomebodyElseWasFaster(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var nina = gateway.BrowserOf("nina");
        using var audrey = gateway.BrowserOf("audrey");
        Has(await audrey.GetAsync("/admin/policy"), "<textarea").Should().BeFalse();
        (await gateway.BrowserOf("vera").GetAsync("/admin/policy")).Status.Should().Be(403);

        (await nina.SubmitAsync("/admin/policy", "/admin/policy", ("policy", "// mine\r\n{}"), ("step", "save"))).Location.Should()
            .Be("/admin/policy?done=set");
        gateway.Headscale.Tailnet.Policy.Should().Be("// mine\n{}");

        var page = await nina.GetAsync("/admin/policy");
        var stale = System.Text.RegularExpressions.Regex.Match(page.Text, "name=\"base\" value=\"([^\"]+)\"").Groups[1].Value;
        gateway.Headscale.Tailnet.Policy = "// theirs\n{}";
        var conflict = await nina.SubmitAsync(
            "/admin/login", "/admin/policy", ("policy", "// mine again"), ("step", "save"), ("base", stale));
        conflict.Status.Should().Be(409);
        (Has(conflict, "// mine again") && Has(conflict, "// theirs")).Should().BeTrue();
        gateway.Headscale.Tailnet.Policy.Should().Be("// theirs\n{}");

        (await audrey.SubmitAsync("/admin/login", "/admin/policy", ("policy", "{}"), ("step", "save"),
            ("base", HashOf("// theirs\n{}")))).Status.Should()
            .Be(403);
        var rows = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method != "GET").Select(one => $"{one.Row} {one.Status}");
        rows.Should()
            .Equal(version >= 29 ? ["policy.check 200", "policy.set 200", "policy.set 403"] : ["policy.set 200", "policy.set 403"]);
    }

    [Fact]
    public async Task WhatAPolicyWouldChangeIsShownBeforeItIsSaved()
    {
        const string All = """[{"action":"accept","src":["*"],"dst":["*:*"]}]""";
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Policy = "{\n  \"acls\": [],\n  \"hosts\": {}\n}";
        using var nina = gateway.BrowserOf("nina");

        var page = await nina.SubmitAsync(
            "/admin/policy", "/admin/policy", ("policy", $"{{\r\n  \"acls\": {All},\r\n  \"hosts\": {{}}\r\n}}"), ("step", "review"));

        var text = System.Net.WebUtility.HtmlDecode(page.Text);
        page.Status.Should().Be(200);
        text.Should().Contain("<del>-   \"acls\": [],");
        text.Should().Contain($"<ins>+   \"acls\": {All},");
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

    private static string HashOf(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);
}
