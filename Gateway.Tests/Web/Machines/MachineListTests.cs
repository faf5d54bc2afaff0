using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Web.Machines;

namespace Gateway.Tests.Web.Machines;

/// <summary>The list of devices: what it is cut down to, in which order, and what is done with several at once.</summary>
public sealed class MachineListTests
{
    private static readonly DateTimeOffset _now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private static readonly Machine[] _machines =
    [
        Make("1", "router", available: ["10.1.0.0/16", "0.0.0.0/0"], approved: ["10.1.0.0/16"]),
        Make("2", "exit", available: ["0.0.0.0/0", "::/0"], approved: ["0.0.0.0/0", "::/0"], isOnline: false, seen: _now.AddHours(-3)),
        Make("3", "phone", expiry: _now.AddDays(2), created: _now.AddMinutes(-5)),
        Make("4", "old", expiry: _now.AddDays(-1), isOnline: false, seen: _now.AddDays(-9)),
        Make("5", "ci", tags: ["tag:ci"]),
    ];

    [Theory]
    [InlineData("", "ci exit old phone router")]
    [InlineData("kind=online", "ci phone router")]
    [InlineData("kind=offline", "exit")]
    [InlineData("kind=expired", "old")]
    [InlineData("kind=expiring", "phone")]
    [InlineData("kind=waiting", "router")]
    [InlineData("kind=tagged", "ci")]
    [InlineData("kind=exit", "exit")]
    [InlineData("kind=router", "router")]
    [InlineData("kind=nonsense", "ci exit old phone router")]
    [InlineData("q=10.1.0", "router")]
    [InlineData("q=TAG:CI", "ci")]
    [InlineData("tag=tag:ci", "ci")]
    [InlineData("owner=9", "")]
    [InlineData("sort=created", "phone ci exit old router")]
    [InlineData("sort=expiry", "old phone ci exit router")]
    [InlineData("sort=seen", "ci phone router exit old")]
    [InlineData("q=o&kind=online", "phone router")]
    public void AListIsCutDownAndOrderedAsTheAddressSays(string query, string names)
    {
        var filter = MachineFilter.Of(new Microsoft.AspNetCore.Http.QueryCollection(
            Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query)));

