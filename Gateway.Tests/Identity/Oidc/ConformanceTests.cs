using System.Text;
using System.Text.Json.Nodes;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Deploy;
using Gateway.Tests.Support;
using static Gateway.Tests.Identity.Oidc.Misbehaving;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>
/// The OpenID Foundation's conformance tests for relying parties, by their names and with their verdicts, against a provider
/// of our own. The suite itself is a program of its own and is not run here. <c>docs/conformance.md</c> is made of this table.
/// </summary>
public sealed class ConformanceTests
{
    private const string Basic = "oidcc-client-basic-certification-test-plan";
    private const string Config = "oidcc-client-config-certification-test-plan";
    private const string Logout = "oidcc-client-back-channel-logout-rp-basic";
    private const string Fapi = "fapi2-security-profile-final-client-test-plan";
    private const string Core = "oidcc-client-test";
    private const string BackChannel = "oidcc-client-test-rp-backchannel-rpinitlogout";
    private const string Fapi2 = "fapi2-security-profile-final-client-test";

    private static readonly Row[] _rows =
    [
        new(Basic, Core, Verdict.SignsIn, "a person signs in", Nothing),
        new(Basic, Core + "-invalid-iss", Verdict.Refuses, "the token's issuer is another", Claim("iss", "https://other.example")),
        new(Basic, Core + "-missing-sub", Verdict.Refuses, "the token names nobody", Claim("sub", null)),
        new(Basic, Core + "-invalid-aud", Verdict.Refuses, "the token is for another", Claim("aud", "other")),
        new(Basic, Core + "-missing-iat", Verdict.Refuses, "the token does not say when it was made", Claim("iat", null)),
        new(Basic, Core + "-kid-absent-single-jwks", Verdict.SignsIn, "no key id, and there is one key", Header("kid", null)),
        new(
            Basic, Core + "-kid-absent-multiple-jwks", Verdict.SignsIn, "no key id, and there are several keys (either verdict passes)",
            Header("kid", null) + OtherKeyBeside),
        new(Basic, Core + "-idtoken-sig-rs256", Verdict.SignsIn, "signed with RS256", Nothing),
        new(
            Basic, Core + "-idtoken-sig-none", Verdict.Refuses, "not signed; only clients that take such tokens must let them in",
            Header("alg", "none") + Token(WithoutSignature)),
        new(Basic, Core + "-invalid-sig-rs256", Verdict.Refuses, "the signature is wrong", Signature(_ => new byte[256])),
        new(Basic, Core + "-userinfo-invalid-sub", Verdict.Refuses, "user info is about another", UserInfo("sub", "sub-alice")),
        new(Basic, Core + "-nonce-invalid", Verdict.Refuses, "the nonce is another", Claim("nonce", "another")),
        new(Basic, Core + "-scope-userinfo-claims", Verdict.SignsIn, "the claims of the scopes are in user info", Nothing),
        new(
            Basic, Core + "-client-secret-basic", Verdict.SignsIn, "the client shows itself by Basic",
            provider => provider.Client.OnlyWay = "client_secret_basic"),

        new(Config, Core + "-discovery-openid-config", Verdict.SignsIn, "endpoints come from the discovery document", Nothing),
        new(Config, Core + "-discovery-jwks-uri-keys", Verdict.SignsIn, "keys come from jwks_uri", Nothing),
        new(
            Config, Core + "-discovery-issuer-mismatch", Verdict.Refuses, "the discovery document is of another issuer",
            OtherIssuer) { IsBeforeDiscovery = true },
        new(Config, Core + "-idtoken-sig-none", Verdict.Refuses, "not signed", Header("alg", "none") + Token(WithoutSignature)),
        new(
            Config, Core + "-signing-key-rotation-just-before-signing", Verdict.SignsIn, "the key is new since the keys were fetched",
            provider => provider.RotateKey()),
        new(
            Config, Core + "-signing-key-rotation", Verdict.SignsIn, "a sign-in, a new key, a sign-in",
            Nothing) { Then = provider => provider.RotateKey() },

        new(Logout, BackChannel, Verdict.SignsOut, "a good logout token", Nothing),
        new(Logout, BackChannel + "-alg-none", Verdict.StaysSignedIn, "not signed", Header("alg", "none") + Token(WithoutSignature)),
        new(Logout, BackChannel + "-no-event", Verdict.StaysSignedIn, "no event", Claim("events", null)),
        new(Logout, BackChannel + "-with-nonce", Verdict.StaysSignedIn, "with a nonce, as ID tokens have", Claim("nonce", "n")),
        new(
            Logout, BackChannel + "-wrong-alg", Verdict.StaysSignedIn, "signed with HS256",
            Header("alg", "HS256") + Hmac(Encoding.UTF8.GetBytes(ProviderStandIn.ClientSecret))),
        new(Logout, BackChannel + "-wrong-aud", Verdict.StaysSignedIn, "for another", Claim("aud", "other")),
        new(
            Logout, BackChannel + "-wrong-event", Verdict.StaysSignedIn, "another event",
            Claim("events", new JsonObject { ["other"] = new JsonObject() })),
        new(Logout, BackChannel + "-wrong-iss", Verdict.StaysSignedIn, "from another", Claim("iss", "https://other.example")),

        new(
            Fapi, Fapi2 + "-happy-path", Verdict.NotApplicable,
            "it needs DPoP or mutual TLS; PAR, PKCE and private_key_jwt are tested elsewhere", Nothing),
        new(Fapi, Fapi2 + "-happy-path-no-dpop-nonce", Verdict.NotApplicable, "it needs DPoP", Nothing),
        new(
            Fapi, Fapi2 + "-discovery-issuer-mismatch", Verdict.Refuses, "the discovery document is of another issuer",
            OtherIssuer) { IsBeforeDiscovery = true },
        new(
            Fapi, Fapi2 + "-invalid-authorization-response-iss", Verdict.Refuses, "the answer is of another issuer (RFC 9207)",
            Back("iss", "https://other.example")),
        new(
            Fapi, Fapi2 + "-remove-authorization-response-iss", Verdict.Refuses,
            "the answer names no issuer, although the provider announces it", Back("iss", null)),
        new(
            Fapi, Fapi2 + "-ensure-authorization-response-with-invalid-state-fails", Verdict.Refuses, "the state is another",
            Back("state", "another")),
        new(
            Fapi, Fapi2 + "-ensure-authorization-response-with-invalid-missing-state-fails", Verdict.Refuses, "there is no state",
            Back("state", null)),
        new(Fapi, Fapi2 + "-invalid-aud", Verdict.Refuses, "the token is for another", Claim("aud", "other")),
        new(
            Fapi, Fapi2 + "-invalid-secondary-aud", Verdict.NotApplicable,
            "a second audience is taken where azp names us: Zitadel sends its project in every token; without azp it is refused", Nothing),
        new(Fapi, Fapi2 + "-invalid-iss", Verdict.Refuses, "the token is of another issuer", Claim("iss", "https://other.example")),
        new(Fapi, Fapi2 + "-invalid-nonce", Verdict.Refuses, "the nonce is another", Claim("nonce", "another")),
        new(Fapi, Fapi2 + "-invalid-expired-exp", Verdict.Refuses, "the token has expired", Time("exp", -400)),
        new(
            Fapi, Fapi2 + "-invalid-alternate-alg", Verdict.Refuses, "signed with another algorithm than the key is for",
            Header("alg", "RS512")),
        new(Fapi, Fapi2 + "-invalid-null-alg", Verdict.Refuses, "not signed", Header("alg", "none") + Token(WithoutSignature)),
        new(Fapi, Fapi2 + "-invalid-missing-aud", Verdict.Refuses, "the token says no audience", Claim("aud", null)),
        new(Fapi, Fapi2 + "-invalid-missing-iss", Verdict.Refuses, "the token says no issuer", Claim("iss", null)),
        new(Fapi, Fapi2 + "-invalid-missing-nonce", Verdict.Refuses, "the token says no nonce", Claim("nonce", null)),
        new(Fapi, Fapi2 + "-invalid-missing-exp", Verdict.Refuses, "the token says no end", Claim("exp", null)),

        new(
            "further tests", Core + "-ignores-unparseable-key-in-jwks", Verdict.SignsIn,
            "keys of kinds that nobody knows beside the real one", UnknownKeysBeside),
        new("further tests", Core + "-missing-aud", Verdict.Refuses, "the token says no audience", Claim("aud", null)),
        new(
            "further tests", Core + "-invalid-sig-es256", Verdict.Refuses, "ES256 with a wrong signature",
            Header("alg", "ES256") + Signature(_ => new byte[64])),
        new(
            "further tests", Core + "-invalid-sig-hs256", Verdict.Refuses, "HS256 with a wrong signature",
            Header("alg", "HS256") + Hmac([1])),
        new(
            "further tests", Core + "-userinfo-signed", Verdict.SignsIn, "user info is a signed token",
            provider => provider.SignsUserInfo = true),
        new(
            "further tests", Core + "-mtls-endpoint-aliases", Verdict.NotApplicable,
            "clients show themselves by secret or key, not by certificate", Nothing),
        new("further tests", Core + "-dynamic-registration", Verdict.NotApplicable, "clients are registered by hand", Nothing),
        new(
            "further tests", "oidcc-client-test-rp-frontchannel-rpinitlogout", Verdict.NotApplicable,
            "browsers no longer send the cookies that front-channel logout needs; the back channel is there", Nothing),
        new("further tests", "oidcc-client-test-refresh-token", Verdict.NotApplicable, "no token is kept, so none is refreshed", Nothing),
    ];

