namespace Gateway.Headscale;

/// <summary>The part of Tailscale's own API that Headscale has since 0.30.</summary>
internal static class TailnetApi
{
    private const string Prefix = "/api/v2";

    /// <summary>Whether a path belongs to it. It has its own form of errors, and takes OAuth tokens.</summary>
    public static bool IsPath(PathString path) => path.StartsWithSegments(Prefix, StringComparison.Ordinal);
}
