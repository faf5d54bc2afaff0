using Gateway.Sandbox.StandIns;
using Gateway.Tests.Deploy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.PolicyDocument;

/// <summary>Who reaches what is asked on the page of the policy, and shown before a policy is saved.</summary>
public sealed class ReachPageTests
{
    private const string Policy =
        """
        {
          "acls": [
            {"action": "accept", "src": ["sam@"], "dst": ["tag:db:5432"]},
            {"action": "accept", "src": ["autogroup:member"], "dst": ["bob@:22"]},
          ],
          "tests": [{"src": "sam@", "accept": ["tag:db:5432"], "deny": ["tag:db:22"]}, {"src": "vera@", "accept": ["tag:db:5432"]}],
        }
        """;

    [Fact]
    public async Task AQuestionIsAnsweredFromEitherSideWithTheRule()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Policy = Policy;
        using var audrey = gateway.BrowserOf("audrey");

        var sam = TextOf(await audrey.GetAsync("/admin/policy?who=sam@"));
        var database = TextOf(await audrey.GetAsync("/admin/policy?who=db-1"));
        var nobody = TextOf(await audrey.GetAsync("/admin/policy?who=samantha@"));

        sam.Should().MatchRegex("sam@ reaches.*db-1.*5432.*acls 1.*bob-laptop|sam@ reaches.*bob-laptop.*22.*acls 2.*db-1.*5432.*acls 1");
        sam.Should().MatchRegex("Who reaches sam@.*Nobody\\.");
        database.Should().MatchRegex("db-1 reaches.*Nothing\\..*Who reaches db-1.*sam@.*sam-laptop.*5432.*acls 1");
        nobody.Should().Contain("nobody and nothing of the name samantha@.");
        sam.Should().MatchRegex("holds.*sam@ reaches tag:db:5432.*holds.*sam@ does not reach tag:db:22.*fails.*vera@ reaches tag:db:5432");
    }

    [Fact]
    public async Task WhoWouldReachWhatElseIsShownBeforeSaving()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Policy = Policy;
        using var nina = gateway.BrowserOf("nina");

        var page = TextOf(await nina.SubmitAsync(
            "/admin/policy", "/admin/policy", ("policy", Policy.Replace("5432", "80", StringComparison.Ordinal)), ("step", "review")));
        var same = TextOf(await nina.SubmitAsync("/admin/policy", "/admin/policy", ("policy", Policy + "\n// more"), ("step", "review")));

        page.Should().MatchRegex("Who would reach what else.*changed.*sam.*db-1.*5432.*80");
        same.Should().Contain("Nobody reaches anything more or less than before.");
    }

    [Fact]
    public async Task WhoeverMayNotSeeAllDevicesIsToldNothingOfThem()
    {
        var shipped = await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(Front.Folder)!, "routes.yaml"));
        await using var gateway = await TestGateway.StartAsync(
            routes: shipped.Replace("self_service: [ui_access,", "self_service: [ui_access, read_policy,", StringComparison.Ordinal));
        gateway.Headscale.Tailnet.Policy = Policy;
        using var sam = gateway.BrowserOf("sam");

        var page = await sam.GetAsync("/admin/policy?who=db-1");

        page.Status.Should().Be(200);
        page.Text.Should().NotContain("Who reaches what").And.NotContain("bob-laptop");
    }

    [Fact]
    public async Task TenThousandDevicesAndHundredRulesAreAnswered()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Headscale.Tailnet.Nodes.AddRange(
            Enumerable.Range(1000, 10_000).Select(id => new TailnetNode((ulong)id, $"machine-{id}", 5)));
        gateway.Headscale.Tailnet.Policy = "{\"acls\": ["
            + string.Join(",", Enumerable.Range(1, 100).Select(
                port => $"{{\"action\": \"accept\", \"src\": [\"autogroup:member\"], \"dst\": [\"*:{port}\"]}}"))
            + "]}";
        using var audrey = gateway.BrowserOf("audrey");

        var page = TextOf(await audrey.GetAsync("/admin/policy?who=sam@"));

        page.Should().MatchRegex("and 99\\d\\d more").And.Contain("1, 2, 3, 4");
    }

    private static string TextOf(PageAnswer page) =>
        System.Text.RegularExpressions.Regex.Replace(
            System.Net.WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Replace(page.Text, "<[^>]+>", " ")), "\\s+", " ");
}
