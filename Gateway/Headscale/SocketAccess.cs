namespace Gateway.Headscale;

/// <summary>Where Headscale's own socket usually is.</summary>
internal static class SocketAccess
{
    /// <summary>The default of Headscale's setting <c>unix_socket</c>, and the same by its newer name.</summary>
    public static IReadOnlyList<string> UsualPaths { get; } = ["/var/run/headscale/headscale.sock", "/run/headscale/headscale.sock"];

    /// <summary>The socket at a usual place; null: there is none that this user sees.</summary>
    public static string? Find() => UsualPaths.FirstOrDefault(File.Exists);
}
