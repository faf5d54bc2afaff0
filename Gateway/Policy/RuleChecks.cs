using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Gateway.Policy;

/// <summary>One condition of a rule.</summary>
/// <param name="Sentence">What has to hold, with places <c>{0}</c> for what differs.</param>
/// <param name="Values">What is in the places.</param>
/// <param name="Holds">Whether it does; null where that was not found out.</param>
public sealed record RuleCheck(
    [property: JsonIgnore] string Sentence, [property: JsonIgnore] IReadOnlyList<string> Values, bool? Holds)
{
    /// <summary>What has to hold, in English.</summary>
    public string Text => string.Format(CultureInfo.InvariantCulture, Sentence, [.. Values]);
}

/// <summary>
/// Every condition of a rule for one call, and not the first alone that fails. Each is judged by the evaluator itself, as if all
/// others held: so what is explained cannot differ from what is enforced.
/// </summary>
internal sealed class RuleChecks
{
    private static readonly Role _anything = new("anything", 0, Enum.GetValues<Capability>().ToFrozenSet());

    /// <summary>All is well.</summary>
    private static readonly Facts _fine = new(true, _anything, new("1", "somebody", true), false, Ownership.Own, TargetKey.Other)
    {
        Version = int.MaxValue,
        KnowsOwnNodes = true,
    };

    private readonly RouteRule _rule;
    private readonly Call _call;
    private readonly Facts _facts;
    private readonly List<RuleCheck> _checks = [];

    private RuleChecks(RouteRule rule, Call call, Facts facts) => (_rule, _call, _facts) = (rule, call, facts);

    private Call Bare => new() { Method = _call.Method, Body = Call.NoMembers, IsSupposed = true };

    /// <summary>The conditions, in the order in which they are judged.</summary>
    public static IReadOnlyList<RuleCheck> Of(RouteRule rule, Call call, Facts facts)
    {
        var checks = new RuleChecks(rule, call, facts);
        checks.AddRequest();
        checks.AddRights();
        if (rule.SparesGatewayKey && !checks.ActsOnOwn)
        {
            checks.Add(("it is not the API key that the gateway itself uses", []), checks.Bare, _fine with { Key = facts.Key });
        }

        return checks._checks;
    }

    /// <summary>Whether the role has its right on what is one's own alone.</summary>
    private bool ActsOnOwn => !_facts.Role.Has(_rule.Capability) && _rule.Own is { } own && _facts.Role.Has(own.Capability);

    private bool IsUnread => _call is { ExpectsBody: true, Body: null };

    private void AddRequest()
    {
        Add(("somebody is signed in", []), Bare, _fine with { SignedIn = _facts.SignedIn });
        if (_rule.Since > 0)
        {
            Add(("Headscale has this operation (since 0.{0})", [$"{_rule.Since}"]), Bare, _fine with { Version = _facts.Version });
        }

        Add(
            _call.Problem is { } problem
                ? ("the request is understood ({0})", [problem.Detail]) : ("the request is understood", []),
            Bare with { Problem = _call.Problem, ExpectsBody = IsUnread, Body = IsUnread ? null : Call.NoMembers }, _fine);
        if (_facts.Operations is not null)
        {
            Add(("the token is for this operation", []), Bare, _fine with { Operations = _facts.Operations });
        }

        if (!_call.IsSafe)
        {
            Add(("no other site had the browser send it", []), Bare, _fine with { CrossSite = _facts.CrossSite });
        }
    }

    private void AddRights()
    {
        Add(
            _rule.Own is { } one
                ? ("the role {0} has {1}, or {2} for one's own", [_facts.Role.Name, _rule.Capability.Name, one.Capability.Name])
                : ("the role {0} has {1}", [_facts.Role.Name, _rule.Capability.Name]),
            Bare, _fine with { Role = _facts.Role });
        if (ActsOnOwn && _rule.Own is { } own)
        {
            AddOwn(own);
            return;
        }

        // As if the role had the right of the rule, so that only the further ones count.
        var role = new Role(_facts.Role.Name, _facts.Role.Rank, _facts.Role.Held.Append(_rule.Capability).ToFrozenSet());
        foreach (var (argument, capability) in _rule.Also)
        {
            AddArgument(argument, ("'{0}' is not set, or the role has {1}", [argument, capability.Name]), role);
        }
    }

    private void AddOwn(OwnRule own)
    {
        Add(("the caller is linked to a Headscale user", []), Bare, _fine with { Role = _facts.Role, User = _facts.User });
        if (own.Scope is OwnScope.Node or OwnScope.Key)
        {
            Add(("it is the caller's own", []), Bare, _fine with { Role = _facts.Role, Owner = _facts.Owner });
        }
        else if (own.Scope is OwnScope.UserId or OwnScope.UserName
            || (own.Scope is OwnScope.List && _rule.Filter is Filter.Nodes && _call.Text("user") is { Length: > 0 }))
        {
            AddArgument("user", ("'user' is the caller's own Headscale user", []), _facts.Role);
        }

        foreach (var argument in own.Without)
        {
            AddArgument(argument, ("'{0}' is not set: it is not part of the rights on one's own", [argument]), _facts.Role);
        }

        foreach (var (argument, capability) in _rule.Also.Where(one => !own.Without.Contains(one.Key)))
        {
            AddArgument(argument, ("'{0}' is not set, or the role has {1}", [argument, capability.Name]), _facts.Role);
        }
    }

    /// <summary>Judges one argument of the call alone.</summary>
    private void AddArgument(string argument, (string Sentence, string[] Values) text, Role role)
    {
        if (IsUnread)
        {
            _checks.Add(new(text.Sentence, text.Values, null));
            return;
        }

        var name = argument.Split('=')[0];
        var alone = Bare with
        {
            Body = _call.Body?.Where(one => one.Key == name).ToFrozenDictionary() ?? Call.NoMembers,
            Query = _call.Query.Where(one => one.Key == name).ToFrozenDictionary(),
            IsSupposed = name != "user",
        };
        Add(text, alone, _fine with { Role = role, User = name == "user" ? _facts.User : _fine.User });
    }

    private void Add((string Sentence, string[] Values) text, Call call, Facts facts)
    {
        var reason = PolicyEvaluator.Evaluate(_rule, call, facts).Reason;
        _checks.Add(new(text.Sentence, text.Values, reason.Missing is MissingFact.None ? reason is Reason.Allowed : null));
    }
}
