using System.Security.Cryptography;

namespace Gateway.Settings;

/// <summary>A private key in PEM, without a password.</summary>
internal static class PrivateKeyFile
{
    /// <summary>Whether the text holds a key that can be read.</summary>
    public static bool IsReadable(Secret pem)
    {
        using var key = (AsymmetricAlgorithm?)ReadRsa(pem) ?? ReadEcdsa(pem);
        return key is not null;
    }

    /// <summary>Null when it is no RSA key.</summary>
    public static RSA? ReadRsa(Secret pem) => Read(RSA.Create(), pem);

    /// <summary>Null when it is no key of an elliptic curve.</summary>
    public static ECDsa? ReadEcdsa(Secret pem) => Read(ECDsa.Create(), pem);

    private static T? Read<T>(T key, Secret pem)
        where T : AsymmetricAlgorithm
    {
        try
        {
            key.ImportFromPem(pem.Reveal());
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }
}
