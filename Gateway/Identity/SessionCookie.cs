using Gateway.Settings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Identity;

/// <summary>The cookie of a session: an opaque value, out of reach of scripts, never sent from another site's forms.</summary>
internal static class SessionCookie
{
    private const string Name = "headtower";

    /// <summary>
    /// Names that begin like this, behind a prefix or not, are the gateway's: headtower-form, headtower-signin.…, headtower-once-….
    /// </summary>
    private const string Family = Name + "-";

    /// <summary>
    /// The value of the cookie; null when there is none, or more than one, which an attacker on a neighbouring host can cause.
    /// Around a cookie, only blanks and tabs mean nothing (RFC 6265 5.2); a browser's rules for prefixes see every other character.
    /// </summary>
    public static string? Read(HttpRequest request, CookieSettings settings)
    {
        string? found = null;
        foreach (var line in request.Headers.Cookie)
        {
            foreach (var range in line.AsSpan().Split(';'))
            {
                var pair = line.AsSpan(range).Trim(" \t");
                if (!IsNamed(pair, settings.Prefix))
                {
                    continue;
                }

                if (found is not null)
                {
                    return null;
                }

                found = pair[(settings.Prefix.Length + Name.Length + 1)..].ToString();
            }
        }

        return found is { Length: 64 } ? found : null;
    }

    /// <summary>The cookies of a request without the gateway's own, which are nobody else's business; null when nothing is left.</summary>
    public static string? WithoutOwn(StringValues lines) => string.Join(
        "; ",
        lines.SelectMany(line => (line ?? "").Split(';')).Select(pair => pair.Trim(' ', '\t'))
            .Where(pair => pair.Length > 0 && !IsOwn(pair)))
        is { Length: > 0 } rest ? rest : null;

    private static bool IsNamed(ReadOnlySpan<char> pair, string prefix) =>
        pair.Length > prefix.Length + Name.Length && pair.StartsWith(prefix) && pair[prefix.Length..].StartsWith(Name)
        && pair[prefix.Length + Name.Length] == '=';

    private static bool IsOwn(string pair)
    {
        foreach (var prefix in new[] { "", "__Host-", "__Secure-" })
        {
            if (IsNamed(pair, prefix) || pair.StartsWith(prefix + Family, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    public static void Write(HttpResponse response, string value, TimeSpan lifetime, CookieSettings settings) =>
        response.Cookies.Append(settings.Prefix + Name, value, Options(settings, lifetime));

    public static void Delete(HttpResponse response, CookieSettings settings) =>
        response.Cookies.Delete(settings.Prefix + Name, Options(settings, null));

    private static CookieOptions Options(CookieSettings settings, TimeSpan? lifetime) => new()
    {
        HttpOnly = true,
        Secure = settings.Secure,
        SameSite = SameSiteMode.Lax,
        Path = "/",
        Domain = settings.Domain,
        MaxAge = lifetime,
    };
}
