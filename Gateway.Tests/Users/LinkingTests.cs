using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Users;

/// <summary>How links come, stay and go, through the real server.</summary>
public sealed class LinkingTests
{
    [Fact]
    public async Task ALinkIsMadeOnceAndStaysWhenTheAddressChanges()
    {
        await using var gateway = await TestGateway.StartAsync();
        await CallAsync(gateway, "sam", "sam@example.test");
        await CallAsync(gateway, "sam", "bob@example.test");

        LinkOf(gateway, "sam").Should().Be(((string, LinkSource)?)("7", LinkSource.Auto));
    }

    [Fact]
    public async Task AUserWhoBelongsToSomebodyIsNotGivenToAnother()
    {
        await using var gateway = await TestGateway.StartAsync();
        await CallAsync(gateway, "sam", "sam@example.test");
        var status = await CallAsync(gateway, "mallory", "sam@example.test", "self_service");

        status.Should().Be(403);
        LinkOf(gateway, "mallory").Should().BeNull();
        LinkOf(gateway, "sam").Should().Be(((string, LinkSource)?)("7", LinkSource.Auto));
    }

    [Fact]
    public async Task AnAdministratorsLinkIsNeverOverwrittenByMatching()
    {
        await using var gateway = await TestGateway.StartAsync();
        await CallAsync(gateway, "sam", null);
        var bob = gateway.Headscale.Tailnet.User(2);
        var person = gateway.People.Snapshot.Everyone.Single();
        await gateway.People.LinkAsync(person.Id, new UserLink("2", UserLink.Unpinned, LinkSource.Admin));

        await CallAsync(gateway, "sam", "sam@example.test");
        LinkOf(gateway, "sam").Should().Be(((string, LinkSource)?)("2", LinkSource.Admin));

        // Not even when the user is gone: then there is no user until an administrator says so.
        gateway.Headscale.Tailnet.Nodes.RemoveAll(one => one.UserId == bob.Id);
        gateway.Headscale.Tailnet.Keys.RemoveAll(one => one.UserId == bob.Id);
        gateway.Headscale.Tailnet.Users.Remove(bob);
        await Until.TrueAsync(
            async () => await CallAsync(gateway, "sam", "sam@example.test", "self_service") == 403,
            "the link of a deleted user stops to count");
        LinkOf(gateway, "sam").Should().Be(((string, LinkSource)?)("2", LinkSource.Admin));
    }

    [Fact]
    public async Task AnotherUserWithTheSameIdIsSomebodyElse()
    {
        await using var gateway = await TestGateway.StartAsync();
        (await CallAsync(gateway, "sam", "sam@example.test", "self_service")).Should().Be(200);

        var tailnet = gateway.Headscale.Tailnet;
        tailnet.Users[tailnet.Users.FindIndex(one => one.Id == 7)] = new TailnetUser(7,
            "reborn")
        { CreatedAt = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero) };

        await Until.TrueAsync(async () => await CallAsync(gateway, "sam", null, "self_service") == 403, "the new user 7 is not sam's");
    }

    [Fact]
    public async Task AStoppedHeadscaleDoesNotUndoALink()
    {
        await using var gateway = await TestGateway.StartAsync();
        await CallAsync(gateway, "sam", "sam@example.test");
        gateway.Headscale.Broken = System.Net.HttpStatusCode.BadGateway;
        await CallAsync(gateway, "sam", "sam@example.test");

        LinkOf(gateway, "sam").Should().Be(((string, LinkSource)?)("7", LinkSource.Auto));
    }

    private static (string, LinkSource)? LinkOf(TestGateway gateway, string name) =>
        gateway.People.Snapshot.Everyone.Single(one => one.Subject == name).Link is { } link ? (link.HeadscaleUserId, link.Source) : null;

    private static async Task<int> CallAsync(TestGateway gateway, string name, string? email, string role = "viewer")
    {
        using var client = gateway.As(name, role, email);
        return (await TestGateway.CallAsync(client, "GET", role == "self_service" ? "/api/v1/node" : "/api/v1/user")).Status;
    }
}
