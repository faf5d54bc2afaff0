using System.Security.Cryptography;

namespace Gateway.Settings;

/// <summary>A private key in PEM, without a password.</summary>
internal static class PrivateKeyFile
{
    /// <summary>Why the text is no key that can be used; null when it is one.</summary>
    /// <param name="pem">The text.</param>
    /// <param name="leastRsaBits">How long an RSA key is at least, in bits; 0 for any.</param>
    public static string? Complaint(Secret pem, int leastRsaBits = 0)
    {
        using var key = (AsymmetricAlgorithm?)ReadRsa(pem) ?? ReadEcdsa(pem);
        return key is null ? "there is no private key in PEM in it, or it has a password"
            : key is RSA && key.KeySize < leastRsaBits ? $"its RSA key has {key.KeySize} bits, and needs {leastRsaBits}"
            : null;
    }

    /// <summary>Null when it is no RSA key.</summary>
    public static RSA? ReadRsa(Secret pem) =>
        Read(RSA.Create(), pem, key => key.SignData([], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    /// <summary>Null when it is no key of an elliptic curve.</summary>
    public static ECDsa? ReadEcdsa(Secret pem) => Read(ECDsa.Create(), pem, key => key.SignData([], HashAlgorithmName.SHA256));

    private static T? Read<T>(T key, Secret pem, Func<T, byte[]> sign)
        where T : AsymmetricAlgorithm
    {
        try
        {
            key.ImportFromPem(pem.Reveal());

            // A public key is read as well, and would fail when it is first asked to sign.
            _ = sign(key);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }
}
