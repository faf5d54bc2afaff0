using System.Net;
using Gateway.Headscale;
using Gateway.Headscale.AccessRules;

namespace Gateway.Tests.Headscale.AccessRules;

/// <summary>
/// Who reaches what, by policies as Headscale compiles them: each row names where that is decided in hscontrol/policy/v2 (0.29, 0.30).
/// </summary>
[Trait("Category", "Fast")]
public sealed class PolicyReachTests
{
    private static readonly HeadscaleUser[] _users =
    [
        new() { Id = "1", Name = "alice", Email = "alice@example.org", ProviderId = "https://id.example.org/a1" },
        new() { Id = "2", Name = "bob", Email = "bob@example.org" },
        new() { Id = "3", Name = "carol" },
        new() { Id = "4", Name = "twin", Email = "twin@example.org" },
        new() { Id = "5", Name = "twin" },
    ];

    private static readonly PolicyNode[] _nodes =
    [
        Node("11", "alice-laptop", "1", "100.64.0.11"),
        Node("12", "alice-phone", "1", "100.64.0.12"),
        Node("21", "bob-laptop", "2", "100.64.0.21"),
        Node("91", "db-1", null, "100.64.0.91", ["tag:db"]),
        Node("92", "web-1", null, "100.64.0.92", ["tag:web", "tag:prod"]),
        Node("93", "router", null, "100.64.0.93", ["tag:router"], "10.1.0.0/16"),
        Node("94", "exit", null, "100.64.0.94", ["tag:exit"], "0.0.0.0/0"),
    ];

    /// <summary>A policy, who asks, and all that they reach.</summary>
    public static TheoryData<string, string, string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string, string, string>();
            var file = Path.Combine(AppContext.BaseDirectory, "Data", "policies", "reach.txt");
            foreach (var one in File.ReadAllText(file).Split("\n# ").Skip(1))
            {
                var lines = one.TrimEnd().Split('\n');
                var question = lines[^1].Split(" >");
                data.Add(lines[0], string.Join('\n', lines[1..^1]), question[0], question[1].Trim());
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EachPolicyMeansWhatHeadscaleMakesOfIt(string why, string policy, string who, string expected)
    {
        var reach = ReachOf(policy);

        var said = string.Join(", ", reach.From(reach.Who(who)).Select(one => $"{Named(one.Target)} {string.Join(' ', one.Ports)}"));

        said.Should().Be(expected, why);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WhoReachesIsTheSameQuestionFromTheOtherSide(string why, string policy, string who, string expected)
    {
        var reach = ReachOf(policy);
        foreach (var destination in _nodes)
        {
            foreach (var source in _nodes.Where(one => one != destination))
            {
                var there = reach.From([source]).Any(one => one.Target == new ReachTarget(destination, null));
                reach.To(destination).Any(one => one.Source == source).Should().Be(there, $"{why}: {who} {expected} {source.Name}");
            }
        }
    }

    [Theory]
    [InlineData("bob@", "tag:db:22", "", true, true)]
    [InlineData("bob@", "tag:db:23", "", true, false)]
    [InlineData("bob@", "tag:db:23", "", false, true)]
    [InlineData("bob@", "tag:db:80-90", "", true, true)]
    [InlineData("bob@", "tag:db:80-100", "", true, false)]
    [InlineData("bob@", "tag:db:53", "udp", true, true)]
    [InlineData("bob@", "tag:db:53", "tcp", true, false)]
    [InlineData("bob@", "tag:db:53", "", true, true)]
    [InlineData("autogroup:member", "tag:db:22", "", true, false)]
    [InlineData("dave@", "tag:db:22", "", true, null)]
    [InlineData("bob@", "tag:none:22", "", false, null)]
    public void ATestHoldsWhereAllItsSourcesReachIt(string source, string destination, string protocol, bool isAllowed, bool? holds) =>
        ReachOf("""
            {"acls": [{"action": "accept", "src": ["bob@"], "dst": ["tag:db:22,80-99"]},
                      {"action": "accept", "proto": "udp", "src": ["bob@"], "dst": ["tag:db:53"]}]}
            """).Holds(new(source, destination, protocol, isAllowed)).Should().Be(holds);

    [Fact]
    public void WhatChangesIsToldForEachPersonAndTag()
    {
        var before = ReachOf(Acl("alice@", "tag:db:22"));
        var after = ReachOf("""
            {"acls": [{"action": "accept", "src": ["alice@"], "dst": ["tag:db:5432"]},
                      {"action": "accept", "src": ["tag:web"], "dst": ["tag:db:22"]}]}
            """);

        before.ChangesTo(after)
            .Select(one => $"{one.Source} {Named(one.Target)}: {string.Join(' ', one.Before)} > {string.Join(' ', one.After)}").Should()
            .Equal("alice db-1: 22 > 5432", "tag:web db-1:  > 22", "tag:prod db-1:  > 22");
        before.ChangesTo(before).Should().BeEmpty();
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"acls\": [7]}")]
    [InlineData("{\"groups\": {\"group:a\": [7]}}")]
    [InlineData("7")]
    public void WhatIsNoPolicyIsNotExplained(string text) => TailnetPolicy.Parse(text).Should().BeNull();

    private static PolicyReach ReachOf(string policy) => new(TailnetPolicy.Parse(policy)!, _users, _nodes);

    private static string Named(ReachTarget target) => target.Network is { } network ? $"{target.Node.Name} {network}" : target.Node.Name;

    private static string Acl(string source, string destination) =>
        $$"""{"acls": [{"action": "accept", "src": ["{{source}}"], "dst": ["{{destination}}"]}]}""";

    private static PolicyNode Node(
        string id, string name, string? user, string address, string[]? tags = null, params string[] routes) =>
        new(
            id, name, user, tags ?? [],
            [IPAddress.Parse(address), IPAddress.Parse($"fd7a:115c:a1e0::{address[(address.LastIndexOf('.') + 1)..]}")],
            [.. routes.Select(IPNetwork.Parse)]);
}
