using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.ApiKeys;

/// <summary>Headscale's API keys.</summary>
public sealed partial class ApiKeysPageTests
{
    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task ApiKeysAreMadeExpiredAndDeletedButNeverTheGatewaysOwn(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var bob = gateway.BrowserOf("bob");
        (await gateway.BrowserOf("ivan").GetAsync("/admin/apikeys")).Status.Should().Be(403);

        (await bob.SubmitAsync("/admin/apikeys", "/admin/apikeys", ("days", "30"))).Location.Should().Be("/admin/apikeys");
        var page = await bob.GetAsync("/admin/apikeys");
        var key = Fresh().Match(page.Text).Groups[1].Value;
        gateway.Headscale.Tailnet.ApiKeys.Should().Contain(one => one.Key == key);
        page.Text.Should().Contain("in use by this gateway");
        (await bob.GetAsync("/admin/apikeys")).Text.Should().NotContain(key);

        var (id, prefix) = (Id().Match(page.Text).Groups[1].Value, Prefix().Match(page.Text).Groups[1].Value);
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/expire", ("id", id), ("prefix", prefix))).Location.Should()
            .Be("/admin/apikeys?done=expire");
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/delete", ("prefix", prefix))).Location.Should()
            .Be("/admin/apikeys?done=delete");
        gateway.Headscale.Tailnet.ApiKeys.Should().NotContain(one => one.Key == key);

        var own = gateway.Headscale.Tailnet.ApiKeys.Single(one => one.Key == gateway.Configuration.Settings.Headscale.ApiKey!.Reveal());
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/delete",
            ("prefix", Gateway.Headscale.ApiKeyFormat.PrefixOf(own.Key)!))).Status.Should()
            .Be(403);
        (await bob.SubmitAsync("/admin/login", "/admin/apikeys/expire", ("id", $"{own.Id}"),
            ("prefix", Gateway.Headscale.ApiKeyFormat.PrefixOf(own.Key)!))).Status.Should()
            .Be(403);
        (await bob.GetAsync("/admin/machines")).Status.Should().Be(200);
    }

    [GeneratedRegex("<code class=\"copy\">(hskey-api-[^<]+|[^<.]+\\.[^<]+)</code>")]
    private static partial Regex Fresh();

    [GeneratedRegex("name=\"id\" value=\"([0-9]+)\"")]
    private static partial Regex Id();

    [GeneratedRegex("name=\"prefix\" value=\"([^\"]+)\"")]
    private static partial Regex Prefix();
}
