using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Gateway.Edge;
using Gateway.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
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

    /// <summary>Why none of the addresses can be listened at, and what to do.</summary>
    public static string Complaint(ServerSettings server, Exception failure)
    {
        var addresses = string.Join(", ", server.Listen.Select(one => one.GetLeftPart(UriPartial.Authority)));
        var code = (failure as SocketException ?? failure.InnerException as SocketException
            ?? failure.InnerException?.InnerException as SocketException)?.SocketErrorCode;
        return $"cannot listen at {addresses}: " + code switch
        {
            SocketError.AddressAlreadyInUse => "another program listens there; stop it, or change server.listen or server.port",
            SocketError.AccessDenied =>
                "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE; the systemd unit's socket has it)",
            SocketError.AddressNotAvailable => "this machine does not have that address; server.host or server.listen names another's",
            _ => failure.Message,
        };
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
            var certificate = listen.ApplicationServices.GetRequiredService<ServerCertificate>();
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(
                    new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current }),
            });
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
