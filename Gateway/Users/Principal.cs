using Gateway.Identity;
using Gateway.Policy;

namespace Gateway.Users;

/// <summary>Someone who called, as the decision needs to know them.</summary>
/// <param name="Person">The person; null for a session that was begun with an API key.</param>
/// <param name="Label">How the audit names them.</param>
/// <param name="Role">What they may do.</param>
/// <param name="User">Their Headscale user.</param>
/// <param name="Session">The session that says so, if one does.</param>
internal sealed record Principal(Person? Person, string Label, Role Role, LinkedUser? User, Session? Session)
{
    /// <summary>Why there is no Headscale user; found out only where somebody is told.</summary>
    public Lazy<FormattableString?>? WhyUnlinked { get; init; }

    /// <summary>The token that a program acts with; null for people.</summary>
    public Credential.OfToken? Token { get; init; }

    /// <summary>How the audit names the token; null for people.</summary>
    public string? TokenLabel => Token?.Token.Label;

    /// <summary>The principal of a request, as a parameter of an endpoint that demands one.</summary>
    public static ValueTask<Principal?> BindAsync(HttpContext context) => new(AuthenticationState.Of(context).Principal);

    /// <summary>Whether this is whoever may run the gateway's own verbs on its machine: no role is above that.</summary>
    public bool IsConsole { get; init; }

    /// <summary>Somebody at the console.</summary>
    /// <param name="name">The name of the account there.</param>
    public static Principal Console(string name, Role owner) => new(null, $"cli:{name}", owner, null, null) { IsConsole = true };

    /// <summary>What a decision rests on about them.</summary>
    /// <param name="isCrossSite">Whether a browser may have been made to send the call by another site.</param>
    public Facts Facts(bool isCrossSite) => new(true, Role, User, isCrossSite, Ownership.Unknown)
    {
        Operations = Token is { Token.Operations: { Count: > 0 } operations } ? operations : null,
    };

    /// <summary>What the audit adds to a refusal for want of a role or of a link.</summary>
    public string? NoteFor(Reason reason) =>
        reason is Reason.RoleTooLow or Reason.OwnRightsExceeded ? Person?.RoleNote
        : reason is Reason.NotLinked ? WhyUnlinked?.Value?.English()
        : null;
}
