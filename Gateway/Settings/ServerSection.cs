using System.Net;
using System.Net.Sockets;

namespace Gateway.Settings;

/// <summary>Reads and checks the section <c>server</c>.</summary>
internal static class ServerSection
{
    public static ServerSettings Read(YamlMap map, IReadOnlyDictionary<string, string> environment, List<string> files)
    {
        var cert = CertificateFile.Read(map, "tls_cert_path", environment, files);
        var key = CertificateFile.ReadKey(map, "tls_key_path", environment, files);
        if (map.Has("tls_cert_path") != map.Has("tls_key_path"))
        {
            map.Complain(map.Has("tls_cert_path") ? "tls_key_path" : "tls_cert_path", "certificate and key are needed together");
        }

        var trustEveryone = map.Flag("dangerously_trust_everyone");
        return new ServerSettings
        {
            Listen = ReadListen(map, cert is not null),
            BaseUrl = ReadBaseUrl(map),
            BasePath = ReadBasePath(map),
            DataPath = map.TextOrDefault("data_path"),
            TlsCertPath = cert,
            TlsKeyPath = key,
            TrustedProxies = NetworkList.Read(map, "trusted_proxies", trustEveryone) ?? new NetworkList([]),
            DrainSeconds = map.Number("drain_seconds"),
            Cookie = new(
                map.Flag("cookie_secure") || cert is not null, map.Text("cookie_domain"),
                    TimeSpan.FromSeconds(map.Number("cookie_max_age"))),
            ProxyAuth = ProxyAuthSection.Read(map.Map("proxy_auth"), trustEveryone, environment, files),
        };
    }

    private static Uri[] ReadListen(YamlMap map, bool tls)
    {
        var host = AddressText.Parse(map.TextOrDefault("host"));
        if (host is null)
        {
            map.Complain("host", "this must be an IP address to listen on, such as 127.0.0.1 or 0.0.0.0");
        }

        var port = map.Number("port");
        if (map.Texts("listen") is not { Count: > 0 } listen)
        {
            var name = host?.AddressFamily is AddressFamily.InterNetworkV6 ? $"[{host}]" : (host ?? IPAddress.Any).ToString();
            return [new Uri($"{(tls ? "https" : "http")}://{name}:{port}")];
        }

        var urls = new List<Uri>();
        foreach (var text in listen)
        {
            if (ListenAddress.Complaint(text, tls) is { } complaint)
            {
                map.Complain("listen", complaint);
            }
            else
            {
                urls.Add(new Uri(text));
            }
        }

        return [.. urls];
    }

    private static Uri? ReadBaseUrl(YamlMap map)
    {
        if (map.Url("base_url") is not { } url)
        {
            return null;
        }

        if (url.AbsolutePath != "/")
        {
            map.Complain(
                "base_url",
                $"remove the path '{url.AbsolutePath}': Tailscale clients look for Headscale at the root of its host");
        }

        return new Uri(url.GetLeftPart(UriPartial.Authority));
    }

    private static string ReadBasePath(YamlMap map)
    {
        var path = map.TextOrDefault("base_path").TrimEnd('/');
        if (path is not ['/', _, ..]
            || path[1..].Split('/').Any(one => one.Length == 0 || !one.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
        {
            map.Complain("base_path", "this must be a path such as /admin");
        }
        else if (path.Split('/')[1] is "api" or "ts2021" or "derp" or "key" or "register" or "auth" or "oidc" or "machine" or "verify"
            or "health")
        {
            map.Complain("base_path", "this path belongs to Headscale; choose another, such as /admin");
        }

        return path;
    }
}
