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
        Assert.All(await Task.WhenAll(calls), status => Assert.Equal(200, status));

        var people = new SqlitePersonStore(SqliteFile.Open(Path.Combine(store.Path, "headtower.db")), TimeProvider.System).List().People;
        Assert.Equal(50, people.Count);
        Assert.Single(people, person => person.Role == Role.OwnerName);
    }

    [Fact]
    public async Task WhoIsNamedBecomesOwnerHoweverLateAndNobodyElseDoes()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {owner: proxy:late}");

        Assert.Equal(403, (await gateway.CallAsAsync("early", "POST", "/api/v1/node/backfillips?confirmed=true")).Status);
        Assert.Equal(200, (await gateway.CallAsAsync("late", "POST", "/api/v1/node/backfillips?confirmed=true")).Status);
        Assert.Equal(["late"], gateway.People.Snapshot.Everyone.Where(one => one.Role == Role.OwnerName).Select(one => one.Subject));
    }

    [Fact]
    public async Task TheFirstPersonIsNoOwnerWhenThatIsSwitchedOff()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {first_user_is_owner: false}");
        await gateway.CallAsAsync("first", "GET", "/api/v1/health");

        Assert.Equal("member", gateway.People.Snapshot.Everyone.Single().Role);
    }

    [Fact]
    public void TheStoreKeepsOneOwnerWhateverIsAsked()
    {
        using var folder = new TemporaryFolder();
        var store = new SqlitePersonStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")), TimeProvider.System);
        Assert.Equal((true, true), store.Admit(New("a"), OwnerRule.WhenFirst));
        Assert.Equal((true, false), store.Admit(New("b"), OwnerRule.WhenFirst));
        Assert.Equal((false, false), store.Admit(New("a"), OwnerRule.WhenThereIsNone));

        Assert.Equal(Change.OwnerExists, store.Add(New("c") with { Role = Role.OwnerName }, null));
        Assert.Equal(Change.OwnerExists, store.SetRole(2, Role.OwnerName));
        Assert.Equal(Change.IsOwner, store.SetRole(1, "admin"));
        Assert.Equal(Change.IsOwner, store.Remove(1));
        Assert.Equal(Change.NoSuchPerson, store.TransferOwnership(99, "admin"));
        Assert.Equal(Change.Done, store.TransferOwnership(2, "admin"));

        Assert.Equal(["admin", "owner"], store.List().People.Select(one => one.Role));
    }

    [Fact]
    public void TheStoreGivesAHeadscaleUserToOnePersonOnly()
    {
        using var folder = new TemporaryFolder();
        var store = new SqlitePersonStore(SqliteFile.Open(Path.Combine(folder.Path, "headtower.db")), TimeProvider.System);
        store.Admit(New("a"), OwnerRule.Never);
        store.Admit(New("b"), OwnerRule.Never);

        Assert.Equal(Change.Done, store.Link(1, new("7", "x", LinkSource.Auto)));
        Assert.Equal(Change.Claimed, store.Link(2, new("7", "x", LinkSource.Admin)));
        Assert.Equal(Change.Claimed, store.Add(New("c"), new("7", "x", LinkSource.Admin)));
        Assert.Equal(Change.Done, store.Unlink(1));
        Assert.Equal(Change.Done, store.Link(2, new("7", "x", LinkSource.Admin)));
    }

    private static NewPerson New(string subject) => new(Source.Proxy, "", subject, null, null, null, "viewer");

    private static Task<GatewayProcess> StartAsync(HeadscaleStandIn headscale, string folder, string dataPath)
    {
        var port = GatewayProcess.FreePort();
        return GatewayProcess.StartAsync(folder, TestGateway.Yaml(headscale, dataPath, port: port, more: "bootstrap: {first_user_is_owner: true}"), port, quiet: true, default);
    }
}
