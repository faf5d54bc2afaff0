namespace Gateway.Policy;

/// <summary>The Headscale user that a caller is linked to.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">Headscale's user name; may be empty, and is not unique.</param>
/// <param name="NameIsUnique">Whether no other Headscale user has that name.</param>
internal sealed record LinkedUser(string Id, string Name, bool NameIsUnique);

/// <summary>Whether the thing a call touches is the caller's own. A tagged node is nobody's.</summary>
internal enum Ownership
{
    Unknown = 0,
    Foreign,
    Own,
}

/// <summary>Whether an operation on API keys means the one that the gateway itself uses.</summary>
internal enum TargetKey
{
    Unknown = 0,
    Gateway,
    Other,
}

/// <summary>Everything a decision rests on.</summary>
/// <param name="SignedIn">Whether an identity was established.</param>
/// <param name="Role">The caller's role; <see cref="Role.Unknown"/> for nobody.</param>
/// <param name="User">The linked Headscale user, if any.</param>
/// <param name="CrossSite">Whether a browser may have been made to send this by another site.</param>
/// <param name="Owner">Who owns what the call names, once it has been looked up.</param>
/// <param name="Key">Which API key the call names, once that has been looked up.</param>
internal readonly record struct Facts(bool SignedIn, Role Role, LinkedUser? User, bool CrossSite, Ownership Owner, TargetKey Key = TargetKey.Unknown)
{
    public static Facts Nobody { get; } = new(false, Role.Unknown, null, false, Ownership.Unknown);
}

/// <summary>The one place that says yes. Pure: the server and <c>gateway explain</c> both ask it.</summary>
internal static class Decider
{
    public static Decision Decide(RouteRule? rule, Call call, Facts facts)
    {
        if (!facts.SignedIn)
        {
            return new(Reason.SignInRequired, rule);
        }

        if (call.Problem is { } problem)
        {
            return new(problem.Reason, rule, Detail: problem.Detail);
        }

        if (rule is not { Plane: Plane.Api })
        {
            return new(Reason.NoSuchRoute, null);
        }

        if (facts.CrossSite && !call.IsSafe)
        {
            return new(Reason.CrossSite, rule);
        }

        return facts.Role.Has(rule.Capability) ? DecideAll(rule, call, facts) : DecideOwn(rule, call, facts);
    }

    /// <summary>
    /// Callers with a Headscale key of their own are judged by Headscale. Only what could take the gateway's key away has to
    /// be understood here.
    /// </summary>
    /// <param name="mayMeanKeys">Whether the path, read as loosely as any Headscale does, leads to the API keys.</param>
    public static Decision DecideOwnKey(RouteRule? rule, Call call, bool mayMeanKeys, TargetKey key)
    {
        if (call.IsSafe || !(mayMeanKeys || rule is { SparesGatewayKey: true }))
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

        return call.ExpectsBody && call.Body is null ? new(Reason.BodyUnread, rule) : DecideKey(rule, key, Reason.PassedThrough);
    }

    private static Decision DecideKey(RouteRule rule, TargetKey key, Reason otherwise) => (rule.SparesGatewayKey, key) switch
    {
        (false, _) or (_, TargetKey.Other) => new(otherwise, rule, View.All),
        (_, TargetKey.Gateway) => new(Reason.GatewayKeySpared, rule),
        _ => new(Reason.TargetKeyUnknown, rule),
    };

    private static Decision DecideAll(RouteRule rule, Call call, Facts facts)
    {
        if (call.ExpectsBody && call.Body is null)
        {
            return new(Reason.BodyUnread, rule);
        }

        foreach (var (argument, capability) in rule.Also)
        {
            if (call.Sets(argument) && !facts.Role.Has(capability))
            {
                return new(Reason.RoleTooLow, rule, Lacks: capability, Detail: $"needed for '{argument}'");
            }
        }

        return DecideKey(rule, facts.Key, Reason.Allowed);
    }

    private static Decision DecideOwn(RouteRule rule, Call call, Facts facts)
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
            return new(Reason.OwnRightsExceeded, rule, Lacks: rule.Capability, Detail: $"'{argument}' is not part of the rights on one's own");
        }

        return own.Scope switch
        {
            OwnScope.None => new(Reason.RoleTooLow, rule, Lacks: rule.Capability),
            OwnScope.List => new(Reason.Allowed, rule, View.Own),
            OwnScope.Node or OwnScope.Key => DecideOwned(rule, call, facts.Owner),
            OwnScope.UserId => call.Text("user") == user.Id ? new(Reason.Allowed, rule, View.Own) : NotOwn(rule, $"set 'user' to \"{user.Id}\""),
            OwnScope.UserName => user is { NameIsUnique: true, Name.Length: > 0 } && call.Text("user") == user.Name
                ? new(Reason.Allowed, rule, View.Own)
                : NotOwn(rule, "'user' must be the name of your own Headscale user, and no other user may have that name"),
        };
    }

    /// <summary>A foreign thing answers like a missing one, so that ids cannot be probed.</summary>
    private static Decision DecideOwned(RouteRule rule, Call call, Ownership owner) => owner switch
    {
        Ownership.Unknown => new(Reason.OwnerUnknown, rule),
        Ownership.Own => new(Reason.Allowed, rule, View.Own),
        Ownership.Foreign => call.IsSafe ? new(Reason.NotFound, rule) : NotOwn(rule, "it does not exist or is not yours"),
    };

    private static Decision NotOwn(RouteRule rule, string detail) => new(Reason.NotOwner, rule, Lacks: rule.Capability, Detail: detail);
}
