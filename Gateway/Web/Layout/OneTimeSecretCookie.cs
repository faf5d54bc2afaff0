using System.Security.Cryptography;
using Gateway.Edge;
using Gateway.Users;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Web.Layout;

/// <summary>
/// A new secret on its way from the form that made it to the page that shows it once: encrypted, in a cookie of minutes,
/// so that it is never in an address, a log or the store.
/// </summary>
internal sealed class OneTimeSecretCookie(IDataProtectionProvider protection)
{
    private const string Name = "headtower-once-";

    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(2);

    /// <summary>Keeps a secret for the next page of the same person.</summary>
    /// <param name="what">What it is, which says what page shows it.</param>
    public void Keep(HttpContext context, Principal principal, string what, string secret) => context.Response.Cookies.Append(
        NameOf(context, what), ProtectorOf(what, principal).Protect(secret, _keptFor), new CookieOptions
        {
            HttpOnly = true,
            Secure = IsSecure(context),
            SameSite = SameSiteMode.Strict,
            Path = PageResults.BasePath(context),
            MaxAge = _keptFor,
        });

    /// <summary>The secret that was just made for this person; the page after this one does not have it any more.</summary>
    public string? Take(HttpContext context, Principal principal, string what)
    {
        var name = NameOf(context, what);
        if (context.Request.Cookies[name] is not { Length: > 0 } kept)
        {
            return null;
        }

        context.Response.Cookies.Delete(name, new CookieOptions { Secure = IsSecure(context), Path = PageResults.BasePath(context) });
        try
        {
            return ProtectorOf(what, principal).Unprotect(kept);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool IsSecure(HttpContext context) => RequestContext.Of(context).Configuration.Settings.Server.Cookie.Secure;

    /// <summary>With the prefix, no neighbouring host can plant the cookie over http (RFC 6265bis 4.1.3.1).</summary>
    private static string NameOf(HttpContext context, string what) => (IsSecure(context) ? "__Secure-" : "") + Name + what;

    /// <summary>Bound to the person and the session: a cookie of somebody else opens nothing.</summary>
    private ITimeLimitedDataProtector ProtectorOf(string what, Principal principal) =>
        protection.CreateProtector(Name + what, principal.Label, $"session {principal.Session?.Id ?? 0}").ToTimeLimitedDataProtector();
}
