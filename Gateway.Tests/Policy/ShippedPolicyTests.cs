using Gateway.Edge;
using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Policy;

public sealed class ShippedPolicyTests
{
    /// <summary>
    /// Headplane's matrix as its documents print it: o owner, a admin, n network_admin, i it_admin, u auditor, v viewer, m member.
    /// </summary>
    private static readonly (string Capability, string Roles)[] _headplane =
    [
        ("ui_access", "oaniuv"), ("read_policy", "oaniu"), ("write_policy", "oan"), ("read_network", "oaniu"), ("write_network", "oan"),
        ("read_feature", "oaniu"), ("write_feature", "oai"), ("configure_iam", "oai"), ("read_machines", "oaniuv"),
        ("write_machines", "oai"),
        ("read_users", "oaniuv"), ("write_users", "oai"), ("generate_authkeys", "oani"), ("generate_own_authkeys", "uv"),
        ("use_tags", "oan"),
        ("write_tailnet", "oan"), ("owner", "o"),
    ];

    private static readonly Dictionary<char, string> _letters = new[] { "owner", "admin", "network_admin", "it_admin", "viewer", "member" }
        .ToDictionary(role => role[0]).Append(new('u', "auditor")).ToDictionary();

    [Fact]
    public void TheSevenRolesHaveExactlyHeadplanesCapabilities()
    {
        foreach (var (capability, roles) in _headplane)
        {
            var holders = _letters.Values.Where(role => Some.Table.RoleNamed(role).Has(Capabilities.ByName[capability]));
            holders.Order().Should().Equal(roles.Select(letter => _letters[letter]).Order());
        }
    }

    [Fact]
    public void TheRolesStandInTheirOrder() =>
        Some.Table.Roles.Select(role => role.Name).Should()
            .Equal(["owner", "admin", "network_admin", "it_admin", "auditor", "viewer", "self_service", "member"]);

    [Fact]
    public void SelfServiceHasNothingOfOthers() =>
        Some.Table.RoleNamed("self_service").Held.Order().Should()
            .Equal([Capability.UiAccess, Capability.GenerateOwnAuthkeys, Capability.ReadOwnMachines, Capability.WriteOwnMachines]);

    [Fact]
    public void OnlyOwnerAndAdminManageApiKeys() =>
        Some.Table.Roles.Where(role => role.Has(Capability.ManageApiKeys)).Select(role => role.Name).Should().Equal(["owner", "admin"]);

    [Fact]
    public void EveryOperationOfHeadscaleHasARow() => HeadscaleOperations.All.Should().AllSatisfy(operation =>
        Some.Table.Rules.Should().Contain(row => row.Plane == Plane.Api && row.Methods.Contains(operation.Method)
            && row.Path.Pattern == operation.Path));

    [Fact]
    public void EveryRowNamesAnOperationOfHeadscale() => Some.Table.Rules.Where(row => row.Plane is Plane.Api).Should().AllSatisfy(row =>
        HeadscaleOperations.All.Any(operation => row.Methods.SetEquals([operation.Method]) && row.Path.Pattern == operation.Path).Should()
            .BeTrue());

    [Fact]
    public void EveryApiRowNamesACapability() =>
        Some.Table.Rules.Where(row => row.Plane is Plane.Api).Should().AllSatisfy(row => row.Capability.Should().NotBe(Capability.None));

    [Fact]
    public void TheZeroValuesRefuse()
    {
        default(Decision).IsAllowed.Should().BeFalse();
        new Role("any", 0, Enum.GetValues<Capability>().Except([Capability.None]).ToHashSet()).Has(default).Should().BeFalse();
        Role.Unknown.Has(Capability.SignedIn).Should().BeFalse();
        PolicyEvaluator.Evaluate(Some.Table.Rules[^1], new Call { Method = "GET" }, default).Reason.Should().Be(Reason.SignInRequired);
    }

    [Theory]
    [InlineData("GET", "/api/v1/node/")]
    [InlineData("get", "/api/v1/node")]
    [InlineData("GET", "/API/v1/node")]
    [InlineData("GET", "/api/v1//node")]
    [InlineData("GET", "/api/v1/%6Eode")]
    [InlineData("GET", "/api/v1/node/007")]
    [InlineData("GET", "/api/v1/node/0x10")]
    [InlineData("GET", "/api/v1/node/18446744073709551616")]
    [InlineData("GET", "/api/v1/node/1;x")]
    [InlineData("GET", "/api/v1/node/%31")]
    [InlineData("POST", "/api/v1/node/1/rename/..")]
    [InlineData("POST", "/api/v1/node/1/rename/%2e%2e")]
    [InlineData("POST", "/api/v1/node/1/rename/a%2Fb")]
    [InlineData("POST", "/api/v1/node/1/rename/a%252Fb")]
    [InlineData("POST", "/api/v1/node/1/rename/a%00b")]
    [InlineData("POST", "/api/v1/node/1/rename/%ff")]
    [InlineData("POST", "/api/v1/node/1/rename/%zz")]
    [InlineData("POST", "/api/v1/node/1/rename/")]
    [InlineData("GET", "/metrics")]
    [InlineData("GET", "/debug/config")]
    [InlineData("GET", "/register/..%2fdebug")]
    public void WhatIsNotExactlyARowIsNone(string method, string path) => Some.Table.Find(method, path).Rule.Should().BeNull();

    [Theory]
    [InlineData("alice@example.com", "alice%40example.com")]
    [InlineData("alice%40example.com", "alice%40example.com")]
    [InlineData("b%C3%BCro", "b%C3%BCro")]
    [InlineData("a%62c", "abc")]
    public void ANameIsSentInItsOneSpelling(string sent, string canonical)
    {
        var (row, values) = Some.Table.Find("POST", $"/api/v1/user/4/rename/{sent}");

        row!.Path.Write(values).Should().Be($"/api/v1/user/4/rename/{canonical}");
    }
}
