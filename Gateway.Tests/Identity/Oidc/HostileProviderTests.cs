using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Identity.Oidc;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A provider, or somebody in its place, that does everything wrong: nobody gets a session, and the log knows why.</summary>
public sealed class HostileProviderTests
{
    private static readonly RSA _otherKey = RSA.Create(2048);

    private static readonly Dictionary<string, (SignInFailure Expected, Action<ProviderStandIn> Misbehave)> _variants = new()
    {
        ["alg none"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "none") + Token(WithoutSignature)),
        ["alg nOnE"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "nOnE") + Token(WithoutSignature)),
        ["alg missing"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", null)),
        ["alg as a number"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", 256)),
        ["signature cut off"] = (SignInFailure.SignatureInvalid, Token(WithoutSignature)),
        ["signature of zeros"] = (SignInFailure.SignatureInvalid, Signature(_ => new byte[256])),
        ["HS256 with the client secret"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "HS256") + Hmac(Encoding.UTF8.GetBytes(ProviderStandIn.ClientSecret))),
        ["HS256 with the public key"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "HS256") + Hmac(Encoding.ASCII.GetBytes(_otherKey.ExportSubjectPublicKeyInfoPem()))),
        ["HS512 with nothing"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "HS512") + Hmac([])),
        ["EdDSA"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "EdDSA")),
        ["ES256 with an RSA key"] = (SignInFailure.KeyUnknown, Header("alg", "ES256")),
        ["RS512 with a key for RS256"] = (SignInFailure.KeyUnknown, Header("alg", "RS512")),
        ["PS256 with a key for RS256"] = (SignInFailure.KeyUnknown, Header("alg", "PS256")),
        ["an unknown kid"] = (SignInFailure.KeyUnknown, Header("kid", "unknown")),
        ["a key for encryption"] = (SignInFailure.KeyUnknown, Key("use", "enc")),
        ["no keys any more"] = (SignInFailure.KeyUnknown, Keys(new JsonArray())),
        ["keys that are garbage"] = (SignInFailure.KeyUnknown, Keys("garbage")),
        ["keys that are numbers"] = (SignInFailure.KeyUnknown, Keys(new JsonArray(1, null, "x"))),
        ["a key without a modulus"] = (SignInFailure.KeyTooWeak, Key("n", null)),
        ["a key of nonsense"] = (SignInFailure.KeyTooWeak, Key("n", "!!")),
        ["a weak key"] = (SignInFailure.KeyTooWeak, provider => provider.RotateKey(1024)),
        ["another key of the same id"] = (SignInFailure.SignatureInvalid, Signature(SignWithOtherKey)),
        ["a key in the header"] = (SignInFailure.SignatureInvalid, Header("jwk", OtherJwk()) + Signature(SignWithOtherKey)),
        ["a key address in the header"] = (SignInFailure.SignatureInvalid, Header("jku", "http://127.0.0.1:9/keys") + Signature(SignWithOtherKey)),
        ["a certificate address in the header"] = (SignInFailure.SignatureInvalid, Header("x5u", "http://127.0.0.1:9/cert") + Signature(SignWithOtherKey)),
        ["crit"] = (SignInFailure.TokenMalformed, Header("crit", new JsonArray("exp"))),
        ["crit of nothing"] = (SignInFailure.TokenMalformed, Header("crit", new JsonArray())),
        ["a logout token"] = (SignInFailure.TokenMalformed, Header("typ", "logout+jwt")),
        ["an access token"] = (SignInFailure.TokenMalformed, Header("typ", "at+jwt")),
        ["payload changed after signing"] = (SignInFailure.SignatureInvalid, Token(WithSubjectRoot)),
        ["garbage"] = (SignInFailure.TokenMalformed, Token(_ => "a.b.c")),
        ["no JWT"] = (SignInFailure.TokenMalformed, Token(_ => "hello")),
        ["a JWT of JSON texts"] = (SignInFailure.TokenMalformed, Token(_ => "Imhlb2xvIg.ImhlbGxvIg.AAAA")),
        ["huge"] = (SignInFailure.TokenMalformed, Token(_ => new string('a', 300_000) + ".b.c")),
        ["encrypted"] = (SignInFailure.TokenMalformed, Token(token => token + ".AAAA.AAAA")),
        ["iss of another"] = (SignInFailure.IssuerWrong, Claim("iss", "http://evil.example")),
        ["iss with a slash"] = (SignInFailure.IssuerWrong, Payload(payload => payload["iss"] = payload["iss"] + "/")),
        ["iss in capitals"] = (SignInFailure.IssuerWrong, Payload(payload => payload["iss"] = $"{payload["iss"]}".ToUpperInvariant())),
        ["no iss"] = (SignInFailure.IssuerWrong, Claim("iss", null)),
        ["aud of another"] = (SignInFailure.AudienceWrong, Claim("aud", "other")),
        ["no aud"] = (SignInFailure.AudienceWrong, Claim("aud", null)),
        ["aud in capitals"] = (SignInFailure.AudienceWrong, Claim("aud", ProviderStandIn.ClientId.ToUpperInvariant())),
        ["several aud, no azp"] = (SignInFailure.AudienceWrong, Claim("aud", new JsonArray(ProviderStandIn.ClientId, "other"))),
        ["several aud, azp of another"] = (SignInFailure.AudienceWrong, Claim("aud", new JsonArray(ProviderStandIn.ClientId, "other")) + Claim("azp", "other")),
        ["azp of another"] = (SignInFailure.AudienceWrong, Claim("azp", "other")),
        ["expired"] = (SignInFailure.TokenExpired, Time("exp", -120)),
        ["no exp"] = (SignInFailure.TokenExpired, Claim("exp", null)),
        ["exp before the epoch"] = (SignInFailure.TokenExpired, Claim("exp", -5)),
        ["exp as a text"] = (SignInFailure.TokenExpired, Claim("exp", "never")),
        ["iat in the future"] = (SignInFailure.TokenFromTheFuture, Time("iat", 7200)),
        ["no iat"] = (SignInFailure.TokenFromTheFuture, Claim("iat", null)),
        ["nbf in the future"] = (SignInFailure.TokenFromTheFuture, Time("nbf", 7200)),
        ["another nonce"] = (SignInFailure.NonceWrong, Claim("nonce", "another")),
        ["no nonce"] = (SignInFailure.NonceWrong, Claim("nonce", null)),
        ["another at_hash"] = (SignInFailure.AccessTokenHashWrong, Claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")),
        ["at_hash as a number"] = (SignInFailure.AccessTokenHashWrong, Claim("at_hash", 1)),
        ["no sub"] = (SignInFailure.UserInfoOfAnother, Claim("sub", null)),
        ["empty sub"] = (SignInFailure.UserInfoOfAnother, Claim("sub", "")),
        ["sub as a number"] = (SignInFailure.UserInfoOfAnother, Claim("sub", 7)),
        ["sub too long"] = (SignInFailure.SubjectMissing, Claim("sub", new string('s', 256))),
        ["sub with a line break"] = (SignInFailure.SubjectMissing, Claim("sub", "sub-\nsam")),
        ["no id_token"] = (SignInFailure.TokenMissing, TokenAnswer("id_token", null)),
        ["id_token as a number"] = (SignInFailure.TokenMissing, TokenAnswer("id_token", 1)),
        ["no access token for at_hash"] = (SignInFailure.AccessTokenHashWrong, TokenAnswer("access_token", null)),
        ["token endpoint: a page"] = (SignInFailure.TokenMissing, Answer("/token", 200, "text/html", "<html>hello")),
        ["token endpoint: 500"] = (SignInFailure.TokenEndpointFailed, Answer("/token", 500, "text/plain", "oops")),
        ["token endpoint: elsewhere"] = (SignInFailure.TokenEndpointFailed, Redirecting("/token")),
        ["token endpoint: two megabytes"] = (SignInFailure.ProviderUnavailable, Answer("/token", 200, "application/json", "{\"id_token\":\"" + new string('a', 2 << 20) + "\"}")),
        ["token endpoint: half an answer"] = (SignInFailure.ProviderUnavailable, Half("/token")),
        ["token endpoint: no answer in time"] = (SignInFailure.ProviderUnavailable, Silent("/token")),
        ["token endpoint: client rejected"] = (SignInFailure.ClientRejected, Answer("/token", 401, "application/json", "{\"error\":\"invalid_client\"}")),
        ["user info of another"] = (SignInFailure.UserInfoOfAnother, UserInfo("sub", "sub-alice")),
        ["user info of nobody"] = (SignInFailure.UserInfoOfAnother, UserInfo("sub", null)),
        ["user info: a list"] = (SignInFailure.UserInfoOfAnother, Answer("/userinfo", 200, "application/json", "[]")),
        ["user info: 500"] = (SignInFailure.UserInfoFailed, Answer("/userinfo", 500, "application/json", "{}")),
        ["user info: a page"] = (SignInFailure.UserInfoFailed, Answer("/userinfo", 200, "text/html", "<html>")),
        ["user info: garbage"] = (SignInFailure.UserInfoFailed, Answer("/userinfo", 200, "application/json", "{\"sub\":")),
        ["user info: elsewhere"] = (SignInFailure.UserInfoFailed, Redirecting("/userinfo")),
        ["answer names another iss"] = (SignInFailure.IssuerMixedUp, Back("iss", "http://evil.example")),
        ["answer names no iss"] = (SignInFailure.IssuerMixedUp, Back("iss", null)),
        ["answer with an error"] = (SignInFailure.ProviderRefused, Back("error", "access_denied")),
        ["answer with an error of markup"] = (SignInFailure.ProviderRefused, Back("error", "<script>alert(1)</script>")),
        ["answer without a code"] = (SignInFailure.CodeMissing, Back("code", null)),
        ["answer with another code"] = (SignInFailure.TokenEndpointFailed, Back("code", "another")),
        ["answer with another state"] = (SignInFailure.StateInvalid, Back("state", "another")),
        ["answer without a state"] = (SignInFailure.StateInvalid, Back("state", null)),
    };

    public static TheoryData<string> Variants => [.. _variants.Keys];

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task NobodyGetsASessionAndTheLogSaysWhy(string variant)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await Until.TrueAsync(() => gateway.Log.Has("is available"), "the provider is known");
        _variants[variant].Misbehave(provider);

        var page = await browser.SignInAsync(provider, "sam");

        var expected = _variants[variant].Expected;
        Assert.True(gateway.Log.Has($" was refused: {expected}: "), string.Join('\n', gateway.Log.All));
        Assert.Equal(Gateway.Admin.SignInTexts.Of(expected).Status, page.Status);
        Assert.Contains($"Reference: <code>{page.Response.Headers.GetValues("X-Request-Id").Single()}</code>", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("__Host-headtower", browser.Cookies.Keys);
        Assert.Equal(302, (await browser.GetAsync("/admin/")).Status);
        Assert.Empty(gateway.People.Snapshot.Everyone);
    }

    [Fact]
    public void ThereAreMoreThanFiftyVariantsAndEveryFailureHasItsWords()
    {
        Assert.True(_variants.Count >= 50);
        var texts = Enum.GetValues<SignInFailure>().Select(Gateway.Admin.SignInTexts.Of).ToArray();
        Assert.All(texts, one => Assert.True(one.Status >= 400 && one.Text.Length > 0 && one.Advice.Length > 0));
        Assert.Equal(texts.Length, texts.Select(one => one.Text).Distinct().Count());
    }

    [Fact]
    public async Task AClockThatIsALittleOffIsForgiven()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        provider.Misbehaviour.Payload = payload =>
        {
            payload["iat"] = payload["iat"]!.GetValue<long>() + 30;
            payload["exp"] = payload["exp"]!.GetValue<long>() - 330;
        };

        Assert.Equal("/admin/", (await browser.SignInAsync(provider, "sam")).Location);
    }

    private static Action<ProviderStandIn> Header(string name, JsonNode? value) => provider => provider.Misbehaviour.Header += header => Set(header, name, value);

    private static Action<ProviderStandIn> Claim(string name, JsonNode? value) => provider => provider.Misbehaviour.Payload += payload => Set(payload, name, value);

    private static Action<ProviderStandIn> Payload(Action<JsonObject> change) => provider => provider.Misbehaviour.Payload += change;

    private static Action<ProviderStandIn> Time(string name, int seconds) => provider =>
        provider.Misbehaviour.Payload += payload => payload[name] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds;

    private static Action<ProviderStandIn> Key(string name, JsonNode? value) => provider =>
    {
        provider.Misbehaviour.Keys = keys => Set(keys["keys"]![0]!.AsObject(), name, value);
        provider.RotateKey();
    };

    private static Action<ProviderStandIn> Keys(JsonNode value) => provider =>
    {
        provider.Misbehaviour.Keys = keys => Set(keys, "keys", value);
        provider.RotateKey();
    };

    private static Action<ProviderStandIn> Token(Func<string, string> change) => provider => provider.Misbehaviour.Token = change;

    private static Action<ProviderStandIn> Signature(Func<byte[], byte[]> sign) => provider => provider.Misbehaviour.Signature = sign;

    private static Action<ProviderStandIn> Hmac(byte[] key) => Signature(bytes => HMACSHA256.HashData(key, bytes));

    private static Action<ProviderStandIn> TokenAnswer(string name, JsonNode? value) => provider => provider.Misbehaviour.TokenAnswer = answer => Set(answer, name, value);

    private static Action<ProviderStandIn> UserInfo(string name, JsonNode? value) => provider => provider.Misbehaviour.UserInfo = claims => Set(claims, name, value);

    private static Action<ProviderStandIn> Back(string name, string? value) => provider => provider.Misbehaviour.Redirect = back =>
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

    private static Action<ProviderStandIn> Answer(string path, int status, string type, string body) => At(path, context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(body);
    });

    private static Action<ProviderStandIn> Redirecting(string path) => At(path, context =>
    {
        context.Response.Redirect("http://127.0.0.1:9/");
        return Task.CompletedTask;
    });

    private static Action<ProviderStandIn> Half(string path) => At(path, async context =>
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = 1000;
        await context.Response.WriteAsync("{\"id_token\":");
        context.Abort();
    });

    private static Action<ProviderStandIn> Silent(string path) => At(path, async context =>
    {
        var gone = new TaskCompletionSource();
        await using var _ = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    });

    private static Action<ProviderStandIn> At(string path, Func<HttpContext, Task> answer) => provider => provider.Misbehaviour.Answer = async context =>
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

    private static string WithoutSignature(string token) => token[..(token.LastIndexOf('.') + 1)];

    private static string WithSubjectRoot(string token)
    {
        var parts = token.Split('.');
        var payload = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
        payload["sub"] = "root";
        return $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload.ToJsonString()))}.{parts[2]}";
    }

    private static byte[] SignWithOtherKey(byte[] bytes) => _otherKey.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    private static JsonObject OtherJwk()
    {
        var parameters = _otherKey.ExportParameters(false);
        return new() { ["kty"] = "RSA", ["kid"] = "key-1", ["n"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus), ["e"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent) };
    }
}
