using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Users;

/// <summary>What an administrator decided stays, whatever groups and addresses say.</summary>
public sealed class DecidedByHandTests
{
    [Fact]
    public async Task AnUnlinkIsNotUndoneByTheNextRequest()
    {
        await using var gateway = await TestGateway.StartAsync();
        (await CallAsync(gateway, "vera", "self_service")).Should().Contain("vera-");
        (await RunAsync(gateway, "unlink", "proxy:vera")).Exit.Should().Be(0);

        (await CallAsync(gateway, "vera", "self_service")).Should().Contain("not linked to a Headscale user");

        gateway.People.Snapshot.Everyone.Single().Link.Should().BeNull();
        (await RunAsync(gateway, "show", "proxy:vera")).Output.Should().Contain("only an administrator links them again");
        (await RunAsync(gateway, "link", "proxy:vera", "6")).Exit.Should().Be(0);
        (await CallAsync(gateway, "vera", "self_service")).Should().Contain("vera-");
        (await gateway.StopAndReadAuditAsync()).Should().ContainSingle(one => one.Reason == "not_linked").Which.Detail.Should()
            .Contain("an administrator took the link away");
    }

    [Fact]
    public async Task WhoeverWasUnlinkedIsNotBelievedAnyMoreEvenWhereClaimsAre()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {owner: proxy:alice}\nonboarding: {self_claim: open}");
        await CallAsync(gateway, "vera", "self_service");
        (await RunAsync(gateway, "unlink", "proxy:vera")).Exit.Should().Be(0);
        using var vera = gateway.As("vera", "self_service", "vera@example.test");
        vera.DefaultRequestHeaders.Host = "gateway.example.test";

        await TestGateway.CallAsync(vera, "POST", "/admin/api/me/claim", """{"headscaleUser":"6"}""");

        var person = gateway.People.Snapshot.Everyone.Single();
        (person.Link, person.Claim?.HeadscaleUserId).Should().Be((null, "6"));
    }

    [Fact]
    public async Task ARoleGivenByHandWinsOverGroupsUntilItIsTakenBack()
    {
        await using var gateway = await TestGateway.StartAsync();
        await CallAsync(gateway, "vera", "viewer");
        (await RunAsync(gateway, "set-role", "proxy:vera", "auditor")).Exit.Should().Be(0);

        await CallAsync(gateway, "vera", "viewer");
        gateway.People.Snapshot.Everyone.Single().Role.Should().Be("auditor");
        (await RunAsync(gateway, "list")).Output.Should().Contain("auditor (by hand)");
        (await RunAsync(gateway, "unpin", "proxy:vera")).Exit.Should().Be(0);
        await CallAsync(gateway, "vera", "viewer");

        gateway.People.Snapshot.Everyone.Single().Role.Should().Be("viewer");
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Row is "people.role" or "people.unpin")
            .Select(one => $"{one.Before} -> {one.After}").Should().Equal(
            "viewer -> auditor, by hand", "auditor, by hand -> auditor, until the source of the identity says something else");
    }

    [Fact]
    public async Task WhereTheMapDecidesNoRoleIsGivenByHand()
    {
        await using var gateway = await TestGateway.StartAsync(more: "bootstrap: {owner: proxy:alice}\nroles: {manual: mapped}");
        await CallAsync(gateway, "vera", "viewer");

        var refused = await RunAsync(gateway, "set-role", "proxy:vera", "auditor");

        refused.Exit.Should().Be(1);
        refused.Error.Should().Contain("roles.manual is 'mapped', so server.proxy_auth.role_map decides");
        using var alice = gateway.AsPerson("alice");
        alice.DefaultRequestHeaders.Host = "gateway.example.test";
        var (status, text) = await TestGateway.CallAsync(alice, "POST", "/admin/api/users/1/role", """{"role":"auditor"}""");
        status.Should().Be(403);
        JsonNode.Parse(text)!["detail"]!.GetValue<string>().Should().Contain("roles.manual");
        gateway.People.Snapshot.Everyone.Single(one => one.Subject == "vera").Role.Should().Be("viewer");
    }

    [Fact]
    public async Task WhoHandedOwnershipOverIsAdminAlsoWhereGroupsSayLess()
    {
        await using var gateway = await TestGateway.StartAsync();
        await CallAsync(gateway, "alice", "viewer");
        await CallAsync(gateway, "vera", "viewer");
        (await RunAsync(gateway, "transfer-ownership", "proxy:vera")).Exit.Should().Be(0);

        await CallAsync(gateway, "alice", "viewer");

        gateway.People.Snapshot.Everyone.Select(one => one.Role).Should().Equal("admin", "owner");
    }

    private static async Task<string> CallAsync(TestGateway gateway, string who, string group)
    {
        using var client = gateway.As(who, group, $"{who}@example.test");
        return (await TestGateway.CallAsync(client, "GET", "/api/v1/node")).Text;
    }

    private static Task<VerbResult> RunAsync(TestGateway gateway, params string[] arguments) =>
        Verb.RunAsync(["users", .. arguments, "--config", gateway.Files.Config]);
}
