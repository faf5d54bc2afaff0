using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Gateway.Edge;
using Gateway.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Gateway;

/// <summary>Where the gateway listens, and what is spoken there.</summary>
internal static class Listeners
{
    /// <summary>Adds every address of <c>server.listen</c>, or the sockets that systemd holds open instead.</summary>
    public static void Add(WebApplicationBuilder builder, ServerSettings server)
    {
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.CreateBoundListenSocket = BindWithKeepAlive);
        if (server.TlsCertPath is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Sockets that systemd holds open (sd_listen_fds) take the place of those in the settings.
            if (Environment.GetEnvironmentVariable("LISTEN_PID") == $"{Environment.ProcessId}")
            {
                kestrel.UseSystemd(listen => Speak(listen, server.Listen[0].Scheme, server));
                return;
            }

            foreach (var url in server.Listen)
            {
                kestrel.Listen(IPAddress.Parse(url.Host.Trim('[', ']')), url.Port, listen => Speak(listen, url.Scheme, server));
            }
        });
    }

    /// <summary>Without TLS there is no way to agree on HTTP/2, and upgrades need HTTP/1.1: h2c has a port of its own.</summary>
    private static void Speak(ListenOptions listen, string scheme, ServerSettings server)
    {
        listen.KeepFreshConnections();
        listen.Use(listen.ApplicationServices.GetRequiredService<TunnelDrain>().Cut);
        listen.Protocols = scheme switch
        {
            "https" => HttpProtocols.Http1AndHttp2,
            "h2c" => HttpProtocols.Http2,
            _ => HttpProtocols.Http1,
        };
        if (scheme == "https")
        {
            listen.UseHttps(X509Certificate2.CreateFromPemFile(server.TlsCertPath!, server.TlsKeyPath));
        }
    }

    /// <summary>
    /// A node whose cable was pulled stays online for ever unless somebody notices (headscale #2129). Accepted sockets inherit this.
    /// </summary>
    private static Socket BindWithKeepAlive(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (endpoint is IPEndPoint)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }

        return socket;
    }
}
