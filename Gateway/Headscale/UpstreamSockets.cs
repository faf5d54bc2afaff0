using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Edge;
using Gateway.Headscale.Grpc;

namespace Gateway.Headscale;

/// <summary>How connections are made, to Headscale and to the sign-in provider.</summary>
internal static class UpstreamSockets
{
    /// <summary>Headscale closes idle connections after 30 s; a pooled one must be gone before, or a POST is lost to the race.</summary>
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(15);

    /// <param name="caFile">PEM file of the only CA that is believed; null: those of the system.</param>
    public static SocketsHttpHandler Create(string? caFile)
    {
        var handler = new SocketsHttpHandler();
        Configure(handler, caFile);
        return handler;
    }

    /// <summary>Configures likewise, and says whenever a connection was opened.</summary>
    public static void Configure(SocketsHttpHandler handler, string? caFile, Action opened)
    {
        Configure(handler, caFile);
        handler.ConnectCallback = async (context, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancel);
                opened();
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
    }

    /// <summary>Connections to a socket in the file system, which is looked up by its path each time.</summary>
    public static SocketsHttpHandler CreateLocal(string path)
    {
        var handler = Create(null);
        handler.ConnectCallback = async (_, cancel) => await ConnectLocalAsync(path, cancel);
        return handler;
    }

    /// <summary>Opens a connection to a socket in the file system.</summary>
    /// <exception cref="SocketUnavailableException">Nobody is there, or it may not be opened.</exception>
    public static async Task<Stream> ConnectLocalAsync(string path, CancellationToken cancel)
    {
        try
        {
            return await UnixSocket.ConnectAsync(path, cancel);
        }
        catch (SocketException e)
        {
            throw new SocketUnavailableException($"{path}: {WordsOf(e)}", e);
        }
    }

    private static string WordsOf(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.HostNotFound
            or (SocketError)2 => "there is no such socket: Headscale is not running, or its folder is not shared with the gateway",
        SocketError.AccessDenied => "the gateway may not open it: its user must be in the group of the socket (docs/socket.md)",
        SocketError.ConnectionRefused => "nobody listens there: Headscale is not running",
        _ => failure.Message,
    };

    public static void Configure(SocketsHttpHandler handler, string? caFile)
    {
        handler.UseProxy = false;
        handler.UseCookies = false;
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.ActivityHeadersPropagator = null;
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);
        handler.PooledConnectionIdleTimeout = _idle;
        handler.EnableMultipleHttp2Connections = true;

        // Names and other text are passed on in the encoding in which Kestrel reads them.
        handler.RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8;
        if (caFile is { } file)
        {
            handler.SslOptions.CertificateChainPolicy = OnlyThisCa(file);
        }
    }

    private static X509ChainPolicy OnlyThisCa(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }
}
