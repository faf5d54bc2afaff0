namespace Gateway.Policy;

/// <summary>
/// Why a call was let through or stopped. Answers, log and audit are translations of it. Zero is a refusal, so a
/// forgotten assignment denies.
/// </summary>
internal enum Reason
{
    NotDecided = 0,

    // The edge and the door: the request itself cannot be believed or understood.
    BadRequest,
    BadQuery,
    BadBody,
    UnsupportedMediaType,
    TooLarge,
    TooMany,

    // Who is asking.
    MalformedCredential,
    CredentialsDisagree,
    SignInRequired,
    CrossSite,

    // What they may do.
    NoSuchRoute,
    RoleTooLow,
    NotLinked,
    NotOwner,
    NotFound,
    OwnRightsExceeded,
    NotInToken,
    GatewayKeySpared,

    // The decision lacks a fact. Refusals too: whoever does not fetch the fact lets nothing through.
    BodyUnread,
    OwnerUnknown,
    TargetKeyUnknown,
    VersionUnknown,
    OwnNodesUnknown,

    // The world around us.
    AuditUnavailable,
    StoreUnavailable,
    UpstreamUnavailable,
    UpstreamKeyMissing,
    UpstreamKeyRejected,
    UpstreamNotUnderstood,
    PassedBefore,

    Allowed,
    PassedThrough,
}

/// <summary>How much of what a rule answers the caller may see.</summary>
internal enum View
{
    Nothing = 0,
    Own,
    All,
}

/// <summary>What was decided, by which rule, and what a person needs to know about it.</summary>
/// <param name="Reason">The one reason.</param>
/// <param name="Rule">The rule that decided; null when none matched.</param>
/// <param name="View">What the response filter may leave in the answer.</param>
/// <param name="Lacks">The capability whose absence refused the call.</param>
/// <param name="Detail">What exactly was wrong with the request, in words that hold no secret.</param>
internal readonly record struct Decision(
    Reason Reason, RouteRule? Rule, View View = View.Nothing, Capability Lacks = Capability.None, string? Detail = null)
{
    public bool IsAllowed => Reason is Reason.Allowed or Reason.PassedThrough;
}
