using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Web.PolicyDocument;

namespace Gateway.Tests.Web.PolicyDocument;

/// <summary>A policy that cannot be read is told with its line before Headscale of any version is asked.</summary>
public sealed class PolicyTextTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("{\n  // comment\n  \"acls\": [],\n}")]
    [InlineData("/* before */ {\"groups\": {\"group:a\": [\"a@\",],},}")]
    public void HuJsonIsRead(string text) => PolicyText.ComplaintAbout(text).Should().BeNull();

    [Theory]
    [InlineData("", "Line 1")]
    [InlineData("[]", "begins with {")]
    [InlineData("{\n  \"acls\": [\n", "Line 3")]
    [InlineData("{\n  \"acls\": [{\"action\": accept}]\n}", "Line 2, column 23")]
    [InlineData("{\"ä\": x}", "Line 1, column 7")]
    [InlineData("{} trailing", "Line 1, column 4")]
    public void WhatIsNotIsToldWithItsLine(string text, string place) => PolicyText.ComplaintAbout(text).Should().Contain(place);

    [Theory]
    [InlineData(26)]
    [InlineData(30)]
    public async Task ABrokenPolicyIsNotSentAndStaysToBeMended(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var alice = gateway.BrowserOf("alice");

        var answer = await alice.SubmitAsync("/admin/policy", "/admin/policy", ("policy", "{\"acls\": [{]}"), ("step", "review"));

        answer.Status.Should().Be(400);
        answer.Text.Should().Contain("Line 1, column 12").And.Contain("{&quot;acls&quot;: [{]}");
        gateway.Headscale.Everything.Should()
            .NotContain(one => one.Method == "PUT" || one.Target.EndsWith("/check", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(28)]
    [InlineData(30)]
    public async Task TheFirstPolicyOfANewHeadscaleIsMadeInThePages(int version)
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(version, isFresh: true);
        await using var gateway = await TestGateway.StartAsync(headscale: headscale);
        using var alice = gateway.BrowserOf("alice");

        (await alice.GetAsync("/admin/policy")).Text.Should().Contain("There is no policy yet");
        var saved = await alice.SubmitAsync(
            "/admin/policy", "/admin/policy", ("policy", "{\n  \"acls\": [],\n}\n"), ("step", "save"));

        saved.Location.Should().Be("/admin/policy?done=set", saved.Text);
        (await alice.GetAsync("/admin/policy")).Text.Should().Contain("&quot;acls&quot;: []").And.NotContain("There is no policy yet");
    }

    [Fact]
    public void WhatIsShownIsTheTextCutIntoPieces()
    {
        const string text = "{\n  // why \"this\"\n  \"acls\": [\"a // b\", 12, true], /* x\n y */\n}";
        var lines = HuJsonView.LinesOf(text).ToArray();

        string.Join('\n', lines.Select(line => string.Concat(line.Select(one => one.Text)))).Should().Be(text);
        lines[1].Should().Contain(("c", "// why \"this\""));
        lines[2].Should().Contain(("k", "\"acls\"")).And.Contain(("s", "\"a // b\"")).And.Contain(("n", "12")).And.Contain(("c", "/* x"));
        lines[3].Should().Contain(("c", " y */"));
    }
}
