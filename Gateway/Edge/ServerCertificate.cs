using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Edge;

/// <summary>The certificate that TLS shows. A renewed file counts for the next connection; tunnels stay.</summary>
internal sealed partial class ServerCertificate
{
    private readonly ILogger<ServerCertificate> _log;
    private volatile SslStreamCertificateContext? _current;

    /// <exception cref="CryptographicException">The files do not belong together.</exception>
    public ServerCertificate(ConfigurationMonitor monitor, ILogger<ServerCertificate> log)
    {
        _log = log;
        _current = ContextOf(monitor.Current.Settings.Server);
        monitor.OnReplaced(next => Renew(next.Settings.Server));
    }

    /// <summary>What is shown now, with the intermediate certificates of the file; null without TLS.</summary>
    public SslStreamCertificateContext? Current => _current;

    /// <summary>Reads certificate and key; null where none are named.</summary>
    /// <exception cref="CryptographicException">They do not belong together; the text names both files.</exception>
    public static X509Certificate2? Load(ServerSettings server)
    {
        if (server.TlsCertPath is not { } certificate)
        {
            return null;
        }

        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, server.TlsKeyPath);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CryptographicException($"{certificate} and {server.TlsKeyPath} are no certificate with its key: {e.Message}", e);
        }
    }

    /// <summary>Nothing is fetched from elsewhere: what is shown is what the file holds.</summary>
    private static SslStreamCertificateContext? ContextOf(ServerSettings server)
    {
        if (Load(server) is not { } certificate)
        {
            return null;
        }

        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(server.TlsCertPath!);
        return SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    /// <summary>Whoever is in the middle of a handshake still has the old one, which is left to the garbage collector.</summary>
    private void Renew(ServerSettings server)
    {
        try
        {
            var next = ContextOf(server);
            if (next is not null && next.TargetCertificate.Thumbprint != _current?.TargetCertificate.Thumbprint)
            {
                _current = next;
                LogRenewed(next.TargetCertificate.NotAfter.ToUniversalTime());
            }
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            LogKept(e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "The certificate was read anew; it is good until {Until:u}")]
    private partial void LogRenewed(DateTime until);

    [LoggerMessage(2, LogLevel.Error, "The certificate stays as it was: {Cause}")]
    private partial void LogKept(string cause);
}
