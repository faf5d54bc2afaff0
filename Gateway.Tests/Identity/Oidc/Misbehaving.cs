using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>What a provider can do wrong, in one word each.</summary>
internal static class Misbehaving
{
    private static readonly RSA _otherKey = RSA.Create(2048);

    public static string OtherKeyPem => _otherKey.ExportSubjectPublicKeyInfoPem();

    public static Action<ProviderStandIn> Header(string name, JsonNode? value) =>
        provider => provider.Misbehaviour.Header += header => Set(header, name, value);

    public static Action<ProviderStandIn> Claim(string name, JsonNode? value) =>
        provider => provider.Misbehaviour.Payload += payload => Set(payload, name, value);

    public static Action<ProviderStandIn> Payload(Action<JsonObject> change) => provider => provider.Misbehaviour.Payload += change;

    public static Action<ProviderStandIn> Time(string name, int seconds) => provider =>
        provider.Misbehaviour.Payload += payload => payload[name] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds;

    public static Action<ProviderStandIn> Key(string name, JsonNode? value) => provider =>
    {
        provider.Misbehaviour.Keys = keys => Set(keys["keys"]![0]!.AsObject(), name, value);
        provider.RotateKey();
    };

    public static Action<ProviderStandIn> Keys(JsonNode value) => provider =>
    {
        provider.Misbehaviour.Keys = keys => Set(keys, "keys", value);
        provider.RotateKey();
    };

    public static Action<ProviderStandIn> Token(Func<string, string> change) => provider => provider.Misbehaviour.Token = change;

    public static Action<ProviderStandIn> Signature(Func<byte[], byte[]> sign) => provider => provider.Misbehaviour.Signature = sign;

    public static Action<ProviderStandIn> Hmac(byte[] key) => Signature(bytes => HMACSHA256.HashData(key, bytes));

    public static Action<ProviderStandIn> TokenAnswer(string name, JsonNode? value) =>
        provider => provider.Misbehaviour.TokenAnswer = answer => Set(answer, name, value);

    public static Action<ProviderStandIn> UserInfo(string name, JsonNode? value) =>
        provider => provider.Misbehaviour.UserInfo = claims => Set(claims, name, value);

    public static Action<ProviderStandIn> Back(string name, string? value) => provider => provider.Misbehaviour.Redirect = back =>
    {
        if (value is null)
        {
            back.Remove(name);
        }
        else
        {
            back[name] = value;
        }
    };

    public static Action<ProviderStandIn> Answer(string path, int status, string type, string body) => At(path, context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(body);
    });

    public static Action<ProviderStandIn> Refusal(int status, string error, string description) =>
        Answer(
            "/token", status, "application/json", new JsonObject { ["error"] = error, ["error_description"] = description }.ToJsonString());

    /// <summary>User info as a token, made wrong.</summary>
    public static Action<ProviderStandIn> SignedUserInfo(
        Action<JsonObject>? header, Action<JsonObject>? claims, Func<string, string>? change = null) => provider =>
    {
        provider.SignsUserInfo = true;
        provider.Misbehaviour.UserInfoHeader = header;
        provider.Misbehaviour.UserInfo = claims;
        provider.Misbehaviour.UserInfoToken = change;
    };

    /// <summary>A token with another member before the others of one of its parts.</summary>
    public static string Twice(string token, int part, string member)
    {
        var parts = token.Split('.');
        var json = System.Buffers.Text.Base64Url.DecodeFromChars(parts[part]);
        parts[part] = System.Buffers.Text.Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes($"{{{member},{Encoding.UTF8.GetString(json)[1..]}"));
        return string.Join('.', parts);
    }

    public static Action<ProviderStandIn> Redirecting(string path) => At(path, context =>
    {
        context.Response.Redirect("http://127.0.0.1:9/");
        return Task.CompletedTask;
    });

    public static Action<ProviderStandIn> Half(string path) => At(path, async context =>
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = 1000;
        await context.Response.WriteAsync("{\"id_token\":");
        context.Abort();
    });

    public static Action<ProviderStandIn> Silent(string path) => At(path, async context =>
    {
        var gone = new TaskCompletionSource();
        await using var _ = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    });

    public static Action<ProviderStandIn> At(string path, Func<HttpContext, Task> answer) =>
        provider => provider.Misbehaviour.Answer = async context =>
    {
        if (context.Request.Path != path)
        {
            return false;
        }

        await answer(context);
        return true;
    };

    private static void Set(JsonObject json, string name, JsonNode? value)
    {
        if (value is null)
        {
            json.Remove(name);
        }
        else
        {
            json[name] = value.DeepClone();
        }
    }

    public static string WithoutSignature(string token) => token[..(token.LastIndexOf('.') + 1)];

    public static string WithSubjectRoot(string token)
    {
        var parts = token.Split('.');
        var payload = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
        payload["sub"] = "root";
        return $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload.ToJsonString()))}.{parts[2]}";
    }

    /// <summary>The provider's key, with a certificate beside it that is of another one (RFC 7517 4.7 forbids it).</summary>
    public static void CertificateOfOtherKey(ProviderStandIn provider)
    {
        using var certificate = new CertificateRequest("CN=other", _otherKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        var text = Convert.ToBase64String(certificate.RawData);
        provider.Misbehaviour.Keys = keys => keys["keys"]![0]!["x5c"] = new JsonArray(text);
        provider.RotateKey();
    }

    public static byte[] SignWithOtherKey(byte[] bytes) => _otherKey.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public static JsonObject OtherJwk()
    {
        var parameters = _otherKey.ExportParameters(false);
        return new()
        {
            ["kty"] = "RSA",
            ["kid"] = "key-1",
            ["n"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus),
            ["e"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent),
        };
    }
}
