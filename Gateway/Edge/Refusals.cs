using System.Globalization;
using Gateway.Policy;

namespace Gateway.Edge;

/// <summary>What a refusal needs to say.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Role">The caller's role, when there is a caller.</param>
/// <param name="Lacks">The capability that would have allowed it.</param>
/// <param name="Detail">What exactly was wrong.</param>
internal readonly record struct Refusal(Reason Reason, string? Role = null, Capability Lacks = Capability.None, string? Detail = null);

/// <summary>The only place where a reason becomes a status and a sentence.</summary>
internal static class Refusals
{
    /// <summary>The HTTP status of a reason.</summary>
    public static int StatusOf(Reason reason) => reason switch
    {
        Reason.Allowed or Reason.PassedThrough => StatusCodes.Status200OK,
        Reason.BadRequest or Reason.BadQuery or Reason.BadBody or Reason.CredentialsDisagree => StatusCodes.Status400BadRequest,
        Reason.MalformedCredential or Reason.SignInRequired => StatusCodes.Status401Unauthorized,
        Reason.NotDecided or Reason.CrossSite or Reason.RoleTooLow or Reason.NotLinked or Reason.NotOwner or Reason.OwnRightsExceeded
            or Reason.NotInToken or Reason.GatewayKeySpared
            or Reason.BodyUnread or Reason.OwnerUnknown or Reason.TargetKeyUnknown or Reason.VersionUnknown
            or Reason.OwnNodesUnknown => StatusCodes.Status403Forbidden,
        Reason.NoSuchRoute or Reason.NotFound => StatusCodes.Status404NotFound,
        Reason.TooLarge => StatusCodes.Status413PayloadTooLarge,
        Reason.UnsupportedMediaType => StatusCodes.Status415UnsupportedMediaType,
        Reason.TooMany => StatusCodes.Status429TooManyRequests,
        Reason.UpstreamNotUnderstood => StatusCodes.Status502BadGateway,
        Reason.PassedBefore => StatusCodes.Status508LoopDetected,
        Reason.AuditUnavailable or Reason.UpstreamUnavailable or Reason.UpstreamKeyMissing or Reason.UpstreamKeyRejected
            or Reason.StoreUnavailable => StatusCodes.Status503ServiceUnavailable,
    };

    /// <summary>The sentence for a person: what is wrong and what to do.</summary>
    /// <param name="translate">Says the sentence, with places <c>{0}</c> for what differs, in another language; null: English.</param>
    public static string TextOf(Refusal refusal, Func<string, string>? translate = null)
    {
        var (sentence, values) = SentenceOf(refusal);
        return string.Format(CultureInfo.InvariantCulture, translate?.Invoke(sentence) ?? sentence, values);
    }

    /// <summary>The sentence with places for what differs, and that.</summary>
    internal static (string Sentence, string?[] Values) SentenceOf(Refusal refusal) => refusal.Reason switch
    {
        Reason.Allowed or Reason.PassedThrough => ("allowed", []),
        Reason.NotDecided => ("no decision was made, so the call was refused", []),
        Reason.BadRequest or Reason.BadQuery or Reason.BadBody or Reason.CredentialsDisagree or Reason.UnsupportedMediaType
            or Reason.TooLarge => refusal.Detail is { } detail
                ? ("{0}", [detail]) : ("the request was not understood", []),
        Reason.TooMany => ("too many requests; try again later", []),
        Reason.MalformedCredential => refusal.Detail is { } detail
            ? ("Unauthorized: {0}", [detail]) : ("Unauthorized: this bearer token is not a Headscale API key", []),
        Reason.SignInRequired =>
            ("Unauthorized: sign in, at the gateway's login page or through the proxy in front, or send a Headscale API key as bearer "
                + "token", []),
        Reason.CrossSite => ("this call may have been sent by another site; it needs a same-origin Origin header", []),
        Reason.NoSuchRoute => refusal.Detail is { } detail
            ? ("Not Found: {0}", [detail]) : ("Not Found: the gateway's policy has no such operation", []),
        Reason.RoleTooLow =>
            ("your role {0} lacks {1}{2}", [refusal.Role, refusal.Lacks.Name, Because(refusal.Detail)]),
        Reason.NotLinked => ("you are not linked to a Headscale user yet; ask an administrator to link you", []),
        Reason.NotOwner =>
            ("your role {0} may only do this to what is your own{1}", [refusal.Role, Because(refusal.Detail)]),
        Reason.NotFound => ("not found", []),
        Reason.OwnRightsExceeded =>
            ("your role {0} lacks {1}{2}", [refusal.Role, refusal.Lacks.Name, Because(refusal.Detail)]),
        Reason.NotInToken => refusal.Detail is { } operation
            ? ("this token is not for the operation {0}", [operation])
            : ("a token does not open this page; it is for the API, and for what these pages offer to programs", []),
        Reason.GatewayKeySpared =>
            ("this is the API key that the gateway itself uses; give it another one first (headscale.api_key), then this one can go", []),
        Reason.BodyUnread => ("the body was not read, so the call was refused", []),
        Reason.TargetKeyUnknown => ("which API key is meant could not be looked up, so the call was refused", []),
        Reason.VersionUnknown => ("the version of Headscale could not be found out, so the call was refused", []),
        Reason.OwnNodesUnknown => ("your own machines could not be looked up, so the call was refused", []),
        Reason.OwnerUnknown => ("the owner could not be looked up, so the call was refused", []),
        Reason.AuditUnavailable => ("the audit log cannot be written, so nothing can be changed; see the gateway's log", []),
        Reason.StoreUnavailable => ("the gateway's store cannot be read or written; see the gateway's log", []),
        Reason.UpstreamUnavailable => ("Headscale cannot be reached; the gateway's status page and log say why", []),
        Reason.UpstreamKeyMissing => ("the gateway has no way to Headscale's API; set headscale.socket or headscale.api_key", []),
        Reason.UpstreamKeyRejected =>
            ("Headscale rejects the gateway's API key; it is expired, deleted or wrong: set a new headscale.api_key", []),
        Reason.UpstreamNotUnderstood => ("Headscale's answer was not understood, so it was not passed on", []),
        Reason.PassedBefore => ("this request has passed this gateway before: headscale.url leads back to it", []),
    };

    private static string Because(string? detail) => detail is null ? "" : $" ({detail})";
}
