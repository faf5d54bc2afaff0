using Gateway.Identity;
using Gateway.Policy;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Store;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Users;

/// <summary>There is one owner: the first person, or the one who is named.</summary>
public sealed class OwnerTests
{
    [Fact]
    public async Task OfFiftyFirstPeopleAtTwoProcessesExactlyOneBecomesOwner()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        Sandbox.People.Settle(headscale);
        using var store = new TemporaryFolder();
        using var otherFolder = new TemporaryFolder();
        await using var one = await StartAsync(headscale, store.Path, store.Path);
        await using var other = await StartAsync(headscale, otherFolder.Path, store.Path);

        using var http = new HttpClient();
        var go = new TaskCompletionSource();
        var calls = Enumerable.Range(0, 50).Select(async i =>
        {
            await go.Task;
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri((i % 2 == 0 ? one : other).Url, "/api/v1/health"));
            request.Headers.Add("Remote-User", $"person-{i}");
            using var answer = await http.SendAsync(request);
            return (int)answer.StatusCode;
        }).ToArray();
        go.SetResult();
        (await Task.WhenAll(calls)).Should().AllSatisfy(status => status.Should().Be(200));

        var people = new SqlitePersonStore(SqliteFile.Open(Path.Combine(store.Path, "headtower.db")), TimeProvider.System).List().People;
        people.Count.Should().Be(50);
        people.Should().ContainSingle(person => person.Role == Role.OwnerName);
    }

    [Fact]
    public async Task WhoIsNamedBecomesOwnerHoweverLateAndNobodyElseDoes()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {owner: proxy:late}");

        (await gateway.CallAsAsync("early", "POST", "/api/v1/node/backfillips?confirmed=true")).Status.Should().Be(403);
        (await gateway.CallAsAsync("late", "POST", "/api/v1/node/backfillips?confirmed=true")).Status.Should().Be(200);
        gateway.People.Snapshot.Everyone.Where(one => one.Role == Role.OwnerName).Select(one => one.Subject).Should().Equal(["late"]);
    }

    [Fact]
    public async Task TheFirstPersonIsNoOwnerWhenThatIsSwitchedOff()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {first_user_is_owner: false}");
        await gateway.CallAsAsync("first", "GET", "/api/v1/health");

        gateway.People.Snapshot.Everyone.Single().Role.Should().Be("member");
    }

    [Fact]
    public void TheStoreKeepsOneOwnerWhateverIsAsked()
    {
        using var folder = new TemporaryFolder();
        var store = new SqlitePersonStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")), TimeProvider.System);
        store.Admit(New("a"), OwnerRule.WhenFirst).Should().Be((true, true));
        store.Admit(New("b"), OwnerRule.WhenFirst).Should().Be((true, false));
        store.Admit(New("a"), OwnerRule.WhenThereIsNone).Should().Be((false, false));

        store.Add(New("c") with { Role = Role.OwnerName }, null).Should().Be(Change.OwnerExists);
        store.SetRole(2, Role.OwnerName).Should().Be(Change.OwnerExists);
        store.SetRole(1, "admin").Should().Be(Change.IsOwner);
        store.Remove(1).Should().Be(Change.IsOwner);
        store.TransferOwnership(99, "admin").Should().Be(Change.NoSuchPerson);
        store.TransferOwnership(2, "admin").Should().Be(Change.Done);

        store.List().People.Select(one => one.Role).Should().Equal(["admin", "owner"]);
    }

    [Fact]
    public void WhatASourceSaidOfARoleIsNotSaidOfAnotherOne()
    {
        using var folder = new TemporaryFolder();
        var store = new SqlitePersonStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")), TimeProvider.System);
        foreach (var name in new[] { "a", "b", "c" })
        {
            store.Admit(New(name), OwnerRule.WhenFirst);
        }

        foreach (var id in new[] { 1, 2, 3 })
        {
            store.SetProfile(id, new Profile(null, null, false, null, "the groups say so"));
        }

        store.SetRole(3, "viewer").Should().Be(Change.Done);
        store.TransferOwnership(2, "admin").Should().Be(Change.Done);

        store.List().People.Should().HaveCount(3).And.OnlyContain(one => one.RoleNote == null);
    }

    [Fact]
    public void TheStoreGivesAHeadscaleUserToOnePersonOnly()
    {
        using var folder = new TemporaryFolder();
        var store = new SqlitePersonStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")), TimeProvider.System);
        store.Admit(New("a"), OwnerRule.Never);
        store.Admit(New("b"), OwnerRule.Never);

        store.Link(1, new("7", "x", LinkSource.Auto)).Should().Be(Change.Done);
        store.Link(2, new("7", "x", LinkSource.Admin)).Should().Be(Change.Claimed);
        store.Add(New("c"), new("7", "x", LinkSource.Admin)).Should().Be(Change.Claimed);
        store.Unlink(1).Should().Be(Change.Done);
        store.Link(2, new("7", "x", LinkSource.Admin)).Should().Be(Change.Done);
    }

    private static NewPerson New(string subject) => new(Source.Proxy, "", subject, null, null, null, "viewer");

    private static Task<GatewayProcess> StartAsync(HeadscaleStandIn headscale, string folder, string dataPath)
    {
        var port = GatewayProcess.FreePort();
        return GatewayProcess.StartAsync(folder, TestGateway.Yaml(headscale, dataPath, port: port, more: "bootstrap: {first_user_is_owner: true}"), port, quiet: true, default);
    }
}
