using Gateway.Edge;

namespace Gateway.Headscale;

/// <summary>
/// The only place that knows how Headscale turns issuer and subject into <c>providerId</c>. The subject cannot be read
/// back out of it, so ids are built and compared whole.
/// </summary>
internal static class ProviderId
{
    /// <summary>What any supported version would have stored: the rule of 0.29 and the one before it.</summary>
    public static IReadOnlyList<string> Candidates(string issuer, string subject)
    {
        if (issuer.Length == 0 || subject.Length == 0 || subject.Split('/').Any(segment => segment is "." or ".."))
        {
            // Up to 0.28 such a subject takes over the id of somebody else.
            return [];
        }

        var since29 = Clean(Concatenate(issuer, subject));
        var before29 = Clean(Join(issuer, subject) ?? Concatenate(issuer, subject));
        return since29 == before29 ? [since29] : [since29, before29];
    }

    private static string Concatenate(string issuer, string subject) =>
        $"{(issuer.EndsWith('/') ? issuer[..^1] : issuer)}/{(subject.StartsWith('/') ? subject[1..] : subject)}";

    /// <summary>Go's url.JoinPath; an escape that does not parse leaves the issuer's path as it was.</summary>
    private static string? Join(string issuer, string subject)
    {
        if (GoUrl.ParseWithScheme(issuer) is not { } url)
        {
            return null;
        }

        var segments = $"{url.EscapedPath}/{subject}".Split('/', StringSplitOptions.RemoveEmptyEntries);
        url.TrySetRawPath("/" + string.Join('/', segments) + (subject.EndsWith('/') ? "/" : ""));
        return url.ToString();
    }

    private static string Clean(string text)
    {
        text = text.Trim();
        if (GoUrl.ParseWithScheme(text) is not { } url)
        {
            return CleanSegments(text);
        }

        var path = CleanSegments(url.Path);
        url.SetPath(path.Length == 0 ? "" : "/" + path);
        return url.ToString();
    }

    private static string CleanSegments(string path) =>
        string.Join('/', path.Split('/').Select(segment => segment.Trim()).Where(segment => segment.Length > 0));
}
