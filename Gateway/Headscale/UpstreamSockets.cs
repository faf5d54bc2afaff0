using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

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
