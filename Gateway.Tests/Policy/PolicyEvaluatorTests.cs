using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Policy;

/// <summary>The evaluator alone: what it needs to know, in which order it refuses, and that every fact that is missing refuses.</summary>
[Trait("Category", "Fast")]
public sealed class PolicyEvaluatorTests
{
    private static readonly LinkedUser _sam = new("7", "sam", true);

    [Fact]
    public void TheZeroOfEveryEnumRefuses()
    {
        new Decision().IsAllowed.Should().BeFalse();
        default(Reason).Should().Be(Reason.NotDecided);
        default(View).Should().Be(View.Nothing);
        default(Ownership).Should().Be(Ownership.Unknown);
        default(TargetKey).Should().Be(TargetKey.Unknown);
        default(ParameterFate).Should().Be(ParameterFate.Refused);
        Role.Unknown.Has(default).Should().BeFalse();
    }

    [Fact]
    public void NobodyIsAllowedNothing()
    {
        foreach (var rule in Some.Table.Rules)
        {
            PolicyEvaluator.Evaluate(rule, CallOf(rule), Facts.Anonymous).Reason.Should().Be(Reason.SignInRequired);
        }
    }

    [Fact]
    public void EachRuleOfTheApiAllowsExactlyTheRolesThatHoldItsCapability()
    {
        foreach (var rule in Some.Table.Rules.Where(rule => rule.Plane is Plane.Api))
        {
            foreach (var role in Some.Table.Roles)
            {
                var decision = PolicyEvaluator.Evaluate(
                    rule, CallOf(rule), FactsOf(role.Name) with { Owner = Ownership.Foreign, User = null });
                decision.IsAllowed.Should().Be(role.Has(rule.Capability), $"{rule.Id} as {role.Name}");
            }
        }
    }

    [Theory]
    [InlineData("nodes.delete", "self_service", nameof(Ownership.Own), nameof(Reason.Allowed))]
    [InlineData("nodes.delete", "self_service", nameof(Ownership.Foreign), nameof(Reason.NotOwner))]
    [InlineData("nodes.delete", "self_service", nameof(Ownership.Unknown), nameof(Reason.OwnerUnknown))]
    [InlineData("nodes.get", "self_service", nameof(Ownership.Foreign), nameof(Reason.NotFound))]
    [InlineData("nodes.get", "self_service", nameof(Ownership.Own), nameof(Reason.Allowed))]
    [InlineData("nodes.list", "self_service", nameof(Ownership.Unknown), nameof(Reason.Allowed))]
    [InlineData("nodes.set_tags", "self_service", nameof(Ownership.Own), nameof(Reason.RoleTooLow))]
    [InlineData("keys.expire", "auditor", nameof(Ownership.Own), nameof(Reason.Allowed))]
    [InlineData("keys.expire", "auditor", nameof(Ownership.Foreign), nameof(Reason.NotOwner))]
    [InlineData("apikeys.create", "network_admin", nameof(Ownership.Own), nameof(Reason.RoleTooLow))]
    public void WhatIsOnesOwnTakesLess(string rule, string role, string owner, string reason) =>
        Evaluate(rule, FactsOf(role) with { Owner = Enum.Parse<Ownership>(owner) }).Reason.ToString().Should().Be(reason);

    [Fact]
    public void TheOrderOfRefusalsIsFixed()
    {
        var broken = CallOf(Some.Table.Rule("nodes.delete")!) with { Problem = (Reason.BadQuery, "x") };
        var facts = FactsOf("owner") with { CrossSite = true };

        PolicyEvaluator.Evaluate(Some.Table.Rule("nodes.delete"), broken, facts with { SignedIn = false }).Reason.Should()
            .Be(Reason.SignInRequired);
        PolicyEvaluator.Evaluate(Some.Table.Rule("v2.devices.delete"), broken, facts with { Version = 29 }).Reason.Should()
            .Be(Reason.NoSuchRoute);
        PolicyEvaluator.Evaluate(Some.Table.Rule("nodes.delete"), broken, facts).Reason.Should().Be(Reason.BadQuery);
        PolicyEvaluator.Evaluate(null, CallOf(Some.Table.Rule("nodes.delete")!), facts).Reason.Should().Be(Reason.NoSuchRoute);
        Evaluate("nodes.delete", facts).Reason.Should().Be(Reason.CrossSite);
        Evaluate("nodes.get", facts).Reason.Should().Be(Reason.Allowed);
    }

