using System.Security.Cryptography;
using Gateway.Edge;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Web;

/// <summary>
/// A new secret on its way from the form that made it to the page that shows it once: encrypted, in a cookie of minutes,
/// so that it is never in an address, a log or the store.
/// </summary>
internal sealed class OneTimeSecretCookie(IDataProtectionProvider protection)
{
    private const string Name = "headtower-once-";

    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(2);

    /// <param name="what">What it is, which says what page shows it.</param>
    public void Keep(HttpContext context, string what, string secret) => context.Response.Cookies.Append(Name + what, ProtectorOf(what).Protect(secret, _keptFor), new CookieOptions
    {
        HttpOnly = true,
        Secure = RequestContext.Of(context).Configuration.Settings.Server.Cookie.Secure,
        SameSite = SameSiteMode.Strict,
        Path = PageAnswers.BasePath(context),
        MaxAge = _keptFor,
    });

    /// <summary>The secret that was just made; the page after this one does not have it any more.</summary>
    public string? Take(HttpContext context, string what)
    {
        if (context.Request.Cookies[Name + what] is not { Length: > 0 } kept)
        {
            return null;
        }

        context.Response.Cookies.Delete(Name + what, new CookieOptions { Path = PageAnswers.BasePath(context) });
        try
        {
            return ProtectorOf(what).Unprotect(kept);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private ITimeLimitedDataProtector ProtectorOf(string what) => protection.CreateProtector(Name + what).ToTimeLimitedDataProtector();
}
