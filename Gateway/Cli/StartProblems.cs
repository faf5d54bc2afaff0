using System.Net.Sockets;
using System.Security.Cryptography;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>What a start, or the first sign-in, would meet, found beforehand.</summary>
internal static class StartProblems
{
    public static void Find(Configuration configuration, string file, Problems problems)
    {
        // Where there is a store, somebody was here before.
        var settings = configuration.Settings;
        if (settings.Store.Kind is not StoreKind.Postgres && !File.Exists(settings.Store.File) && OwnerWarning(settings) is { } warning)
        {
            problems.Warn($"{file}: bootstrap.owner", warning);
        }

        if (settings.Server is { BaseUrl.Scheme: "http", Cookie.Secure: true })
        {
            problems.Add(
                $"{file}: server.base_url",
                "a browser sends no secure cookie over http, so nobody could sign in; use https, or cookie_secure: false for a trial");
        }

        FindRanks(configuration, file, problems);
        FindCertificate(settings.Server, file, problems);
        foreach (var url in settings.Server.Listen)
        {
            FindListener(url, file, problems);
        }
    }

    /// <summary>Whoever comes first becomes the owner: told as long as nobody is named and anybody may come. Null: all is well.</summary>
    public static string? OwnerWarning(GatewaySettings settings) =>
        settings.Bootstrap is { FirstUserIsOwner: true, Owner: null }
            && (settings.Oidc is not null || settings.Server.ProxyAuth is not null)
            && settings.Server.BaseUrl is not { IsLoopback: true }
            ? "whoever signs in first becomes the owner of everything; name yourself, for example owner: \"proxy:alice\" or "
                + "\"email:alice@example.com\""
            : null;

    /// <summary>A client can keep its groups from being reported; nobody may gain by that.</summary>
    private static void FindRanks(Configuration configuration, string file, Problems problems)
    {
        var (proxy, roles) = (configuration.Settings.Server.ProxyAuth, configuration.Table.Roles);
        var rest = roles.FirstOrDefault(one => one.Name == (proxy?.DefaultRole ?? configuration.Settings.Oidc?.DefaultRole));
        foreach (var (group, name) in proxy?.RoleMap ?? new Dictionary<string, string>())
        {
            if (rest is not null && roles.FirstOrDefault(one => one.Name == name) is { } role && rest.Outranks(role))
            {
                problems.Warn(
                    $"{file}: server.proxy_auth.default_role",
                    $"'{rest.Name}' ranks above '{name}', which the group '{group}' gives: whoever comes without groups gains by it");
            }
        }
    }

    private static void FindCertificate(ServerSettings server, string file, Problems problems)
    {
        try
        {
            using var certificate = ServerCertificate.Load(server);
            if (certificate is not null && certificate.NotAfter.ToUniversalTime() < TimeProvider.System.GetUtcNow().UtcDateTime)
            {
                problems.Warn($"{file}: server.tls_cert_path", $"expired {certificate.NotAfter.ToUniversalTime():u}");
            }
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            problems.Add($"{file}: server.tls_cert_path", e.Message);
        }
    }

    /// <summary>Binds for a moment. An address in use may be this very gateway, which runs.</summary>
    private static void FindListener(Uri url, string file, Problems problems)
    {
        if (url.SocketPath is { } path)
        {
            if (!Directory.Exists(Path.GetDirectoryName(path)))
            {
                problems.Add($"{file}: server.listen", $"{url.Label}: the folder {Path.GetDirectoryName(path)} does not exist");
            }

            return;
        }

        try
        {
            using var socket = new Socket(url.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(url.EndPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            problems.Warn($"{file}: server.listen", $"{url.Authority} is in use; all is well if that is this gateway, which runs");
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
        {
            problems.Warn(
                $"{file}: server.listen",
                $"{url.Authority} cannot be bound by this user; the gateway's own needs CAP_NET_BIND_SERVICE for ports below 1024");
        }
        catch (SocketException)
        {
            problems.Add($"{file}: server.listen", $"{url.Authority}: this machine does not have that address");
        }
    }
}
