using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Status;

/// <summary>How things stand, on one page.</summary>
public sealed class StatusPageTests
{
    [Fact]
    public async Task TheStatusSaysHowManyAreSignedInAndWhenABackupWasMade()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");

        var before = System.Net.WebUtility.HtmlDecode((await alice.GetAsync("/admin/status")).Text);
        var backup = await Verb.RunAsync("backup", Path.Combine(gateway.Folder, "copy.db"), "--config", gateway.Files.Config);
        var after = System.Net.WebUtility.HtmlDecode((await alice.GetAsync("/admin/status")).Text);

        before.Should().Contain("people: 1, open sessions: 0").And.Contain("'gateway backup' was not run yet");
        backup.Exit.Should().Be(0, backup.Error);
        after.Should().MatchRegex("'gateway backup' was run last on \\d{4}-\\d\\d-\\d\\d");
    }
}
