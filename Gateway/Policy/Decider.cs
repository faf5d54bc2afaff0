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
    public static Decision Decide(Row? row, Call call, Facts facts)
    {
        if (!facts.SignedIn)
        {
            return new(Reason.SignInRequired, row);
        }

        if (call.Problem is { } problem)
        {
            return new(problem.Reason, row, Detail: problem.Detail);
        }

        if (row is not { Plane: Plane.Api })
        {
            return new(Reason.NoSuchRoute, null);
        }

        if (facts.CrossSite && !call.IsSafe)
        {
            return new(Reason.CrossSite, row);
        }

        return facts.Role.Has(row.Capability) ? DecideAll(row, call, facts) : DecideOwn(row, call, facts);
    }

    /// <summary>
    /// Callers with a Headscale key of their own are judged by Headscale. Only what could take the gateway's key away has to
    /// be understood here.
    /// </summary>
    /// <param name="mayMeanKeys">Whether the path, read as loosely as any Headscale does, leads to the API keys.</param>
    public static Decision DecideOwnKey(Row? row, Call call, bool mayMeanKeys, TargetKey key)
    {
        if (call.IsSafe || !(mayMeanKeys || row is { SparesGatewayKey: true }))
        {
            return new(Reason.PassedThrough, row);
        }

        if (row is not { Plane: Plane.Api })
        {
            return new(Reason.NoSuchRoute, null);
        }

        if (call.Problem is { } problem)
        {
            return new(problem.Reason, row, Detail: problem.Detail);
        }

        return call.ExpectsBody && call.Body is null ? new(Reason.BodyUnread, row) : DecideKey(row, key, Reason.PassedThrough);
    }

    private static Decision DecideKey(Row row, TargetKey key, Reason otherwise) => (row.SparesGatewayKey, key) switch
    {
        (false, _) or (_, TargetKey.Other) => new(otherwise, row, View.All),
        (_, TargetKey.Gateway) => new(Reason.GatewayKeySpared, row),
        _ => new(Reason.TargetKeyUnknown, row),
    };

    private static Decision DecideAll(Row row, Call call, Facts facts)
    {
        if (call.ExpectsBody && call.Body is null)
        {
            return new(Reason.BodyUnread, row);
        }

        foreach (var (argument, capability) in row.Also)
        {
            if (call.Sets(argument) && !facts.Role.Has(capability))
            {
                return new(Reason.RoleTooLow, row, Lacks: capability, Detail: $"needed for '{argument}'");
            }
        }

        return DecideKey(row, facts.Key, Reason.Allowed);
    }

    private static Decision DecideOwn(Row row, Call call, Facts facts)
    {
        if (row.Own is not { } own || !facts.Role.Has(own.Capability))
        {
            return new(Reason.RoleTooLow, row, Lacks: row.Capability);
        }

        if (facts.User is not { } user)
        {
            return new(Reason.NotLinked, row);
        }

        if (call.ExpectsBody && call.Body is null)
        {
            return new(Reason.BodyUnread, row);
        }

        if (own.Without.FirstOrDefault(call.Sets) is { } argument)
        {
            return new(Reason.OwnRightsExceeded, row, Lacks: row.Capability, Detail: $"'{argument}' is not part of the rights on one's own");
        }

        return own.Scope switch
        {
            OwnScope.None => new(Reason.RoleTooLow, row, Lacks: row.Capability),
            OwnScope.List => new(Reason.Allowed, row, View.Own),
            OwnScope.Node or OwnScope.Key => DecideOwned(row, call, facts.Owner),
            OwnScope.UserId => call.Text("user") == user.Id ? new(Reason.Allowed, row, View.Own) : NotOwn(row, $"set 'user' to \"{user.Id}\""),
            OwnScope.UserName => user is { NameIsUnique: true, Name.Length: > 0 } && call.Text("user") == user.Name
                ? new(Reason.Allowed, row, View.Own)
                : NotOwn(row, "'user' must be the name of your own Headscale user, and no other user may have that name"),
        };
    }

    /// <summary>A foreign thing answers like a missing one, so that ids cannot be probed.</summary>
    private static Decision DecideOwned(Row row, Call call, Ownership owner) => owner switch
    {
        Ownership.Unknown => new(Reason.OwnerUnknown, row),
        Ownership.Own => new(Reason.Allowed, row, View.Own),
        Ownership.Foreign => call.IsSafe ? new(Reason.NotFound, row) : NotOwn(row, "it does not exist or is not yours"),
    };

    private static Decision NotOwn(Row row, string detail) => new(Reason.NotOwner, row, Lacks: row.Capability, Detail: detail);
}
