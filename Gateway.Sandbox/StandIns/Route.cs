using System.Text.RegularExpressions;

namespace Gateway.Sandbox.StandIns;

/// <summary>What a path leads to.</summary>
internal enum RouteKind
{
    ClientPlane = 0,
    V1,
    V2,

    /// <summary>A path of the API that no version answers, for which a key is asked all the same.</summary>
    OtherApi,

    /// <summary>Up to 0.28, a path that is not clean leads to the clean one.</summary>
    Clean,
}

/// <summary>Where a version leads a path.</summary>
/// <param name="Segments">Below <c>/api/v1</c>; as they were sent since 0.30, unescaped before.</param>
/// <param name="Location">The clean path.</param>
internal sealed partial record Route(RouteKind Kind, string[] Segments, string Location = "")
{
    public static Route Of(int version, string target)
    {
        var raw = target.Split('?')[0];
        var path = version <= 28 ? Uri.UnescapeDataString(raw) : raw;
        if (version <= 28 && Unclean().IsMatch(path))
        {
            return new(RouteKind.Clean, [], new Uri(new Uri("http://x"), DoubleSlash().Replace(path, "/")).AbsolutePath);
        }

        if (path.StartsWith("/api/v1/", StringComparison.Ordinal))
        {
            return new(RouteKind.V1, (version == 29 ? Uri.UnescapeDataString(path) : path).Split('/')[3..]);
        }

        return version switch
        {
            >= 30 when path.StartsWith("/api/v2/", StringComparison.Ordinal) =>
                new(RouteKind.V2, [.. path.Split('/').Skip(3).Select(Uri.UnescapeDataString)]),
            29 when path.StartsWith("/api/", StringComparison.Ordinal) => new(RouteKind.OtherApi, []),
            _ => new(RouteKind.ClientPlane, []),
        };
    }

    [GeneratedRegex(@"//|/\.\.?(/|\z)")]
    private static partial Regex Unclean();

    [GeneratedRegex("/{2,}")]
    private static partial Regex DoubleSlash();
}
