using Gateway.Identity;
using Gateway.Policy;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Users;

/// <summary>There is one owner: the first person, or the one who is named.</summary>
public sealed class OwnerTests
{
    [Fact]
    public async Task OfFiftyFirstPeopleExactlyOneBecomesOwner()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {first_user_is_owner: true}");
        var go = new TaskCompletionSource();
        var calls = Enumerable.Range(0, 50).Select(async i =>
        {
            await go.Task;
            return (await gateway.CallAsAsync($"person-{i}", "GET", "/api/v1/health")).Status;
        }).ToArray();
        go.SetResult();
        (await Task.WhenAll(calls)).Should().AllSatisfy(status => status.Should().Be(200));

        await gateway.StopAsync();
        var people = await StoredState.ReadPeopleAsync(gateway.Folder);
        people.Count.Should().Be(50);
        people.Should().ContainSingle(person => person.Role == Role.OwnerName);
    }

    [Fact]
    public async Task ARoleThatSomebodyGetsByTheirGroupsIsInTheAudit()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.CallAsAsync("alice", "GET", "/api/v1/node");
        using (var sam = gateway.As("sam", "viewers", "sam@example.test"))
        {
            await TestGateway.CallAsync(sam, "GET", "/api/v1/node");
        }

        using (var sam = gateway.AsPerson("sam"))
        {
            await TestGateway.CallAsync(sam, "GET", "/api/v1/node");
        }

        var entry = (await gateway.StopAndReadAuditAsync()).Single(one => one.Row == "auto.role");
        (entry.Actor, entry.Before, entry.After).Should().Be(("proxy:sam", "member", "self_service"));
        entry.Detail.Should().StartWith("'self_service' of header Remote-Groups gives");
    }

    [Fact]
    public async Task ASecondGatewayOnTheSameStoreIsRefusedInOneLine()
    {
        await using var gateway = await TestGateway.StartAsync();

        var second = await Verb.RunAsync("serve", "--config", gateway.Files.Config);

        second.Exit.Should().Be(1);
        second.Error.Should().Contain("another gateway uses").And.NotContain("   at ");
        (await gateway.CallAsAsync("alice", "GET", "/api/v1/health")).Status.Should().Be(200);
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
    public async Task TheStoreKeepsOneOwnerWhateverIsAsked()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        var people = state.People;
        (await AdmitAsync(people, "a", OwnerRule.WhenFirst)).Should().Be((true, "owner"));
        (await AdmitAsync(people, "b", OwnerRule.WhenFirst)).Should().Be((true, "viewer"));
        (await AdmitAsync(people, "a", OwnerRule.WhenThereIsNone)).Should().Be((false, "owner"));

        (await people.AddAsync(New("c") with { Role = Role.OwnerName }, null)).Should().Be(Change.OwnerExists);
        (await people.SetRoleAsync(2, Role.OwnerName)).Should().Be(Change.OwnerExists);
        (await people.SetRoleAsync(1, "admin")).Should().Be(Change.IsOwner);
        (await people.RemoveAsync(1)).Should().Be(Change.IsOwner);
        (await people.TransferOwnershipAsync(99, "admin")).Should().Be(Change.NoSuchPerson);
        (await people.TransferOwnershipAsync(2, "admin")).Should().Be(Change.Done);

        people.Snapshot.Everyone.Select(one => one.Role).Should().Equal(["admin", "owner"]);
    }

    [Fact]
    public async Task WhatASourceSaidOfARoleIsNotSaidOfAnotherOne()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        var people = state.People;
        foreach (var name in new[] { "a", "b", "c" })
        {
            await AdmitAsync(people, name, OwnerRule.WhenFirst);
        }

        foreach (var id in new[] { 1, 2, 3 })
        {
            await people.FollowAsync(id, null, new Profile(null, null, false, null, "the groups say so"));
        }

        (await people.SetRoleAsync(3, "viewer")).Should().Be(Change.Done);
        (await people.TransferOwnershipAsync(2, "admin")).Should().Be(Change.Done);

        people.Snapshot.Everyone.Should().HaveCount(3).And.OnlyContain(one => one.RoleNote == null);
    }

    [Fact]
    public async Task TheStoreGivesAHeadscaleUserToOnePersonOnly()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        var people = state.People;
        await AdmitAsync(people, "a", OwnerRule.Never);
        await AdmitAsync(people, "b", OwnerRule.Never);

        (await people.LinkAsync(1, new("7", "x", LinkSource.Auto))).Should().Be(Change.Done);
        (await people.LinkAsync(2, new("7", "x", LinkSource.Admin))).Should().Be(Change.Claimed);
        (await people.AddAsync(New("c"), new("7", "x", LinkSource.Admin))).Should().Be(Change.Claimed);
        (await people.UnlinkAsync(1)).Should().Be(Change.Done);
        (await people.LinkAsync(2, new("7", "x", LinkSource.Admin))).Should().Be(Change.Done);
    }

    private static async Task<(bool, string)> AdmitAsync(Gateway.Users.People people, string subject, OwnerRule rule)
    {
        var (person, isNew) = await people.AdmitAsync(New(subject), rule);
        return (isNew, person.Role);
    }

    private static NewPerson New(string subject) => new(Source.Proxy, "", subject, null, null, null, "viewer");
}
