using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Gateway.Edge;
using Gateway.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Gateway;

/// <summary>Where the gateway listens, and what is spoken there.</summary>
internal static class Listeners
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Adds every address of <c>server.listen</c>, or the sockets that systemd holds open instead.</summary>
    public static void Add(WebApplicationBuilder builder, ServerSettings server)
    {
        AddSockets(builder);
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
                foreach (var handle in HandlesOfSystemd())
                {
                    var at = EndPointOf(handle);
                    kestrel.ListenHandle(handle, listen => Speak(listen, AddressAt(at, server), at, server));
                }

                return;
            }

            foreach (var url in server.Listen)
            {
                if (url.SocketPath is { } path)
                {
                    kestrel.ListenUnixSocket(path, listen => Speak(listen, url, null, server));
                }
                else
                {
                    kestrel.Listen(url.EndPoint, listen => Speak(listen, url, url.EndPoint, server));
                }
            }
        });
    }

    /// <summary>Sockets that systemd holds open are its own; it keeps their queues for the next gateway.</summary>
    private static void AddSockets(WebApplicationBuilder builder)
    {
        builder.WebHost.UseKestrelCore().UseSockets();
        builder.Services.AddSingleton<ListeningSockets>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ListeningSockets>());
        builder.Services.AddOptions<SocketTransportOptions>().Configure<ListeningSockets>((transport, opened) =>
            transport.CreateBoundListenSocket = endpoint =>
            {
                var socket = BindWithKeepAlive(endpoint);
                if (endpoint is IPEndPoint or UnixDomainSocketEndPoint)
                {
                    opened.Add(socket);
                }

                return socket;
            });
    }

    /// <summary>Why none of the addresses can be listened at, and what to do.</summary>
    public static string Complaint(ServerSettings server, Exception failure)
    {
        var addresses = string.Join(", ", server.Listen.Select(one => one.Label));
        var code = (failure as SocketException ?? failure.InnerException as SocketException
            ?? failure.InnerException?.InnerException as SocketException)?.SocketErrorCode;
        return $"cannot listen at {addresses}: " + code switch
        {
            SocketError.AddressAlreadyInUse => "another program listens there; stop it, or change server.listen or server.port",
            SocketError.AccessDenied =>
                "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE; the systemd unit's socket has it), and a socket's "
                    + "folder must be writable",
            SocketError.AddressNotAvailable => "this machine does not have that address; server.host or server.listen names another's",
            _ => failure.Message,
        };
    }

    /// <summary>The sockets that systemd hands over (sd_listen_fds(3)).</summary>
    private static IEnumerable<ulong> HandlesOfSystemd()
    {
        const ulong First = 3;
        return ulong.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), out var count)
            ? Enumerable.Range(0, (int)count).Select(number => First + (ulong)number)
            : [];
    }

    /// <summary>Where a socket listens that somebody else opened; null: at a path.</summary>
    private static IPEndPoint? EndPointOf(ulong handle)
    {
        using var borrowed = new SafeSocketHandle((nint)handle, ownsHandle: false);
        return new Socket(borrowed).LocalEndPoint as IPEndPoint;
    }

    /// <summary>What a socket of systemd speaks: what the entry with its port does, or else the first.</summary>
    private static Uri AddressAt(IPEndPoint? at, ServerSettings server) =>
        server.Listen.FirstOrDefault(one => one.SocketPath is null && one.EndPoint.Port == at?.Port) ?? server.Listen[0];

    /// <summary>Without TLS there is no way to agree on HTTP/2, and upgrades need HTTP/1.1: h2c has a port of its own.</summary>
    /// <param name="url">The entry of the settings that says what is spoken.</param>
    /// <param name="at">Where it listens; null: at a unix socket.</param>
    private static void Speak(ListenOptions listen, Uri url, IPEndPoint? at, ServerSettings server)
    {
        if (server.TlsCertPath is not null && url.Scheme is not "https" && PlainListener.IsOpen(at))
        {
            listen.Use(PlainListener.Mark);
        }

        listen.KeepFreshConnections();
        listen.Use(AddressOfSocketPeers);
        listen.Use(listen.ApplicationServices.GetRequiredService<TunnelDrain>().Cut);
        listen.Protocols = url.Scheme switch
        {
            "https" => HttpProtocols.Http1AndHttp2,
            "h2c" => HttpProtocols.Http2,
            _ => HttpProtocols.Http1,
        };
        if (url.Scheme == "https")
        {
            var certificate = listen.ApplicationServices.GetRequiredService<ServerCertificate>();
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(
                    new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current }),
            });
        }
    }

    /// <summary>Whoever may open a unix socket of the gateway is a process of this machine, and counts as 127.0.0.1.</summary>
    private static ConnectionDelegate AddressOfSocketPeers(ConnectionDelegate next) => connection =>
    {
        if (connection is { LocalEndPoint: UnixDomainSocketEndPoint, RemoteEndPoint: not IPEndPoint })
        {
            connection.RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 0);
        }

        return next(connection);
    };

    /// <summary>
    /// Front and gateway share a group: that of the socket's folder when it has the set-group-ID bit. What an earlier gateway left is
    /// replaced, one that answers is not.
    /// </summary>
    private static Socket BindUnix(UnixDomainSocketEndPoint endpoint)
    {
        var path = endpoint.ToString();
        if (File.Exists(path))
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                probe.Connect(endpoint);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused)
            {
                File.Delete(path);
            }
        }

        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, OwnerAndGroup);
        }

        return socket;
    }

    /// <summary>
    /// A node whose cable was pulled stays online for ever unless somebody notices (headscale #2129). Accepted sockets inherit this.
    /// </summary>
    private static Socket BindWithKeepAlive(EndPoint endpoint)
    {
        if (endpoint is UnixDomainSocketEndPoint unix)
        {
            return BindUnix(unix);
        }

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
