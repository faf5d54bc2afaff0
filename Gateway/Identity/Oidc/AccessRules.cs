using Gateway.Edge;
using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>
/// Who may sign in at all: <c>oidc.allowed_domains</c>, <c>allowed_groups</c>, <c>allowed_users</c>; each that is set must hold.
/// </summary>
internal static class AccessRules
{
    /// <summary>Why this person may not sign in; null when they may. Addresses count only when the provider verified them.</summary>
    public static string? Complaint(Caller caller, OidcAccess access)
    {
        var email = caller.EmailIsVerified || caller.EmailIsTrusted ? caller.Email : null;
        var address = email is not null
            ? $"'{OutsideText.Clean(email)}'"
            : caller.Email is null
            ? "no usable address"
            : "an address that the provider did not verify";
        if (access.Domains.Count > 0 && !access.Domains.Any(domain => email is not null && EmailAddress.IsOfDomain(email, domain)))
        {
            return $"not in oidc.allowed_domains: there is {address}";
        }

        if (access.Groups.Count > 0 && !access.Groups.Intersect(caller.Groups.Values, StringComparer.Ordinal).Any())
        {
            return $"in none of oidc.allowed_groups: {caller.Groups.Describe()}";
        }

        return access.Users.Count > 0 && !access.Users.Any(user => email is not null && EmailAddress.AreSame(user, email))
            ? $"not in oidc.allowed_users: there is {address}"
            : null;
    }
}
