using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Machines;

/// <summary>Machines: what is done with one, and how many fit on a page.</summary>
public sealed class MachinesPageTests
{
    [Fact]
    public async Task TagsAndRoutesAreSetFromTheirForms()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var nina = gateway.BrowserOf("nina");

        (await nina.SubmitAsync("/admin/machines/11", "/admin/machines/11/tags", ("tags", " tag:a, tag:b "))).Status.Should().Be(302);
        gateway.Headscale.Tailnet.Node(11).Tags.Should().Equal(["tag:a", "tag:b"]);
        (await nina.SubmitAsync("/admin/machines/12", "/admin/machines/12/routes", ("route", "10.0.0.0/8"),
            ("route", "10.1.0.0/16"))).Status.Should()
            .Be(302);
        gateway.Headscale.Tailnet.Node(12).ApprovedRoutes.Should().Equal(["10.0.0.0/8", "10.1.0.0/16"]);
    }

    [Theory]
    [InlineData("/admin/machines/x")]
    [InlineData("/admin/machines/017")]
    [InlineData("/admin/machines/17%2Fexpire")]
    [InlineData("/admin/machines/..%2Fuser")]
    [InlineData("/admin/machines/17%3Fa=b")]
    public async Task AnAddressThatNamesNoMachineIsNotSentOn(string path)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");

        (await alice.GetAsync(path)).Status.Should().Be(404);
        gateway.Headscale.Everything.Should().NotContain(one => one.Target.Contains("/node", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TenThousandMachinesComeInPages()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.AddRange(
            Enumerable.Range(1000, 10_000).Select(id => new TailnetNode((ulong)id, $"machine-{id}", 5)));
        using var vera = gateway.BrowserOf("vera");

        var first = await vera.GetAsync("/admin/machines");
        (first.Text.Length < 60_000 && Has(first, "10008 devices") && Has(first, "Page 1 of 201") && Has(first, "vera-laptop")).Should()
            .BeTrue($"{first.Text.Length} {first.Text[..2500]}");
        Has(await vera.GetAsync("/admin/machines?page=201"), "Page 201 of 201").Should().BeTrue();
        Has(await vera.GetAsync("/admin/machines?page=999"), "Page 201 of 201").Should().BeTrue();
        var found = await vera.GetAsync("/admin/machines?q=machine-1234");
        (Has(found, "All <b>1</b>") && Has(found, "machine-1234")).Should().BeTrue();
        Has(await vera.GetAsync("/admin/machines?q=%3Cscript%3E"), "No device matches “&lt;script&gt;”").Should().BeTrue();
    }

    [Fact]
    public async Task HeadscalesOwnWordsAreShownWhereItRefuses()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");
        await alice.GetAsync("/admin/");
        gateway.Headscale.Broken = System.Net.HttpStatusCode.InternalServerError;

        var page = await alice.GetAsync("/admin/machines");

        page.Status.Should().Be(502);
        (Has(page, "Headscale refused") && Has(page, "broken")).Should().BeTrue();
    }

    [Theory]
    [InlineData(27, true)]
    [InlineData(28, false)]
    public async Task AMachineGetsAnotherOwnerWhereHeadscaleStillDoesThat(int version, bool isOffered)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        using var ivan = gateway.BrowserOf("ivan");

        (await ivan.GetAsync("/admin/machines/17")).Text.Contains("/admin/machines/17/user\"", StringComparison.Ordinal).Should()
            .Be(isOffered);
        var answer = await ivan.SubmitAsync("/admin/machines/17", "/admin/machines/17/user", ("user", "6"));
        (answer.Location == "/admin/machines/17?done=user").Should().Be(isOffered);
        gateway.Headscale.Tailnet.Node(17).UserId.Should().Be(isOffered ? 6UL : 7UL);

        using var sam = gateway.BrowserOf("sam");
        (await sam.GetAsync("/admin/machines/17")).Text.Should().NotContain("/admin/machines/17/user\"");
        (await sam.SubmitAsync("/admin/login", "/admin/machines/17/user", ("user", "7"))).Status.Should().Be(403);
    }

    private static bool Has(PageAnswer page, string text) => page.Text.Contains(text, StringComparison.Ordinal);
}
