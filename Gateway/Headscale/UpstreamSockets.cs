using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gateway.Settings;

namespace Gateway.Headscale;

/// <summary>How connections to Headscale are made, for our own calls and for forwarded ones.</summary>
internal static class UpstreamSockets
{
    /// <summary>Headscale closes idle connections after 30 s; a pooled one must be gone before, or a POST is lost to the race.</summary>
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(15);

    public static SocketsHttpHandler Create(HeadscaleSettings settings)
    {
        var handler = new SocketsHttpHandler();
        Configure(handler, settings);
        return handler;
    }

    public static void Configure(SocketsHttpHandler handler, HeadscaleSettings settings)
    {
        handler.UseProxy = false;
        handler.UseCookies = false;
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.ActivityHeadersPropagator = null;
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);
        handler.PooledConnectionIdleTimeout = _idle;
        handler.EnableMultipleHttp2Connections = true;
        if (settings.TlsCaPath is { } file)
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
