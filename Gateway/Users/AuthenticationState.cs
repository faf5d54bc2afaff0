using Gateway.Identity;
using Gateway.Policy;

namespace Gateway.Users;

/// <summary>What authentication found out about the sender of a request.</summary>
/// <param name="Principal">Somebody with a role; null for anonymous callers and for callers with a Headscale key of their own.</param>
/// <param name="OwnKey">The caller's own Headscale key.</param>
/// <param name="Problem">Why the credential is not accepted.</param>
internal sealed record AuthenticationState(
    Principal? Principal = null, Credential.HeadscaleKey? OwnKey = null, (Reason Reason, string Detail)? Problem = null)
{
    public static AuthenticationState Anonymous { get; } = new();

    /// <summary>How the audit names whoever it is, where that is known although there is no principal: Headscale cannot be asked.</summary>
    public string? Name { get; init; }

    /// <summary>The token that does not count, where it is known.</summary>
    public string? Token { get; init; }

    /// <summary>What was found out about this request; anonymous until it was authenticated.</summary>
    public static AuthenticationState Of(HttpContext context) => context.Features.Get<AuthenticationState>() ?? Anonymous;
}
