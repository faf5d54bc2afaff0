using System.Collections.Frozen;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;

namespace Gateway.Authorization;

/// <summary>What the authorizer is asked.</summary>
/// <param name="Source">The call.</param>
/// <param name="Facts">What is known about the caller.</param>
internal sealed record AuthorizationRequest(ICallSource Source, Facts Facts)
{
    /// <summary>The version of Headscale where it is known without asking; null: the one that answers.</summary>
    public HeadscaleVersion? Version { get; init; }
}

/// <summary>What was decided, on what, and what is sent for it.</summary>
internal sealed record AuthorizationResult(Decision Decision, Call Call)
{
    /// <summary>The ids of the caller's own nodes, where the filter needs to know them.</summary>
    public IReadOnlySet<string> OwnNodes { get; init; } = FrozenSet<string>.Empty;

    /// <summary>What it was decided by, with all that was looked up.</summary>
    public Facts Facts { get; init; }

    /// <summary>The path and query that are sent: written anew from the rule and the values it was judged by.</summary>
    public string UpstreamTarget => Decision.Rule!.Path.Write(Call.Path) + QueryText.Write(Call.Query);

    /// <summary>The media type of the body that is sent.</summary>
    public string UpstreamBodyType => Decision.Rule?.Body is { } name ? Bodies.All[name].Form.MediaTypes[0] : BodyForm.Json[0];

    /// <summary>The body that is sent; null for none.</summary>
    public byte[]? UpstreamBody =>
        Decision.Rule?.Body is { } name && Call.Body is { Count: > 0 } members ? BodyWriter.Write(members, Bodies.All[name]) : null;

    /// <summary>How the answer is cut down to what somebody may see.</summary>
    public ResponseFilter FilterFor(Principal? principal) =>
        ResponseFilter.For(Decision, principal?.User?.Id, principal?.Role) with { OwnNodes = OwnNodes };

    /// <summary>A refusal for which no call had to be read.</summary>
    public static AuthorizationResult Refused(string method, Reason reason, string? detail = null) =>
        new(new Decision(reason, null, Detail: detail), new Call { Method = method });
}
