using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>The cookie of a session: an opaque value, out of reach of scripts, never sent from another site's forms.</summary>
internal static class SessionCookie
{
    private const string Name = "headtower";

    /// <summary>Around a cookie, only blanks and tabs mean nothing (RFC 6265 5.2); a browser's rules for prefixes see every other character.
    /// The value; null when there is none, or more than one, which an attacker on a neighbouring host can cause.</summary>
    public static string? Read(HttpRequest request, CookieSettings settings)
    {
        var name = settings.Prefix + Name;
        var values = request.Headers.Cookie.SelectMany(line => (line ?? "").Split(';')).Select(one => one.Trim(' ', '\t').Split('=', 2))
            .Where(pair => pair.Length == 2 && pair[0] == name).Select(pair => pair[1]).Take(2).ToArray();
        return values is [{ Length: 64 } only] ? only : null;
    }

    /// <summary>A Cookie header without the gateway's own cookies, which are nobody else's business; null when nothing is left.</summary>
    public static string? WithoutOwn(string header) =>
        string.Join("; ", header.Split(';', StringSplitOptions.TrimEntries).Where(one => !one.StartsWith(Name, StringComparison.Ordinal)
            && !one.StartsWith("__Host-" + Name, StringComparison.Ordinal) && !one.StartsWith("__Secure-" + Name, StringComparison.Ordinal))) is { Length: > 0 } rest ? rest : null;

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