        string.Join(' ', filter.Apply(_machines, null, _now).Select(one => one.Name)).Should().Be(names);
    }

    [Fact]
    public void KindsSayHowManyTheyHaveOfWhatElseIsLookedFor() =>
        new MachineFilter("o", "waiting", "", "", "").KindsOf(_machines, _now).Select(one => (one.Value, one.Count)).Should().Equal(
            ("", 3), ("online", 2), ("waiting", 1), ("expiring", 1), ("expired", 1), ("router", 1));

    [Fact]
    public async Task WithTheDomainOfTheTailnetDevicesHaveTheNamesByWhichOthersReachThem()
    {
        await using var gateway = await TestGateway.StartAsync(headscaleSection: "  base_domain: tailnet.example.com.");
        using var ivan = gateway.BrowserOf("ivan");

        (await ivan.GetAsync("/admin/machines/20")).Text.Should().Contain("<code class=\"copy\">db-1.tailnet.example.com</code>");
        (await ivan.GetAsync("/admin/machines?q=db-1.tailnet")).Text.Should().Contain("/admin/machines/20\"").And
            .NotContain("/admin/machines/17\"");
        (await ivan.GetAsync("/admin/machines.csv")).Text.Should().MatchRegex("(?m)^\"20\",\"db-1\".*,\"db-1.tailnet.example.com\"\r$");
    }

    [Fact]
    public async Task WithoutTheDomainNothingIsSaidOfFullNames()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");

        (await ivan.GetAsync("/admin/machines/20")).Text.Should().NotContain("Full name");
        (await ivan.GetAsync("/admin/machines.csv")).Text.Should().MatchRegex("(?m)^\"20\",\"db-1\".*,\r$");
    }

    [Fact]
    public async Task SeveralAreSignedOutWithOneConfirmationAndOneReference()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");

        var confirm = await ivan.SubmitAsync(
            "/admin/machines", "/admin/machines/selected", ("task", "expire"), ("id", "16"), ("id", "17"), ("id", "99"));
        confirm.Status.Should().Be(200);
        confirm.Text.Should().Contain("Sign out 2 devices").And.Contain("sam-laptop").And.Contain("vera-laptop");
        gateway.Headscale.Everything.Should().NotContain(one => one.Method == "POST", "it is asked first");
        var done = await ivan.SubmitAsync("/admin/machines", "/admin/machines/selected/expire", ("id", "16"), ("id", "17"));
        (await ivan.GetAsync(done.Location!)).Text.Should().Contain("Done with 2 devices.");

        gateway.Headscale.Everything.Where(one => one.Method == "POST").Select(one => one.Target).Should()
            .Equal("/api/v1/node/16/expire", "/api/v1/node/17/expire");
        var entries = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row == "nodes.expire").ToArray();
        entries.Should().HaveCount(2);
        entries.Select(one => one.RequestId.Split('-')[0]).Distinct().Should().ContainSingle();
    }

    [Fact]
    public async Task WhatOneMayNotDoToSomeIsSaidAndTheOthersAreDone()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");

        var answer = await sam.SubmitAsync("/admin/machines", "/admin/machines/selected/expire", ("id", "16"), ("id", "17"));

        answer.Status.Should().Be(409);
        answer.Text.Should().Contain("1 of 2 done").And.Contain("16:");
        gateway.Headscale.Everything.Where(one => one.Method == "POST").Select(one => one.Target).Should().Equal("/api/v1/node/17/expire");
        (await sam.SubmitAsync("/admin/machines", "/admin/machines/selected", ("task", "expire"))).Status.Should().Be(400);
        (await sam.SubmitAsync("/admin/machines", "/admin/machines/selected", ("task", "format"), ("id", "17"))).Status.Should().Be(404);
        (await sam.SubmitAsync("/admin/machines", "/admin/machines/selected/format", ("id", "17"))).Status.Should().Be(404);
        (await sam.SubmitAsync("/admin/machines", "/admin/machines/selected/rename", ("id", "17"), ("name", "x"))).Status.Should().Be(404);
    }

    [Fact]
    public async Task TheListIsTakenAlongAsItIsShown()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.Add(new TailnetNode(90, "=cmd()", 7));
        using var vera = gateway.BrowserOf("vera");

        var csv = await vera.GetAsync("/admin/machines.csv?owner=7");

        csv.Text.Split("\r\n").Should().HaveCount(4).And.Contain(one => one.Contains("\"'=cmd()\"", StringComparison.Ordinal));
        csv.Text.Should().StartWith("\"id\",\"name\"").And.Contain("sam-laptop").And.NotContain("alice-laptop");
        (await gateway.BrowserOf("sam").GetAsync("/admin/machines.csv")).Text.Should().NotContain("alice-laptop");
    }

    [Fact]
    public async Task AWaitingRouteIsApprovedWithOneButtonAndStaysInTheListOfApproved()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.RemoveAll(one => one.Id == 12);
        gateway.Headscale.Tailnet.Nodes.Add(new TailnetNode(12, "bob-laptop", 2)
        {
            AvailableRoutes = ["10.9.0.0/16", "10.8.0.0/16"],
            ApprovedRoutes = ["10.8.0.0/16", "10.7.0.0/16"],
        });
        using var nina = gateway.BrowserOf("nina");

        (await nina.GetAsync("/admin/")).Text.Should().Contain("bob-laptop offers 10.9.0.0/16");
        var page = await nina.GetAsync("/admin/machines/12");
        page.Text.Should().Contain("A route waits for approval").And.Contain("10.7.0.0/16 (not offered now)");
        (await nina.SubmitAsync("/admin/machines/12", "/admin/machines/12/routes")).Status.Should().Be(302);

        gateway.Headscale.Tailnet.Node(12).ApprovedRoutes.Should().BeEquivalentTo("10.8.0.0/16", "10.7.0.0/16", "10.9.0.0/16");
    }

    private static Machine Make(
        string id, string name, string[]? available = null, string[]? approved = null, string[]? tags = null, bool isOnline = true,
        DateTimeOffset? seen = null, DateTimeOffset? expiry = null, DateTimeOffset? created = null) => new(
            id, name, name, tags is null ? "1" : null, "alice", isOnline, seen, expiry, ["100.64.0." + id], tags ?? [], available ?? [],
            approved ?? [])
        {
            Created = created,
        };
}
