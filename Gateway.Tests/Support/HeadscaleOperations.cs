namespace Gateway.Tests.Support;

/// <summary>The operations of Headscale's API documents, read from the test data.</summary>
internal static class HeadscaleOperations
{
    private static readonly (int Version, string Method, string Path)[] _all =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "headscale-operations.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' '))
            .Select(parts => (int.Parse(parts[0][2..], System.Globalization.CultureInfo.InvariantCulture), parts[1], parts[2])),
    ];

    public static IReadOnlyList<(int Version, string Method, string Path)> All => _all;

    public static IEnumerable<(string Method, string Path)> Of(int version) =>
        _all.Where(one => one.Version == version).Select(one => (one.Method, one.Path));
}
