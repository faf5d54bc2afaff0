using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Edge;

/// <summary>The certificate that TLS shows. A renewed file counts for the next connection; tunnels stay.</summary>
internal sealed partial class ServerCertificate
{
    private readonly ILogger<ServerCertificate> _log;
    private volatile X509Certificate2? _current;

    /// <exception cref="CryptographicException">The files do not belong together.</exception>
    public ServerCertificate(ConfigurationMonitor monitor, ILogger<ServerCertificate> log)
    {
        _log = log;
        _current = Load(monitor.Current.Settings.Server);
        monitor.OnReplaced(next => Renew(next.Settings.Server));
    }

    /// <summary>What is shown now; null without TLS.</summary>
    public X509Certificate2? Current => _current;

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

    /// <summary>Whoever is in the middle of a handshake still has the old one, which is left to the garbage collector.</summary>
    private void Renew(ServerSettings server)
    {
        try
        {
            var next = Load(server);
            if (next is not null && next.Thumbprint != _current?.Thumbprint)
            {
                _current = next;
                LogRenewed(next.NotAfter.ToUniversalTime());
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
