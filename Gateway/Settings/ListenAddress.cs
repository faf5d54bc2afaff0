using System.Net;

namespace Gateway.Settings;

/// <summary>One entry of <c>server.listen</c>: http, https or h2c with an IP address, or <c>unix</c> with a path.</summary>
internal static class ListenAddress
{
    /// <summary>What is wrong with what is written; null: nothing.</summary>
    public static string? Complaint(string text, bool hasCertificate) =>
        !Uri.TryCreate(text, UriKind.Absolute, out var url) || !(IsAddress(url) || IsPath(url, text))
            ? $"'{text}' is not of the form http://0.0.0.0:3000, https://[::]:443, h2c://127.0.0.1:3001 or unix:/run/headtower/http.sock"
        : url.Scheme is "https" && !hasCertificate ? $"'{text}' needs tls_cert_path and tls_key_path"
        : null;

    extension(Uri listen)
    {
        /// <summary>The path of a unix socket; null for an address.</summary>
        public string? SocketPath => listen.Scheme is "unix" ? listen.LocalPath : null;

        /// <summary>As it is told to people.</summary>
        public string Label => listen.SocketPath is { } path ? $"unix:{path}" : listen.GetLeftPart(UriPartial.Authority);

        /// <summary>The address to bind; only where there is no path.</summary>
        public IPEndPoint EndPoint => new(IPAddress.Parse(listen.Host.Trim('[', ']')), listen.Port);
    }

    private static bool IsAddress(Uri url) =>
        url is { Scheme: "http" or "https" or "h2c", PathAndQuery: "/" or "", Port: >= 0 }
            && AddressText.Parse(url.Host.Trim('[', ']')) is not null;

    /// <summary>A path that the kernel takes (unix(7): 108 bytes with the last NUL).</summary>
    private static bool IsPath(Uri url, string text) =>
        url.Scheme is "unix" && text == $"unix:{url.LocalPath}" && url.LocalPath is ['/', _, ..] && url.LocalPath.Length < 108;
}
