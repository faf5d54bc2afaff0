using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Layout;

/// <summary>Forms and one-time secrets belong to the person to whom they were shown.</summary>
public sealed partial class BoundToThePersonTests
{
    [Fact]
    public async Task ASecretThatWasMadeForOnePersonIsShownToNobodyElse()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var vera = gateway.BrowserOf("vera");
        using var sam = gateway.BrowserOf("sam");
        (await vera.SubmitAsync("/admin/connect", "/admin/connect/key")).Status.Should().Be(302);
        var (name, cookie) = vera.Cookies.Single(one => one.Key.Contains("headtower-once-device", StringComparison.Ordinal));
        sam.Cookies[name] = cookie;

        name.Should().StartWith("__Secure-");
        var key = gateway.Headscale.Tailnet.Keys[^1].Key;
        (await sam.GetAsync("/admin/connect")).Text.Should().NotContain(key);
        (await vera.GetAsync("/admin/connect")).Text.Should().Contain(key);
    }

    [Fact]
    public async Task AFormThatWasShownToOnePersonIsNotTakenFromAnother()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = gateway.BrowserOf("nina");
        using var ivan = gateway.BrowserOf("ivan");
        var page = await nina.GetAsync("/admin/keys");
        foreach (var (name, cookie) in nina.Cookies)
        {
            ivan.Cookies[name] = cookie;
        }

        var fields = Hidden().Matches(page.Text).Select(field => (field.Groups[1].Value, field.Groups[2].Value)).Distinct().ToArray();
        (await ivan.PostAsync("/admin/keys", [.. fields, ("user", "1"), ("days", "1")])).Status.Should().Be(400);
        gateway.Headscale.Everything.Should().NotContain(call => call.Method == "POST");
    }

    [Fact]
    public async Task ABrokenFormCookieOfAStrangerLeavesNoStackTrace()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var stranger = new Browser(gateway);
        stranger.Cookies["__Host-headtower-form"] = ("CfDJ8broken", "/");
        (await stranger.GetAsync("/admin/login")).Status.Should().Be(200);
        (await stranger.PostAsync("/admin/login", ("api_key", "x"), ("__RequestVerificationToken", "broken"))).Status.Should().Be(400);

        gateway.Log.All.Should().NotContain(line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}