    private enum Verdict
    {
        None = 0,
        SignsIn,
        Refuses,
        SignsOut,
        StaysSignedIn,
        NotApplicable,
    }

    public static TheoryData<string, string> Applicable
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var row in _rows.Where(one => one.Verdict is not Verdict.NotApplicable))
            {
                data.Add(row.Plan, row.Test);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Applicable))]
    public async Task TheVerdictIsTheSuites(string plan, string test)
    {
        var row = _rows.Single(one => (one.Plan, one.Test) == (plan, test));
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        if (row.IsBeforeDiscovery)
        {
            row.Misbehave(provider);
        }

        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        await Until.TrueAsync(() => gateway.Log.Has("is available") || gateway.Log.Has("is unavailable"), "the provider was asked");
        if (row.Plan == Logout)
        {
            await browser.SignInAsync(provider, "sam");
            row.Misbehave(provider);
            await browser.PostAsync("/admin/oidc/backchannel-logout", ("logout_token", provider.MakeLogoutToken("sub-sam", null)));
            ((await browser.GetAsync("/api/v1/node")).Status == 200).Should().Be(row.Verdict is Verdict.StaysSignedIn, test);
            return;
        }

        row.Misbehave(provider);
        (await SignsInAsync()).Should().Be(row.Verdict is Verdict.SignsIn, test);
        if (row.Then is { } then)
        {
            then(provider);
            (await SignsInAsync()).Should().BeTrue(test);
        }

        async Task<bool> SignsInAsync() =>
            !(row.IsBeforeDiscovery && (await browser.GetAsync("/admin/oidc/start")).Status == 503)
            && (await browser.SignInAsync(provider, "sam")).Location == "/admin/" && browser.Cookies.ContainsKey("__Host-headtower");
    }

    [Fact]
    public void ThePageIsMadeOfThisTable() =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(Front.Folder)!, "docs", "conformance.md")).Should().Be(Markdown());

    private static string Markdown()
    {
        var text = new StringBuilder("""
            # Conformance

            What the OpenID Foundation's conformance suite asks of relying parties, by its own names, and what the gateway does. The
            suite was not run: each row is a test of ours with the suite's name and verdict, against a provider that misbehaves in that
            way. A test keeps this page so.

            """);
        foreach (var plan in _rows.GroupBy(one => one.Plan))
        {
            text.Append($"\n## {plan.Key}\n\n| test | case | verdict |\n|---|---|---|\n");
            foreach (var row in plan)
            {
                text.Append($"| `{row.Test}` | {row.Case} | {WordsOf(row.Verdict)} |\n");
            }
        }

        return text.ToString().ReplaceLineEndings("\n");
    }

    private static string WordsOf(Verdict verdict) => verdict switch
    {
        Verdict.None => throw new InvalidOperationException("a row has no verdict"),
        Verdict.SignsIn => "pass: signs in",
        Verdict.Refuses => "pass: refuses",
        Verdict.SignsOut => "pass: signs out",
        Verdict.StaysSignedIn => "pass: refuses, and nobody is signed out",
        Verdict.NotApplicable => "not applicable",
    };

    private static void Nothing(ProviderStandIn provider)
    {
    }

    private static void OtherIssuer(ProviderStandIn provider) =>
        provider.Misbehaviour.Discovery = document => document["issuer"] = "https://other.example";

    private static void OtherKeyBeside(ProviderStandIn provider)
    {
        var other = OtherJwk();
        other["kid"] = "other";
        provider.Misbehaviour.Keys = keys => keys["keys"]!.AsArray().Insert(0, other.DeepClone());
        provider.RotateKey();
    }

    private static void UnknownKeysBeside(ProviderStandIn provider)
    {
        provider.Misbehaviour.Keys = keys =>
            keys["keys"]!.AsArray().Insert(0, new JsonObject { ["kty"] = "AKP", ["alg"] = "ML-DSA-65", ["kid"] = "pq", ["pub"] = "AAAA" });
        provider.RotateKey();
    }

    /// <summary>A test of the suite.</summary>
    /// <param name="Plan">The plan that it belongs to.</param>
    /// <param name="Test">Its name there.</param>
    /// <param name="Verdict">What a client has to do.</param>
    /// <param name="Case">What it is about.</param>
    /// <param name="Misbehave">What the provider does.</param>
    private sealed record Row(string Plan, string Test, Verdict Verdict, string Case, Action<ProviderStandIn> Misbehave)
    {
        /// <summary>Whether the provider misbehaves from the start.</summary>
        public bool IsBeforeDiscovery { get; init; }

        /// <summary>What happens before a second sign-in.</summary>
        public Action<ProviderStandIn>? Then { get; init; }
    }
}
