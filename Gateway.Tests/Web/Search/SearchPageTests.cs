using System.Net;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Search;

/// <summary>One search finds everything that somebody may see, and nothing else.</summary>
public sealed class SearchPageTests
{
    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task WhatIsFoundIsWhatTheRoleSees(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var alice = gateway.BrowserOf("alice");
        using var sam = gateway.BrowserOf("sam");
        using var vera = gateway.BrowserOf("vera");
        await sam.GetAsync("/admin/");
        var id = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "sam").Id;

        var everything = (await alice.GetAsync("/admin/search?q=sam")).Text;
        everything.Should().Contain("/admin/machines/17\"").And.Contain($"/admin/users/{id}\"").And
            .Contain("/admin/users/headscale/7\"").And.Contain("/admin/audit?q=sam&amp;show=all\"");
        everything.Contains("/admin/keys?q=", StringComparison.Ordinal).Should().Be(version >= 28, "before, keys have to be asked for one "
            + "user at a time");

        var own = (await sam.GetAsync("/admin/search?q=a")).Text;
        own.Should().Contain("/admin/machines/17\"").And.NotContain("/admin/machines/11\"").And.NotContain("/admin/users").And
            .NotContain("/admin/audit");

        (await vera.GetAsync("/admin/search?q=sam")).Text.Should().Contain("/admin/users/headscale/7\"").And
            .NotContain("/admin/keys?q=").And.NotContain("/admin/audit");
    }

    [Fact]
    public async Task WhoSeesNothingHasNothingToSearch()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var mel = gateway.BrowserOf("mel");

        (await mel.GetAsync("/admin/search?q=sam")).Status.Should().Be(403);
        (await mel.GetAsync("/admin/")).Text.Should().NotContain("/admin/search");
        (await gateway.BrowserOf("sam").GetAsync("/admin/")).Text.Should().Contain("action=\"/admin/search\"");
    }

    [Fact]
    public async Task WhatIsCalledExactlySoComesFirstAndTheRestIsOneClickAway()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.AddRange(Enumerable.Range(500, 20).Select(id => new TailnetNode((ulong)id, $"a-db-{id}", 1)));
        gateway.Headscale.Tailnet.Nodes.Add(new TailnetNode(600, "db", 1));
        using var alice = gateway.BrowserOf("alice");

        var page = (await alice.GetAsync("/admin/search?q=DB")).Text;

        page.IndexOf("/admin/machines/600\"", StringComparison.Ordinal).Should().BePositive().And
            .BeLessThan(page.IndexOf("/admin/machines/500\"", StringComparison.Ordinal));
        page.Should().Contain("/admin/machines?q=DB\">All 22</a>").And.NotContain("/admin/machines/510\"");
    }

    [Fact]
    public async Task AKeyIsFoundByWhatItIsFor()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");
        await alice.SubmitAsync("/admin/login", "/admin/keys", ("preset", "ci"), ("user", "7"), ("description", "Build & ship"));

        WebUtility.HtmlDecode((await alice.GetAsync("/admin/search?q=build")).Text).Should()
            .Contain("<a href=\"/admin/keys?q=Build%20%26%20ship\">Build & ship</a>");
        var found = WebUtility.HtmlDecode((await alice.GetAsync("/admin/keys?q=build")).Text);
        found.Should().Contain("<b>Build & ship</b>").And.Contain(">All <b>1</b>").And.Contain("kind=valid&q=build");
        (await alice.GetAsync("/admin/keys?q=nonsense")).Text.Should().Contain("No key matches.");
    }

    [Fact]
    public async Task WithoutHeadscaleItIsSaid()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");
        await sam.GetAsync("/admin/");
        gateway.Headscale.Broken = HttpStatusCode.InternalServerError;

        (await sam.GetAsync("/admin/search?q=sam")).Text.Should().Contain("role=\"alert\"");
    }
}
