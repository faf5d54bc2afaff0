using Gateway.Policy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Policy;

/// <summary>What is explained is what is enforced: a call is allowed exactly where every condition holds.</summary>
[Trait("Category", "Fast")]
public sealed class RuleChecksTests
{
    private static readonly LinkedUser _sam = new("7", "sam", true);

    [Fact]
    public void ACallIsAllowedExactlyWhereEveryConditionHolds()
    {
        var cases = from rule in Some.Table.Rules
                    where rule.Plane is Plane.Api
                    from role in Some.Table.Roles
                    from call in CallsOf(rule)
                    from facts in FactsOf(role)
                    select (rule, call, facts);
        var (allowed, refused) = (0, 0);
        foreach (var (rule, call, facts) in cases)
        {
            var decision = PolicyEvaluator.Evaluate(rule, call, facts);
            var checks = RuleChecks.Of(rule, call, facts);

            checks.All(one => one.Holds is true).Should().Be(
                decision.IsAllowed,
                $"{rule.Id} as {facts.Role} with {string.Join(",", call.Body?.Keys ?? [])}: {decision.Reason} {decision.Detail}; "
                + string.Join("; ", checks));
            (allowed, refused) = decision.IsAllowed ? (allowed + 1, refused) : (allowed, refused + 1);
        }

        (allowed, refused).Should().Match<(int, int)>(one => one.Item1 > 1000 && one.Item2 > 10_000);
    }

    [Fact]
    public void EachConditionThatFailsIsNamedAndNotTheFirstAlone()
    {
        var rule = Some.Table.Rule("keys.create")!;
        var call = new Call
        {
            Method = "POST",
            ExpectsBody = true,
            Body = new Dictionary<string, Argument> { ["aclTags"] = Argument.Of(["tag:a"]), ["user"] = Argument.Of("8") },
        };

        var facts = new Facts(true, Some.Table.RoleNamed("self_service"), _sam, true, Ownership.Unknown);
        RuleChecks.Of(rule, call, facts).Where(one => one.Holds is false).Select(one => one.Text).Should().Equal(
            "no other site had the browser send it",
            "'user' is the caller's own Headscale user",
            "'aclTags' is not set: it is not part of the rights on one's own");
    }

    private static IEnumerable<Call> CallsOf(RouteRule rule)
    {
        var call = new Call { Method = rule.Methods.First(), Body = Call.NoMembers };
        yield return call;
        yield return call with { Problem = (Reason.BadQuery, "x") };
        yield return call with { Body = null, ExpectsBody = true };
        foreach (var user in new[] { "7", "8", "sam" })
        {
            yield return call with { Body = new Dictionary<string, Argument> { ["user"] = Argument.Of(user) } };
        }

        foreach (var argument in rule.Also.Keys.Concat(rule.Own?.Without ?? []).Where(one => !one.Contains('=', StringComparison.Ordinal)))
        {
            yield return call with
            {
                Body = new Dictionary<string, Argument> { [argument] = Argument.Of(true), ["user"] = Argument.Of("7") },
            };
        }
    }

    private static IEnumerable<Facts> FactsOf(Role role) =>
        from user in new[] { null, _sam, _sam with { NameIsUnique = false } }
        from owner in Enum.GetValues<Ownership>()
        from key in Enum.GetValues<TargetKey>()
        from version in new int?[] { null, 26, 30 }
        from isCrossSite in new[] { false, true }
        select new Facts(true, role, user, isCrossSite, owner, key) { Version = version, KnowsOwnNodes = true };
}
