using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Tests.Support;

/// <summary>Certificates that sign themselves, in files.</summary>
internal static class Certificates
{
    /// <summary>Writes a certificate with the one between it and its root, and its key; gives the SHA-256 of the one between.</summary>
    public static string WriteChain(string chainFile, string keyFile)
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var betweenKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (from, until) = (DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        using var root = Authority("root", rootKey).CreateSelfSigned(from, until);
        using var unsigned = Authority("between", betweenKey).Create(root, from, until, [1]);
        using var between = unsigned.CopyWithPrivateKey(betweenKey);
        var request = new CertificateRequest("CN=headscale.example.com", key, HashAlgorithmName.SHA256);
        using var certificate = request.Create(between, from, until, [2]);
        File.WriteAllText(chainFile, certificate.ExportCertificatePem() + "\n" + between.ExportCertificatePem() + "\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        return between.GetCertHashString(HashAlgorithmName.SHA256);

        static CertificateRequest Authority(string name, ECDsa key) => new($"CN={name}", key, HashAlgorithmName.SHA256)
        {
            CertificateExtensions = { new X509BasicConstraintsExtension(true, false, 0, true) },
        };
    }

    /// <summary>Writes certificate and key as PEM; gives the certificate's SHA-256.</summary>
    public static string Write(string certificateFile, string keyFile, string host = "headscale.example.com")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
