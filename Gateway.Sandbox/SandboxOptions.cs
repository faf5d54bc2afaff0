using System.Globalization;
using System.Net;

namespace Gateway.Sandbox;

/// <summary>What the command line asks for.</summary>
/// <param name="Version">The minor version of Headscale that is played: 26 to 30.</param>
/// <param name="Port">The front's port; the gateway, the provider and Headscale have the three after it. 0: free ones.</param>
/// <param name="Host">The name or address of this machine that the browser uses; the front and the provider listen on it.</param>
internal sealed record SandboxOptions(int Version, int Port, string Host)
{
    public const string Usage =
        "usage: dotnet run --project Gateway.Sandbox [-- [--port N] [--host ADDRESS] [--headscale-version 0.26|0.27|0.28|0.29|0.30]]\n"
        + "  --port N        the front listens on N, the gateway on N+1, the provider on N+2, Headscale on N+3\n"
        + "  --host ADDRESS  the name or address of this machine that your browser uses, when it runs elsewhere";

    /// <summary>127.0.0.1 is for this machine alone.</summary>
    public bool IsOpenToOthers => Host != "127.0.0.1";

    /// <summary>Reads the arguments.</summary>
    /// <returns>Null when they are not understood.</returns>
    public static SandboxOptions? Of(IReadOnlyList<string> arguments)
    {
        SandboxOptions? options = new(29, 0, "127.0.0.1");
        for (var i = 0; i < arguments.Count && options is not null; i += 2)
        {
            options = options.With(arguments[i], i + 1 < arguments.Count ? arguments[i + 1] : "");
        }

        return options;
    }

    /// <summary>The port of the front (0), the gateway (1), the provider (2) or Headscale (3).</summary>
    public int PortOf(int part) => Port is 0 ? GatewayProcess.FreePort() : Port + part;

    /// <summary>The address that a browser uses.</summary>
    public static Uri UrlOf(string host, int port) => new UriBuilder("http", host, port).Uri;

    private SandboxOptions? With(string name, string value) => name switch
    {
        "--headscale-version" when Number(value.Replace("0.", "", StringComparison.Ordinal)) is { } minor and >= 26 and <= 30 =>
            this with { Version = minor },
        "--port" when Number(value) is { } port and > 0 and < 65_533 => this with { Port = port },
        "--host" when Uri.CheckHostName(value) is not UriHostNameType.Unknown
            && !(IPAddress.TryParse(value, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))) =>
            this with { Host = value },
        _ => null,
    };

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
