using System.Security.Cryptography;
using Gateway.Audit;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Store;

/// <summary>Signs the head of a chain with a key of the key ring, and checks such signatures.</summary>
/// <param name="protection">The key ring; null where there is none.</param>
internal sealed class ChainSigning(IDataProtectionProvider? protection)
{
    private const string Purpose = "audit head";

    /// <summary>The line that signs what is before it; null where nothing can be signed. The chain holds without it.</summary>
    public ChainLine? Close(AuditHead head, DateTimeOffset now)
    {
        if (protection is null || head.Number == 0)
        {
            return null;
        }

        try
        {
            var signature = protection.CreateProtector(Purpose).Protect($"{head.Number} {head.Hash}");
            return new() { Type = ChainLine.Close, At = now, Head = head.Hash, Signature = signature };
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether a signature is ours; null when the key ring does not have its key.</summary>
    public bool? IsSigned(long number, string head, string signature)
    {
        try
        {
            return protection?.CreateProtector(Purpose).Unprotect(signature) == $"{number} {head}";
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
