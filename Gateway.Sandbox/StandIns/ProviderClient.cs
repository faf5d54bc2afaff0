using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>The client that a provider knows, and the ways in which it may show itself (OpenID Connect Core 9).</summary>
internal sealed class ProviderClient(string id, string secret)
{
    /// <summary>How it showed itself last.</summary>
    public string? LastWay { get; private set; }

    /// <summary>The only way that counts; null for any.</summary>
    public string? OnlyWay { get; set; }

    /// <summary>Its public key in PEM, when it has one.</summary>
    public string? PublicKey { get; set; }

    /// <summary>Whether it has neither secret nor key, and PKCE alone protects it.</summary>
    public bool IsPublic { get; set; }

    public bool IsShown(string authorization, IFormCollection form, string issuer)
    {
        LastWay = authorization.StartsWith("Basic ", StringComparison.Ordinal) ? "client_secret_basic"
            : form.ContainsKey("client_assertion") ? "private_key_jwt"
            : form.ContainsKey("client_secret") ? "client_secret_post"
            : "none";
        return (OnlyWay is null || OnlyWay == LastWay) && LastWay switch
        {
            "client_secret_basic" => PairOf(authorization) == (id, secret),
            "client_secret_post" => (form["client_id"], form["client_secret"]) == (id, secret),
            "private_key_jwt" => PublicKey is not null && IsAssertion(form["client_assertion"].ToString(), issuer),
            _ => IsPublic && form["client_id"] == id && (form.ContainsKey("code_verifier") || form.ContainsKey("code_challenge")),
        };
    }

    private static (string Id, string Secret) PairOf(string authorization)
    {
        var pair = Encoding.UTF8.GetString(Convert.FromBase64String(authorization[6..])).Split(':', 2);
        return (Uri.UnescapeDataString(pair[0]), Uri.UnescapeDataString(pair[1]));
    }

    /// <summary>RFC 7523 3, as far as a stand-in needs it: signed by the client's key, from and about the client, for us, of now.</summary>
    private bool IsAssertion(string token, string issuer)
    {
        var parts = token.Split('.');
        var claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return IsSigned(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]))
            && ($"{claims["iss"]}", $"{claims["sub"]}", $"{claims["aud"]}") == (id, id, issuer)
            && (long)claims["exp"]! > now && (long)claims["exp"]! <= now + 300 && claims["jti"] is not null;
    }

    private bool IsSigned(byte[] bytes, byte[] signature)
    {
        if (PublicKey!.Contains("RSA", StringComparison.Ordinal))
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(PublicKey);
            return rsa.VerifyData(bytes, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        using var curve = ECDsa.Create();
        curve.ImportFromPem(PublicKey);
        return curve.VerifyData(bytes, signature, HashAlgorithmName.SHA256);
    }
}
