using System.Text.RegularExpressions;
using Gateway.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Web.Keys;

/// <summary>The page of pre-auth keys, for every version of Headscale.</summary>
public sealed partial class KeysPageTests
{
    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task AKeyIsMadeShownOnceAndExpired(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var sam = gateway.BrowserOf("sam");

        var made = await sam.SubmitAsync("/admin/keys", "/admin/keys", ("days", "7"), ("reusable", "true"));
        (made.Status, made.Location).Should().Be((302, "/admin/keys?done=create"));
        var key = gateway.Headscale.Tailnet.Keys[^1];
        (key.UserId, key.Reusable, key.Ephemeral).Should().Be(((ulong?, bool, bool))(7UL, true, false));
        string.Join(' ', made.Response.Headers.SelectMany(one => one.Value)).Should().NotContain(key.Key);

        var shown = await sam.GetAsync(made.Location!);
        shown.Text.Should().Contain($"tailscale up --login-server=https://gateway.example.test --auth-key={key.Key}");
        (await sam.GetAsync("/admin/keys")).Text.Should().NotContain($"--auth-key={key.Key}");

        var form = Expire().Matches((await sam.GetAsync("/admin/keys")).Text).Select(one => (one.Groups[1].Value, one.Groups[2].Value))
            .First(one => one.Item1 == $"{key.Id}");
        var expired = await sam.SubmitAsync("/admin/login", "/admin/keys/expire", ("id", form.Item1), ("user", "7"), ("key", form.Item2));
        expired.Location.Should().Be("/admin/keys?done=expire");
        gateway.Headscale.Tailnet.Keys.Single(one => one.Id == key.Id).Expiration.Should().Be("2026-01-02T00:00:00Z");

        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Method == "POST").Select(one => (one.Row, one.Status));
        entries.Should().Equal([("keys.create", 200), ("keys.expire", 200)]);
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task WhatAKeyIsForAndWhichDevicesCameWithItIsShown(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var alice = gateway.BrowserOf("alice");
        var used = gateway.Headscale.Tailnet.Keys.FindIndex(one => one.Id == gateway.Headscale.Tailnet.Node(17).KeyId);
        gateway.Headscale.Tailnet.Keys[used] = gateway.Headscale.Tailnet.Keys[used] with { IsUsed = true };

        var made = await alice.SubmitAsync(
            "/admin/login", "/admin/keys", ("preset", "servers"), ("user", "7"), ("description", $" <rack> 12{new string('x', 200)}"));
        made.Status.Should().Be(302, made.Text);

        var page = System.Net.WebUtility.HtmlDecode((await alice.GetAsync("/admin/keys?user=7")).Text);
        page.Should().Contain($"<b><rack> 12{new string('x', 91)}</b>").And.NotContain(new string('x', 92));
        page.Should().MatchRegex("used by\\s*<a href=\"/admin/machines/17\">sam-laptop</a>");
        (await File.ReadAllTextAsync(gateway.Files.Config)).Should().NotContain("rack");
        gateway.Headscale.Everything.Should().NotContain(one => one.Body.Contains("rack", StringComparison.Ordinal), "it is ours alone");
        System.Net.WebUtility.HtmlDecode((await alice.GetAsync("/admin/audit")).Text).Should().Contain("made a pre-auth key: <rack> 12x");
        (await gateway.StopAndReadAuditAsync()).Single(one => one.Row == "keys.create").Before.Should().StartWith("<rack> 12x");
    }

    [Fact]
    public async Task AKeyIsShownEvenWhenItsDescriptionCannotBeStored()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");
        await alice.GetAsync("/admin/");
        await using (var store = new SqliteConnection($"Data Source={Path.Combine(gateway.Folder, "headtower.db")};Pooling=false"))
        {
            await store.OpenAsync();
            using var refuse = store.CreateCommand();
            refuse.CommandText = "CREATE TRIGGER refuse BEFORE INSERT ON document BEGIN SELECT RAISE(ABORT, 'no'); END";
            await refuse.ExecuteNonQueryAsync();
        }

        var made = await alice.SubmitAsync("/admin/login", "/admin/keys", ("preset", "servers"), ("user", "7"), ("description", "rack"));
        var page = (await alice.GetAsync(made.Location!)).Text;

        page.Should().Contain("The key was made. What it is for could not be stored.").And
            .Contain(gateway.Headscale.Tailnet.Keys[^1].Key);
    }

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task NobodyMakesOrEndsWhatTheirRoleMayNot(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        var foreign = gateway.Headscale.Tailnet.Keys.Single(one => one.UserId == 1);
        foreach (var (login, fields) in new[]
        {
            ("sam", new[] { ("user", "1") }), ("sam", [("tags", "tag:ci")]), ("vera", [("user", "1")]), ("mel", []),
            ("ivan", [("tags", "tag:ci"), ("user", "1")]),
        })
        {
            using var browser = gateway.BrowserOf(login);
            (await browser.SubmitAsync("/admin/login", "/admin/keys", [("days", "1"), .. fields])).Status.Should().Be(403);
        }

        using var sam = gateway.BrowserOf("sam");
        (await sam.SubmitAsync("/admin/login", "/admin/keys/expire", ("id", $"{foreign.Id}"), ("user", "1"),
            ("key", foreign.Key))).Status.Should()
            .Be(403);
        (await sam.GetAsync("/admin/keys?user=1")).Text.Should().NotContain(foreign.Key);
        gateway.Headscale.Everything.Should().NotContain(one => one.Method == "POST");
    }

    [Fact]
    public async Task WhoMakesThemForEverybodyChoosesForWhom()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = gateway.BrowserOf("nina");

        var page = await nina.GetAsync("/admin/keys");
        page.Text.Should().Contain("<option value=\"7\"");
        (await nina.SubmitAsync("/admin/login", "/admin/keys", ("days", "1"), ("user", "7"), ("tags", "tag:ci"))).Status.Should().Be(302);
        gateway.Headscale.Tailnet.Keys[^1].Tags.Should().Equal(["tag:ci"]);
    }

    [GeneratedRegex("name=\"id\" value=\"(\\d+)\".*?name=\"key\" value=\"([^\"]*)\"", RegexOptions.Singleline)]
    private static partial Regex Expire();
}
