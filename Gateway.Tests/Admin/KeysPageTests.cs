using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

/// <summary>The page of pre-auth keys, for every version of Headscale.</summary>
public sealed partial class KeysPageTests
{
    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task AKeyIsMadeShownOnceAndExpired(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var sam = PagesTests.As(gateway, "sam");

        var made = await sam.SubmitAsync("/admin/keys", "/admin/keys", ("days", "7"), ("reusable", "true"));
        Assert.Equal((302, "/admin/keys?done=create"), (made.Status, made.Location));
        var key = gateway.Headscale.Tailnet.Keys[^1];
        Assert.Equal((7UL, true, false), (key.UserId, key.Reusable, key.Ephemeral));
        Assert.DoesNotContain(key.Key, string.Join(' ', made.Response.Headers.SelectMany(one => one.Value)), StringComparison.Ordinal);

        var shown = await sam.GetAsync(made.Location!);
        Assert.Contains($"tailscale up --login-server=https://gateway.example.test --auth-key={key.Key}", shown.Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"--auth-key={key.Key}", (await sam.GetAsync("/admin/keys")).Text, StringComparison.Ordinal);

        var form = Expire().Matches((await sam.GetAsync("/admin/keys")).Text).Select(one => (one.Groups[1].Value, one.Groups[2].Value)).First(one => one.Item1 == $"{key.Id}");
        var expired = await sam.SubmitAsync("/admin/login", "/admin/keys/expire", ("id", form.Item1), ("user", "7"), ("key", form.Item2));
        Assert.Equal("/admin/keys?done=expire", expired.Location);
        Assert.Equal("2026-01-02T00:00:00Z", gateway.Headscale.Tailnet.Keys.Single(one => one.Id == key.Id).Expiration);

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method == "POST").Select(one => (one.Row, one.Status));
        Assert.Equal([("keys.create", 200), ("keys.expire", 200)], entries);
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task NobodyMakesOrEndsWhatTheirRoleMayNot(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var foreign = gateway.Headscale.Tailnet.Keys.Single(one => one.UserId == 1);
        foreach (var (login, fields) in new[]
        {
            ("sam", new[] { ("user", "1") }), ("sam", [("tags", "tag:ci")]), ("vera", [("user", "1")]), ("mel", []), ("ivan", [("tags", "tag:ci"), ("user", "1")]),
        })
        {
            using var browser = PagesTests.As(gateway, login);
            Assert.Equal(403, (await browser.SubmitAsync("/admin/login", "/admin/keys", [("days", "1"), .. fields])).Status);
        }

        using var sam = PagesTests.As(gateway, "sam");
        Assert.Equal(403, (await sam.SubmitAsync("/admin/login", "/admin/keys/expire", ("id", $"{foreign.Id}"), ("user", "1"), ("key", foreign.Key))).Status);
        Assert.DoesNotContain(foreign.Key, (await sam.GetAsync("/admin/keys?user=1")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(gateway.Headscale.Everything, one => one.Method == "POST");
    }

    [Fact]
    public async Task WhoMakesThemForEverybodyChoosesForWhom()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = PagesTests.As(gateway, "nina");

        var page = await nina.GetAsync("/admin/keys");
        Assert.Contains("<option value=\"7\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(302, (await nina.SubmitAsync("/admin/login", "/admin/keys", ("days", "1"), ("user", "7"), ("tags", "tag:ci"))).Status);
        Assert.Equal(["tag:ci"], gateway.Headscale.Tailnet.Keys[^1].Tags);
    }

    [GeneratedRegex("name=\"id\" value=\"(\\d+)\".*?name=\"key\" value=\"([^\"]*)\"", RegexOptions.Singleline)]
    private static partial Regex Expire();
}