    [Fact]
    public void EachMissingFactIsARefusalOfItsOwn()
    {
        var unread = CallOf(Some.Table.Rule("nodes.set_tags")!) with { Body = null, ExpectsBody = true };

        PolicyEvaluator.Evaluate(
            Some.Table.Rule("v2.devices.get"), CallOf(Some.Table.Rule("v2.devices.get")!), FactsOf("owner") with { Version = null }).Reason
            .Should().Be(Reason.VersionUnknown);
        PolicyEvaluator.Evaluate(Some.Table.Rule("nodes.set_tags"), unread, FactsOf("owner")).Reason.Should().Be(Reason.BodyUnread);
        Evaluate("apikeys.delete", FactsOf("owner") with { Key = TargetKey.Unknown }).Reason.Should().Be(Reason.TargetKeyUnknown);
        Evaluate("apikeys.delete", FactsOf("owner") with { Key = TargetKey.Gateway }).Reason.Should().Be(Reason.GatewayKeySpared);
        Evaluate("v2.devices.list", FactsOf("self_service") with { KnowsOwnNodes = false }).Reason.Should().Be(Reason.OwnNodesUnknown);
        Evaluate("nodes.delete", FactsOf("self_service") with { User = null }).Reason.Should().Be(Reason.NotLinked);
    }

    [Theory]
    [InlineData("keys.create", "it_admin", "aclTags", nameof(Reason.RoleTooLow))]
    [InlineData("keys.create", "admin", "aclTags", nameof(Reason.Allowed))]
    [InlineData("keys.create", "self_service", "aclTags", nameof(Reason.OwnRightsExceeded))]
    [InlineData("nodes.expire", "self_service", "expiry", nameof(Reason.OwnRightsExceeded))]
    public void ArgumentsDemandMore(string rule, string role, string argument, string reason)
    {
        var call = CallOf(Some.Table.Rule(rule)!) with
        {
            Body = new Dictionary<string, Argument> { [argument] = Argument.Of(["tag:a"]), ["user"] = Argument.Of("7") },
        };
        PolicyEvaluator.Evaluate(Some.Table.Rule(rule), call, FactsOf(role) with { Owner = Ownership.Own }).Reason.ToString().Should()
            .Be(reason);
    }

    [Theory]
    [InlineData("keys.create", "7", nameof(Reason.Allowed))]
    [InlineData("keys.create", "1", nameof(Reason.NotOwner))]
    [InlineData("auth.register", "sam", nameof(Reason.Allowed))]
    [InlineData("auth.register", "alice", nameof(Reason.NotOwner))]
    public void TheArgumentThatNamesTheUserSaysWhoseItIs(string rule, string user, string reason)
    {
        var call = CallOf(Some.Table.Rule(rule)!) with { Body = new Dictionary<string, Argument> { ["user"] = Argument.Of(user) } };

        // What was looked up for something else never stands in for it.
        PolicyEvaluator.Evaluate(Some.Table.Rule(rule), call, FactsOf("self_service") with { Owner = Ownership.Own }).Reason.ToString()
            .Should().Be(reason);
    }

    [Fact]
    public void ANameThatTwoUsersHaveIsNobodysOwn()
    {
        var call = CallOf(Some.Table.Rule("auth.register")!) with
        {
            Body = new Dictionary<string, Argument> { ["user"] = Argument.Of("sam") },
        };
        foreach (var user in new[] { _sam with { NameIsUnique = false }, _sam with { Name = "" } })
        {
            PolicyEvaluator.Evaluate(Some.Table.Rule("auth.register"), call, FactsOf("self_service") with { User = user }).Reason.Should()
                .Be(Reason.NotOwner);
        }
    }

    [Theory]
    [InlineData("nodes.delete", false, nameof(TargetKey.Unknown), nameof(Reason.PassedThrough))]
    [InlineData(null, false, nameof(TargetKey.Unknown), nameof(Reason.PassedThrough))]
    [InlineData(null, true, nameof(TargetKey.Other), nameof(Reason.NoSuchRoute))]
    [InlineData("apikeys.delete", true, nameof(TargetKey.Unknown), nameof(Reason.TargetKeyUnknown))]
    [InlineData("apikeys.delete", true, nameof(TargetKey.Gateway), nameof(Reason.GatewayKeySpared))]
    [InlineData("apikeys.delete", true, nameof(TargetKey.Other), nameof(Reason.PassedThrough))]
    public void ACallerWithAnOwnKeyIsStoppedOnlyAtTheGatewaysKey(string? rule, bool mayMeanKeys, string key, string reason)
    {
        var known = rule is null ? null : Some.Table.Rule(rule);
        var facts = Facts.Anonymous with { HasOwnKey = true, MayMeanApiKeys = mayMeanKeys, Key = Enum.Parse<TargetKey>(key) };
        PolicyEvaluator.Evaluate(known, new Call { Method = "DELETE" }, facts).Reason.ToString().Should().Be(reason);
    }

    private static Decision Evaluate(string rule, Facts facts) =>
        PolicyEvaluator.Evaluate(Some.Table.Rule(rule), CallOf(Some.Table.Rule(rule)!), facts);

    private static Call CallOf(RouteRule rule) => new() { Method = rule.Methods.First(), Body = Call.NoMembers };

    private static Facts FactsOf(string role) =>
        new(true, Some.Table.RoleNamed(role), _sam, false, Ownership.Unknown, TargetKey.Other) { Version = 30, KnowsOwnNodes = true };
}
