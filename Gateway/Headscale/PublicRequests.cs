namespace Gateway.Headscale;

/// <summary>What anybody may ask Headscale for, by which a way to it is found out to be open.</summary>
internal static class PublicRequests
{
    /// <summary>What every Tailscale client asks first.</summary>
    public const string Key = "/key?v=113";

    /// <summary>A call of the API, which takes a credential.</summary>
    public const string Users = "/api/v1/user";

    /// <summary>The request for a tunnel, without a handshake that Headscale would take.</summary>
    public static string Tunnel(string host) =>
        $"POST /ts2021 HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\n"
        + "X-Tailscale-Handshake: none\r\n\r\n";

    /// <summary>Whether an answer to <see cref="Key"/> is Headscale's.</summary>
    public static bool IsKey(string text) => text.Contains("publicKey", StringComparison.Ordinal);

    /// <summary>Whether an answer to <see cref="Users"/> without a credential is one of Headscale's own, up to 0.29.</summary>
    public static bool IsRefusal(string text) => text.Trim() == "Unauthorized";
}
