namespace Gateway.Identity;

/// <summary>
/// Whether a browser may have been made to send a request by another site. Signing in through a proxy is ambient
/// authority: the proxy's cookie goes along whoever wrote the form.
/// </summary>
internal static class SameOrigin
{
    public static bool IsCrossSite(HttpRequest request, Uri? baseUrl)
    {
        var headers = request.Headers;
        var (site, origin) = (headers["Sec-Fetch-Site"], headers.Origin);
        if (site.Count > 1 || origin.Count > 1)
        {
            return true;
        }

        if (site is [{ } relation])
        {
            return relation is not ("same-origin" or "none") || (origin is [{ } stated] && !IsOurs(stated, request, baseUrl));
        }

        // Without both it is no browser of today; a cookie says that it is one all the same.
        return origin is [{ } only] ? !IsOurs(only, request, baseUrl) : headers.Cookie.Count > 0;
    }

    /// <summary>Whether the request is known to come from a page of this host: it says so, and browsers let no other site say it.</summary>
    public static bool IsProven(HttpRequest request, Uri? baseUrl)
    {
        var (site, origin) = (request.Headers["Sec-Fetch-Site"], request.Headers.Origin);
        return !IsCrossSite(request, baseUrl) && (site is ["same-origin"] || (site.Count == 0 && origin.Count == 1));
    }

    private static bool IsOurs(string origin, HttpRequest request, Uri? baseUrl) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && (baseUrl is null
            ? string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase)
            : string.Equals(uri.GetLeftPart(UriPartial.Authority), baseUrl.GetLeftPart(UriPartial.Authority),
                StringComparison.OrdinalIgnoreCase));
}
