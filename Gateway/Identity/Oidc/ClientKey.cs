using System.Security.Cryptography;
using Gateway.Settings;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Identity.Oidc;

/// <summary>The private key by which the client shows itself (<c>private_key_jwt</c>).</summary>
internal sealed class ClientKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private ClientKey(AsymmetricAlgorithm key, SecurityKey securityKey, string algorithm) =>
        (_key, SecurityKey, Algorithm) = (key, securityKey, algorithm);

    public SecurityKey SecurityKey { get; }

    /// <summary>RS256, or that of the curve.</summary>
    public string Algorithm { get; }

    /// <summary>Reads a PEM. The settings have seen that it can be read.</summary>
    public static ClientKey Read(Secret pem)
    {
        if (PrivateKeyFile.ReadRsa(pem) is { } rsa)
        {
            return new(rsa, new RsaSecurityKey(rsa), SecurityAlgorithms.RsaSha256);
        }

        var curve = PrivateKeyFile.ReadEcdsa(pem)!;
        return new(curve, new ECDsaSecurityKey(curve), curve.KeySize switch
        {
            384 => SecurityAlgorithms.EcdsaSha384,
            521 => SecurityAlgorithms.EcdsaSha512,
            _ => SecurityAlgorithms.EcdsaSha256,
        });
    }

    public void Dispose() => _key.Dispose();
}
