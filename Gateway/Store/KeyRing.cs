using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using System.Xml.Linq;
using Gateway.Documents;
using Gateway.Settings;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Gateway.Store;

/// <summary>One element of the framework's key ring.</summary>
internal sealed record ProtectionKey(string Name, string Xml);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProtectionKey))]
internal sealed partial class ProtectionKeyJson : JsonSerializerContext;

/// <summary>The framework's key ring among the documents, so that every process on the store reads what another one protected.</summary>
internal sealed class KeyRing : IXmlRepository, IDisposable
{
    public const string Kind = "protection-key";

    private readonly DocumentSet _documents;
    private readonly DocumentCollection<ProtectionKey> _keys;
    private CancellationTokenSource _changed = new();

    public KeyRing(DocumentSet documents)
    {
        (_documents, _keys) = (documents, documents.Add(NewCollection()));
        _keys.Changed += (_, _) =>
        {
            // Not disposed here: whoever got its token may still look at it.
            Interlocked.Exchange(ref _changed, new CancellationTokenSource()).Cancel();
        };
    }

    /// <summary>Ends when a key comes or goes, also by another replica.</summary>
    public CancellationToken Changed => Volatile.Read(ref _changed).Token;

    public static DocumentCollection<ProtectionKey> NewCollection() =>
        new(Kind, ProtectionKeyJson.Default.ProtectionKey, one => one.Name, _ => []);

    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. _keys.Snapshot.Values.OrderBy(one => one.Name, StringComparer.Ordinal).Select(one => XElement.Parse(one.Xml))];

    public void StoreElement(XElement element, string friendlyName)
    {
        var key = new ProtectionKey(friendlyName, element.ToString(SaveOptions.DisableFormatting));
#pragma warning disable RS0030 // The framework's repository is synchronous, and it makes a key once in some months.
        Task.Run(() => _documents.ChangeAsync(batch =>
        {
            batch.Put(_keys, key);
            return 0;
        })).GetAwaiter().GetResult();
#pragma warning restore RS0030
    }

    public void Dispose() => _changed.Dispose();
}

/// <summary>
/// The framework's own reads its keys anew after a day, and at once only in the first two minutes: two replicas that began
/// together, each with a key, would not take each other's cookies. This one reads them when they change.
/// </summary>
internal sealed class SharedKeyManager(XmlKeyManager inner, KeyRing ring) : IKeyManager
{
    public IKey CreateNewKey(DateTimeOffset activationDate, DateTimeOffset expirationDate) =>
        inner.CreateNewKey(activationDate, expirationDate);

    public IReadOnlyCollection<IKey> GetAllKeys() => inner.GetAllKeys();

    public CancellationToken GetCacheExpirationToken() =>
        CancellationTokenSource.CreateLinkedTokenSource(inner.GetCacheExpirationToken(), ring.Changed).Token;

    public void RevokeAllKeys(DateTimeOffset revocationDate, string? reason = null) => inner.RevokeAllKeys(revocationDate, reason);

    public void RevokeKey(Guid keyId, string? reason = null) => inner.RevokeKey(keyId, reason);
}

/// <summary>Encrypts the key ring at rest with <c>store.encryption_key</c>: AES-256-GCM, the key by HKDF-SHA256 (RFC 5869).</summary>
internal sealed class KeyRingEncryption(Secret secret) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var box = new byte[KeyRingBox.Nonce + KeyRingBox.Tag + plain.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, KeyRingBox.Nonce));
        using var cipher = KeyRingBox.CipherOf(secret);
        cipher.Encrypt(
            box.AsSpan(0, KeyRingBox.Nonce), plain, box.AsSpan(KeyRingBox.Nonce + KeyRingBox.Tag),
            box.AsSpan(KeyRingBox.Nonce, KeyRingBox.Tag));
        return new EncryptedXmlInfo(new XElement("encrypted", Convert.ToBase64String(box)), typeof(KeyRingDecryption));
    }
}

/// <summary>Opens what <see cref="KeyRingEncryption"/> closed. The framework makes it by its name, from the services.</summary>
internal sealed class KeyRingDecryption(IServiceProvider services) : IXmlDecryptor
{
    /// <exception cref="StoreException">The key is missing or another one.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        if (services.GetRequiredService<StoreSettings>().EncryptionKey is not { } secret)
        {
            throw new StoreException("the store's key ring is encrypted; set store.encryption_key");
        }

        var box = Convert.FromBase64String(encryptedElement.Value);
        var plain = new byte[box.Length - KeyRingBox.Nonce - KeyRingBox.Tag];
        try
        {
            using var cipher = KeyRingBox.CipherOf(secret);
            cipher.Decrypt(
                box.AsSpan(0, KeyRingBox.Nonce), box.AsSpan(KeyRingBox.Nonce + KeyRingBox.Tag),
                box.AsSpan(KeyRingBox.Nonce, KeyRingBox.Tag), plain);
        }
        catch (CryptographicException e)
        {
            throw new StoreException("store.encryption_key is not the key that the store's key ring was encrypted with", e);
        }

        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }
}

/// <summary>What both directions agree on.</summary>
internal static class KeyRingBox
{
    public const int Nonce = 12;

    public const int Tag = 16;

    public static AesGcm CipherOf(Secret secret) =>
        new(
            HKDF.DeriveKey(
                HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret.Reveal()), 32, info: "headtower key ring v1"u8.ToArray()),
            Tag);
}
