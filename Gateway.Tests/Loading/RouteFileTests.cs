using FsCheck;
using FsCheck.Fluent;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Loading;

public sealed class RouteFileTests
{
    private const string Roles = "roles: {owner: [owner], member: []}\n";

    [Theory]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: "
        + "read_machine}]", "routes.yaml:2:", "did you mean 'read_machines'?")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x}]", "routes.yaml:2:", "name the capability")]
    [InlineData("routes: [{id: a, methods: [FETCH], path: /api/x, capability: owner}]", "routes.yaml:2:", "'FETCH' is not one of")]
    [InlineData("routes: [{id: a, methods: [get], path: /api/x, capability: owner}]", "routes.yaml:2:", "'get' is not one of")]
    [InlineData("routes: [{id: a, methods: [GET], path: '/api/{x:uid}', capability: owner}]", "routes.yaml:2:", "with one of the types")]
    [InlineData("routes: [{id: a, methods: [GET], path: '/api//x', capability: owner}]", "routes.yaml:2:", "no empty segment")]
    [InlineData("routes: [{id: a, methods: [POST], path: /api/x, capability: owner, body: "
        + "create_usr}]", "routes.yaml:2:", "did you mean 'create_user'?")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner, filter: node_list}]", "routes.yaml:2:", "is not one of")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner, filter: none}]", "routes.yaml:2:", "is not one of")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner, "
        + "capabilty: x}]", "routes.yaml:2:", "did you mean 'capability'?")]
    [InlineData("routes: [{id: a, methods: [GET], path: /web, capability: "
        + "owner}]", "routes.yaml:2:", "the API plane is what lies under /api/")]
    [InlineData("routes: [{id: a, plane: client, methods: [GET], path: "
        + "/api/x}]", "routes.yaml:2:", "the API plane is what lies under /api/")]
    [InlineData("routes: [{id: a, plane: client, methods: [GET], path: /x, capability: "
        + "owner}]", "routes.yaml:2:", "nobody is asked who they are")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner}, {id: a, methods: [GET], path: /api/y, capability: "
        + "owner}]", "routes.yaml:2:", "another row 'a'")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner}, {id: b, methods: [GET], path: '/api/{n:word}', "
        + "capability: owner}]", "routes.yaml:2:", "already answers")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner, "
        + "cluster: ui}]", "routes.yaml:2:", "there is no cluster 'ui'")]
    [InlineData("routes: [{id: a, methods: [GET], path: /api/x, capability: owner, own: {capability: owner, scope: "
        + "list}}]", "routes.yaml:2:", "needs a filter")]
    [InlineData("routes: [{id: a, plane: client, methods: [GET], path: '/web/{file:rest}'}]", "routes.yaml:2:", "lead to another cluster")]
    [InlineData("routes: [{id: a, methods: [GET], path: '/api/{file:rest}', capability: owner}]", "routes.yaml:2:", "'rest' is for rows")]
    [InlineData("clusters: {ui: http://127.0.0.1:1}\nroutes: [{id: a, plane: client, cluster: ui, methods: [GET], path: "
        + "'/web/{file:rest}/x'}]", "routes.yaml:3:", "can only be the last one")]
    [InlineData("clusters: {ui: http://127.0.0.1:1}\nroutes: [{id: a, plane: client, cluster: ui, methods: [GET], path: "
        + "'/web/{file:rest}'}, {id: b, plane: client, cluster: ui, methods: [GET], path: /web/}]", "routes.yaml:3:", "already answers")]
    [InlineData("clusters: {ui: http://127.0.0.1:1}\nroutes: [{id: a, plane: client, methods: [GET], path: '/key'}, "
        + "{id: b, plane: client, cluster: ui, methods: [GET], path: '/{file:rest}'}]", "routes.yaml:3:", "already answers")]
    [InlineData("clusters: {headscale: http://127.0.0.1:1}\nroutes: []", "routes.yaml:2:", "this name belongs to headscale.url")]
    [InlineData("", "routes.yaml:1:", "without a row nothing is reachable")]
    public void AMistakeIsNamedWithItsPlaceAndAWayOut(string rows, string place, string words)
    {
        var problems = new Problems();

        RouteFile.Parse(Roles + rows, "routes.yaml", Bodies.Names, problems).Should().BeNull();

        problems.Errors.Should()
            .Contain(error => error.StartsWith(place, StringComparison.Ordinal) && error.Contains(words, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("roles: {member: []}\nroutes: []", "the first role must be 'owner'")]
    [InlineData("roles: {owner: []}\nroutes: []", "the role 'member' is missing")]
    [InlineData("roles: {owner: [rule_the_world], member: []}\nroutes: []", "there is no capability 'rule_the_world'")]
    [InlineData("roles: [", "not valid YAML")]
    [InlineData("", "the file is empty")]
    [InlineData("just words", "'key: value' lines")]
    [InlineData("a: 1\n---\nb: 2", "second document")]
    public void AFileThatIsNoPolicyIsRefused(string text, string words)
    {
        var problems = new Problems();

        RouteFile.Parse(text, "routes.yaml", Bodies.Names, problems).Should().BeNull();

        problems.Errors.Should().Contain(error => error.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void AnOperatorMayAddRolesRowsAndClusters()
    {
        var table = Some.ReadTable(
            """
            roles: {owner: [owner], helper: [read_machines], member: []}
            clusters: {ui: "http://127.0.0.1:8090"}
            routes:
              - {id: ui.page, plane: client, methods: [GET], path: /web, cluster: ui}
            """);

        table.RoleNamed("helper").Has(Capability.ReadMachines).Should().BeTrue();
        table.Find("GET", "/web").Rule!.Cluster.Should().Be("ui");
    }

    /// <summary>Whatever a path says, what is sent is what was read, and reading that again gives the same.</summary>
    [Fact]
    public void WhatWasReadIsWhatIsWritten() => Prop.ForAll<string>(text =>
    {
        foreach (var row in Some.Table.Rules.Where(row => row.Path.Parameters.Any()))
        {
            var path = "/" + string.Join('/', row.Path.Pattern[1..].Split('/').Select(segment => segment[0] == '{' ? text ?? "" : segment));
            if (row.Path.Read(path) is { } values)
            {
                var written = row.Path.Write(values);
                row.Path.Read(written)!.OrderBy(one => one.Key).Should().Equal(values.OrderBy(one => one.Key));
                written.Count(one => one == '/').Should().Be(row.Path.Length);
                written.Split('/').Should().NotContain("..");
            }
        }
    }).QuickCheckThrowOnFailure();
}
