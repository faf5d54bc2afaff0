using System.Text;
using System.Text.Json.Nodes;
using Gateway.Identity.Oidc;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using static Gateway.Tests.Identity.Oidc.Misbehaving;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>A provider, or somebody in its place, that does everything wrong: nobody gets a session, and the log knows why.</summary>
public sealed class HostileProviderTests
{
    private static readonly Dictionary<string, (SignInFailure Expected, Action<ProviderStandIn> Misbehave)> _variants = new()
    {
        ["alg none"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "none") + Token(WithoutSignature)),
        ["alg none without at_hash"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "none") + Claim("at_hash", null)
            + Token(WithoutSignature)),
        ["signature cut off, without at_hash"] = (SignInFailure.SignatureInvalid, Claim("at_hash", null) + Token(WithoutSignature)),
        ["alg nOnE"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "nOnE") + Token(WithoutSignature)),
        ["alg missing"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", null)),
        ["alg as a number"] = (SignInFailure.TokenMalformed, Header("alg", 256)),
        ["signature cut off"] = (SignInFailure.SignatureInvalid, Token(WithoutSignature)),
        ["signature of zeros"] = (SignInFailure.SignatureInvalid, Signature(_ => new byte[256])),
        ["HS256 with the client secret"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "HS256")
            + Hmac(Encoding.UTF8.GetBytes(ProviderStandIn.ClientSecret))),
        ["HS256 with the public key"] = (SignInFailure.AlgorithmNotAllowed, Header("alg", "HS256")
            + Hmac(Encoding.ASCII.GetBytes(OtherKeyPem))),
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
        ["a certificate of another key beside the key"] = (SignInFailure.SignatureInvalid, CertificateOfOtherKey
            + Signature(SignWithOtherKey)),
        ["a key in the header"] = (SignInFailure.SignatureInvalid, Header("jwk", OtherJwk()) + Signature(SignWithOtherKey)),
        ["a key address in the header"] = (SignInFailure.SignatureInvalid, Header("jku", "http://127.0.0.1:9/keys")
            + Signature(SignWithOtherKey)),
        ["a certificate address in the header"] = (SignInFailure.SignatureInvalid, Header("x5u", "http://127.0.0.1:9/cert")
            + Signature(SignWithOtherKey)),
        ["crit"] = (SignInFailure.TokenMalformed, Header("crit", new JsonArray("exp"))),
        ["crit of nothing"] = (SignInFailure.TokenMalformed, Header("crit", new JsonArray())),
        ["crit of something"] = (SignInFailure.TokenMalformed, Header("crit", new JsonArray("x")) + Header("x", 1)),
        ["a header twice"] = (SignInFailure.TokenMalformed, Token(token => Twice(token, 0, "\"alg\":\"RS256\""))),
        ["a claim twice"] = (SignInFailure.TokenMalformed, Token(token => Twice(token, 1, "\"sub\":\"root\""))),
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
        ["aud with a slash"] = (SignInFailure.AudienceWrong, Claim("aud", ProviderStandIn.ClientId + "/")),
        ["aud in capitals"] = (SignInFailure.AudienceWrong, Claim("aud", ProviderStandIn.ClientId.ToUpperInvariant())),
        ["several aud, azp of nobody"] = (SignInFailure.AudienceWrong, Claim("aud", new JsonArray(ProviderStandIn.ClientId, "other"))
            + Payload(payload => payload["azp"] = null)),
        ["several aud, no azp"] = (SignInFailure.AudienceWrong, Claim("aud", new JsonArray(ProviderStandIn.ClientId, "other"))),
        ["several aud, azp of another"] = (SignInFailure.AudienceWrong, Claim("aud", new JsonArray(ProviderStandIn.ClientId, "other"))
            + Claim("azp", "other")),
        ["azp of another"] = (SignInFailure.AudienceWrong, Claim("azp", "other")),
        ["expired"] = (SignInFailure.TokenExpired, Time("exp", -120)),
        ["no exp"] = (SignInFailure.TokenTimeMissing, Claim("exp", null)),
        ["exp before the epoch"] = (SignInFailure.TokenExpired, Claim("exp", -5)),
        ["exp as a text"] = (SignInFailure.TokenMalformed, Claim("exp", "never")),
        ["iat in the future"] = (SignInFailure.TokenFromTheFuture, Time("iat", 7200)),
        ["no iat"] = (SignInFailure.TokenTimeMissing, Claim("iat", null)),
        ["nbf in the future"] = (SignInFailure.TokenFromTheFuture, Time("nbf", 7200)),
        ["another nonce"] = (SignInFailure.NonceWrong, Claim("nonce", "another")),
        ["no nonce"] = (SignInFailure.NonceWrong, Claim("nonce", null)),
        ["another at_hash"] = (SignInFailure.AccessTokenHashWrong, Claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")),
        ["at_hash as a number"] = (SignInFailure.AccessTokenHashWrong, Claim("at_hash", 1)),
        ["no sub"] = (SignInFailure.SubjectMissing, Claim("sub", null)),
        ["empty sub"] = (SignInFailure.SubjectMissing, Claim("sub", "")),
        ["sub as a number"] = (SignInFailure.SubjectUnusable, Claim("sub", 7)),
        ["sub as null"] = (SignInFailure.SubjectMissing, Payload(payload => payload["sub"] = null)),
        ["sub as a list"] = (SignInFailure.TokenMalformed, Claim("sub", new JsonArray("sub-sam"))),
        ["sub with a blank at its end"] = (SignInFailure.SubjectUnusable, Claim("sub", "sub-sam ")),
        ["sub with a blank of another kind at its end"] = (SignInFailure.SubjectUnusable, Claim("sub", "sub-sam\u00a0")),
        ["sub with a letter that nobody sees"] = (SignInFailure.SubjectUnusable, Claim("sub", "sub-sam\u3164")),
        ["sub that turns the direction around"] = (SignInFailure.SubjectUnusable, Claim("sub", "sub-\u202emas")),
        ["sub too long"] = (SignInFailure.SubjectUnusable, Claim("sub", new string('s', 256))),
        ["sub with a line break"] = (SignInFailure.SubjectUnusable, Claim("sub", "sub-\nsam")),
        ["no id_token"] = (SignInFailure.TokenMissing, TokenAnswer("id_token", null)),
        ["id_token as a number"] = (SignInFailure.TokenMissing, TokenAnswer("id_token", 1)),
        ["no access token"] = (SignInFailure.TokenMissing, TokenAnswer("access_token", null)),
        ["token endpoint: a page"] = (SignInFailure.TokenMissing, Answer("/token", 200, "text/html", "<html>hello")),
        ["token endpoint: 500"] = (SignInFailure.ProviderFailing, Answer("/token", 500, "text/plain", "oops")),
        ["token endpoint: 503"] = (SignInFailure.ProviderFailing, Answer("/token", 503, "text/html", "<html>")),
        ["token endpoint: too many requests"] = (SignInFailure.ProviderFailing, Answer("/token", 429, "application/json", "{}")),
        ["token endpoint: 400 without words"] = (SignInFailure.TokenEndpointFailed, Answer("/token", 400, "text/html", "<html>")),
        ["token endpoint: elsewhere"] = (SignInFailure.TokenEndpointFailed, Redirecting("/token")),
        ["token endpoint: two megabytes"] = (SignInFailure.ProviderUnavailable,
            Answer("/token", 200, "application/json", "{\"id_token\":\"" + new string('a', 2 << 20) + "\"}")),
        ["token endpoint: half an answer"] = (SignInFailure.ProviderUnavailable, Half("/token")),
        ["token endpoint: no answer in time"] = (SignInFailure.ProviderUnavailable, Silent("/token")),
        ["token endpoint: client rejected"] = (SignInFailure.ClientRejected,
            Answer("/token", 401, "application/json", "{\"error\":\"invalid_client\"}")),
        ["user info of another"] = (SignInFailure.UserInfoOfAnother, UserInfo("sub", "sub-alice")),
        ["user info of nobody"] = (SignInFailure.UserInfoOfAnother, UserInfo("sub", null)),
        ["user info: a list"] = (SignInFailure.UserInfoOfAnother, Answer("/userinfo", 200, "application/json", "[]")),
        ["user info: 500"] = (SignInFailure.ProviderFailing, Answer("/userinfo", 500, "application/json", "{}")),
        ["user info: refused"] = (SignInFailure.UserInfoFailed, Answer("/userinfo", 403, "application/json", "{}")),
        ["user info: a member twice"] = (SignInFailure.UserInfoFailed,
            Answer("/userinfo", 200, "application/json", "{\"sub\":\"sub-sam\",\"sub\":\"sub-sam\"}")),
        ["user info: a token without signature"] = (SignInFailure.UserInfoFailed,
            SignedUserInfo(header => header["alg"] = "none", null, WithoutSignature)),
        ["user info: a token with its signature cut off"] = (SignInFailure.UserInfoFailed, SignedUserInfo(null, null, WithoutSignature)),
        ["user info: a token of another issuer"] = (SignInFailure.UserInfoFailed,
            SignedUserInfo(null, claims => claims["iss"] = "http://evil.example")),
        ["user info: a token of no issuer"] = (SignInFailure.UserInfoFailed, SignedUserInfo(null, claims => claims.Remove("iss"))),
        ["user info: a token for another"] = (SignInFailure.UserInfoFailed, SignedUserInfo(null, claims => claims["aud"] = "other")),
        ["user info: a token for nobody"] = (SignInFailure.UserInfoFailed, SignedUserInfo(null, claims => claims.Remove("aud"))),
        ["user info: a token that expired"] = (SignInFailure.UserInfoFailed, SignedUserInfo(null, claims => claims["exp"] = 1)),
        ["user info: a token about another"] = (SignInFailure.UserInfoOfAnother,
            SignedUserInfo(null, claims => claims["sub"] = "sub-alice")),
        ["user info: an access token"] = (SignInFailure.UserInfoFailed, SignedUserInfo(header => header["typ"] = "at+jwt", null)),
        ["user info: a page"] = (SignInFailure.UserInfoFailed, Answer("/userinfo", 200, "text/html", "<html>")),
        ["user info: garbage"] = (SignInFailure.UserInfoFailed, Answer("/userinfo", 200, "application/json", "{\"sub\":")),
        ["user info: elsewhere"] = (SignInFailure.UserInfoFailed, Redirecting("/userinfo")),
        ["answer names another iss"] = (SignInFailure.IssuerMixedUp, Back("iss", "http://evil.example")),
        ["answer names no iss"] = (SignInFailure.IssuerMixedUp, Back("iss", null)),
        ["answer with a token"] = (SignInFailure.ParameterUnexpected, Back("id_token", "a.b.c")),
        ["answer with an access token in capitals"] = (SignInFailure.ParameterUnexpected, Back("ACCESS_TOKEN", "x")),
        ["answer with an error in capitals"] = (SignInFailure.ParameterUnexpected, Back("Error", "access_denied")),
        ["answer with an error"] = (SignInFailure.ProviderRefused, Back("error", "access_denied")),
        ["answer with an error of markup"] = (SignInFailure.ProviderRefused, Back("error", "<script>alert(1)</script>")),
        ["answer without a code"] = (SignInFailure.CodeMissing, Back("code", null)),
        ["answer with another code"] = (SignInFailure.CodeRejected, Back("code", "another")),
        ["answer with another state"] = (SignInFailure.StateInvalid, Back("state", "another")),
        ["answer without a state"] = (SignInFailure.StateInvalid, Back("state", null)),
        ["the provider demands PKCE"] = (SignInFailure.VerifierRejected, Refusal(400, "invalid_grant", "PKCE verification failed")),
        ["the provider knows another redirect address"] = (SignInFailure.RedirectRejected,
            Refusal(400, "invalid_grant", "Incorrect redirect_uri")),
        ["the provider says that the code is gone"] = (SignInFailure.CodeRejected, Refusal(400, "invalid_grant", "Code not valid")),
        ["the provider does not know the scope"] = (SignInFailure.ScopeRejected, Back("error", "invalid_scope")),
        ["the provider has a fault"] = (SignInFailure.ProviderFailing, Back("error", "server_error")),
        ["the provider does not know the client"] = (SignInFailure.ClientRejected, Back("error", "unauthorized_client")),
        ["the provider does not understand the request"] = (SignInFailure.RequestRejected, Back("error", "invalid_request")),
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
        gateway.Log.Has($" was refused: {expected}: ").Should().BeTrue(string.Join('\n', gateway.Log.All));
        page.Status.Should().Be(Gateway.Web.SignIn.SignInTexts.Of(expected, "").Status);
        page.Text.Should().Contain($"Reference: <code>{page.Response.Headers.GetValues("X-Request-Id").Single()}</code>");
        page.Text.Should().NotContain("<script>");
        browser.Cookies.Keys.Should().NotContain("__Host-headtower");
        (await browser.GetAsync("/admin/")).Status.Should().Be(302);
        gateway.People.Snapshot.Everyone.Should().BeEmpty();
    }

    [Fact]
    public void ThereAreMoreThanFiftyVariantsAndEveryFailureHasItsWords()
    {
        (_variants.Count >= 50).Should().BeTrue();
        var texts = Enum.GetValues<SignInFailure>().Select(one => Gateway.Web.SignIn.SignInTexts.Of(one, "")).ToArray();
        texts.Should().AllSatisfy(one => (one.Status >= 400 && one.Text.Length > 0 && one.Advice.Length > 0).Should().BeTrue());
        texts.Select(one => one.Text).Distinct().Count().Should().Be(texts.Length);
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

        (await browser.SignInAsync(provider, "sam")).Location.Should().Be("/admin/");
    }
}
