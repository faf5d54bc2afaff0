namespace Gateway.Policy;

/// <summary>
/// The one place that says yes. Pure: the server, the pages and <c>gateway explain</c> all ask it. Where it needs a fact that is
/// not known, it refuses with the reason that names the fact.
/// </summary>
internal static class PolicyEvaluator
{
    /// <summary>Decides one call.</summary>
    /// <param name="rule">The rule that matches the call; null for none.</param>
    public static Decision Evaluate(RouteRule? rule, Call call, Facts facts) =>
        facts.HasOwnKey ? EvaluateOwnKey(rule, call, facts) : EvaluatePrincipal(rule, call, facts);

    private static Decision EvaluatePrincipal(RouteRule? rule, Call call, Facts facts)
    {
        if (!facts.SignedIn)
        {
            return new(Reason.SignInRequired, rule);
        }

        if ((rule is { Since: > 0 } || call.NeedsVersion) && facts.Version is null)
        {
            return new(Reason.VersionUnknown, rule);
        }

        if (rule is { Since: > 0 and var since } && facts.Version < since)
        {
            return new(Reason.NoSuchRoute, rule, Detail: $"Headscale has it since 0.{since}");
        }

        if (call.Problem is { } problem)
        {
            return new(problem.Reason, rule, Detail: problem.Detail);
        }

        if (rule is not { Plane: Plane.Api })
        {
            return new(Reason.NoSuchRoute, null);
        }

        if (facts.Operations?.Contains(rule.Id) is false)
        {
            return new(Reason.NotInToken, rule, Detail: rule.Id);
        }

        if (facts.CrossSite && !call.IsSafe)
        {
            return new(Reason.CrossSite, rule);
        }

        return facts.Role.Has(rule.Capability) ? EvaluateAll(rule, call, facts) : EvaluateOwn(rule, call, facts);
    }

    /// <summary>
    /// Headscale judges callers with a key of their own. Only what could take the gateway's key away has to be understood here.
    /// </summary>
    private static Decision EvaluateOwnKey(RouteRule? rule, Call call, Facts facts)
    {
        if (call.Problem is { Reason: Reason.BadRequest or Reason.NoSuchRoute } broken)
        {
            return new(broken.Reason, rule, Detail: broken.Detail);
        }

        if (call.IsSafe || !(facts.MayMeanApiKeys || rule is { SparesGatewayKey: true }))
        {
            return new(Reason.PassedThrough, rule);
        }

        if (rule is not { Plane: Plane.Api })
        {
            return new(Reason.NoSuchRoute, null);
        }

        if (call.Problem is { } problem)
        {
            return new(problem.Reason, rule, Detail: problem.Detail);
        }

        return call.NeedsVersion && facts.Version is null ? new(Reason.VersionUnknown, rule)
            : call.ExpectsBody && call.Body is null ? new(Reason.BodyUnread, rule)
            : EvaluateKey(rule, facts.Key, Reason.PassedThrough);
    }

    private static Decision EvaluateKey(RouteRule rule, TargetKey key, Reason otherwise) => (rule.SparesGatewayKey, key) switch
    {
        (false, _) or (_, TargetKey.Other) => new(otherwise, rule, View.All),
        (_, TargetKey.Gateway) => new(Reason.GatewayKeySpared, rule),
        _ => new(Reason.TargetKeyUnknown, rule),
    };

    private static Decision EvaluateAll(RouteRule rule, Call call, Facts facts)
    {
        if (call.ExpectsBody && call.Body is null)
        {
            return new(Reason.BodyUnread, rule);
        }

        return LacksFor(rule, call, facts) ?? EvaluateKey(rule, facts.Key, Reason.Allowed);
    }

    /// <summary>The refusal for want of a capability that an argument takes besides; null where none is lacking.</summary>
    private static Decision? LacksFor(RouteRule rule, Call call, Facts facts)
    {
        foreach (var (argument, capability) in rule.Also)
        {
            if (call.Sets(argument) && !facts.Role.Has(capability))
            {
                return new(Reason.RoleTooLow, rule, Lacks: capability, Detail: $"needed for '{argument}'");
            }
        }

        return null;
    }

    private static Decision EvaluateOwn(RouteRule rule, Call call, Facts facts)
    {
        if (rule.Own is not { } own || !facts.Role.Has(own.Capability))
        {
            return new(Reason.RoleTooLow, rule, Lacks: rule.Capability);
        }

        if (facts.User is not { } user)
        {
            return new(Reason.NotLinked, rule);
        }

        if (call.ExpectsBody && call.Body is null)
        {
            return new(Reason.BodyUnread, rule);
        }

        if (own.Without.FirstOrDefault(call.Sets) is { } argument)
        {
            return new(
                Reason.OwnRightsExceeded, rule, Lacks: rule.Capability, Detail: $"'{argument}' is not part of the rights on one's own");
        }

        if (LacksFor(rule, call, facts) is { } lacks)
        {
            return lacks;
        }

        return own.Scope switch
        {
            OwnScope.None => new(Reason.RoleTooLow, rule, Lacks: rule.Capability),
            OwnScope.List => EvaluateList(rule, call, facts, user),
            OwnScope.Node or OwnScope.Key => EvaluateOwned(rule, call, facts.Owner),
            OwnScope.UserId => OwnerNamed(call, facts.Owner, user.Id) is Ownership.Own
                ? new(Reason.Allowed, rule, View.Own)
                : NotOwn(rule, $"set 'user' to \"{user.Id}\""),
            OwnScope.UserName =>
                user is { NameIsUnique: true, Name.Length: > 0 } && OwnerNamed(call, facts.Owner, user.Name) is Ownership.Own
                ? new(Reason.Allowed, rule, View.Own)
                : NotOwn(rule, "'user' must be the name of your own Headscale user, and no other user may have that name"),
        };
    }

    /// <summary>
    /// Devices of /api/v2 do not say whose they are; their filter needs the ids of one's own. Of /api/v1, Headscale answers an error where
    /// nobody has the name, by which names could be guessed.
    /// </summary>
    private static Decision EvaluateList(RouteRule rule, Call call, Facts facts, LinkedUser user) =>
        rule.Filter is Filter.Devices && !facts.KnowsOwnNodes ? new(Reason.OwnNodesUnknown, rule)
        : rule.Filter is Filter.Nodes && call.Text("user") is { Length: > 0 } named && named != user.Name
            ? NotOwn(rule, "leave 'user' out, or set it to the name of your own Headscale user")
        : new(Reason.Allowed, rule, View.Own);

    /// <summary>Whose it is by the argument that names the user; where no call is there yet, by what is supposed.</summary>
    private static Ownership OwnerNamed(Call call, Ownership supposed, string own) =>
        call.IsSupposed ? supposed : call.Text("user") == own ? Ownership.Own : Ownership.Foreign;

    /// <summary>A foreign thing answers like a missing one, so that ids cannot be probed.</summary>
    private static Decision EvaluateOwned(RouteRule rule, Call call, Ownership owner) => owner switch
    {
        Ownership.Unknown => new(Reason.OwnerUnknown, rule),
        Ownership.Own => new(Reason.Allowed, rule, View.Own),
        Ownership.Foreign => call.IsSafe ? new(Reason.NotFound, rule) : NotOwn(rule, "it does not exist or is not yours"),
    };

    private static Decision NotOwn(RouteRule rule, string detail) => new(Reason.NotOwner, rule, Lacks: rule.Capability, Detail: detail);
}
