using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Identity.Oidc;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Identity.Oidc;

/// <summary>
/// What the provider says about its refusal reaches the log and the audit, cleaned, and never the page; the page says what to do.
/// </summary>
public sealed class ProviderWordsTests
{
    [Theory]
    [InlineData(400, "invalid_grant", "Incorrect redirect_uri", "RedirectRejected", "https://gateway.example.test/admin/oidc/callback")]
    [InlineData(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.", "ClientRejected",
        "client id, secret or key is wrong")]
    [InlineData(400, "invalid_request", "AADSTS9002325: Proof Key for Code Exchange is required", "VerifierRejected", "PKCE")]
    [InlineData(400, "invalid_grant", "code_verifier does not match", "VerifierRejected", "code_verifier")]
    [InlineData(400, "invalid_grant", "Code not valid", "CodeRejected", "https://gateway.example.test/admin/oidc/callback")]
    [InlineData(400, "unsupported_grant_type", "not for this client", "TokenEndpointFailed", "refused to finish")]
    public async Task OfTheTokenEndpoint(int status, string error, string description, string failure, string page)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        Misbehaving.Answer(
            "/token", status, "application/json",
            new JsonObject { ["error"] = error, ["error_description"] = description }.ToJsonString())(provider);

        await ExpectAsync(
            provider, "", $"{failure}: {provider.Issuer}/token answered {status} {error} \"{description}\"", description, page);
    }

    [Theory]
    [InlineData("access_denied", "AADSTS50105: The signed in user is not assigned to a role", "ProviderRefused",
        "whether you may use this application", "")]
    [InlineData("invalid_request", "PKCE is enforced for this client: missing code_challenge", "PkceRequired", "oidc.use_pkce: true",
        "  use_pkce: false")]
    [InlineData("invalid_scope", "unknown scope groups", "ScopeRejected", "oidc.scope", "")]
    [InlineData("temporarily_unavailable", "try later", "ProviderFailing", "may pass by itself", "")]
    [InlineData("made_up", "who knows", "ProviderRefused", "ask an administrator", "")]
    public async Task OfTheAnswer(string error, string description, string failure, string page, string settings)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.Misbehaviour.Redirect = back => (back["error"], back["error_description"]) = (error, description);

        await ExpectAsync(provider, settings, $"{failure}: the provider answered {error} \"{description}\"", description, page);
    }

    [Fact]
    public async Task CannotSteerATerminal()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        provider.Misbehaviour.Redirect = back =>
            (back["error"], back["error_description"]) = ("access_denied", "no\r\n\u001b[2K2026-01-01 info: all is well\u202e"
                + new string('x', 500));

        await ExpectAsync(
            provider, "",
            "ProviderRefused: the provider answered access_denied \"no\ufffd\ufffd\ufffd[2K2026-01-01 info: all is well\ufffdxxx",
            "all is well", "did not sign you in");
    }

    [Theory]
    [InlineData("alg", "x\r\u001b[2K2026-11-25T00:00:00.000Z info: gateway[2] all is well", "algorithm 'x\ufffd\ufffd[2K")]
    [InlineData("typ", "x\r\u001b[2Kall is well", "type 'x\ufffd\ufffd[2Kall is well'")]
    public async Task NeitherCanAnUnsignedLogoutToken(string member, string value, string logged)
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var gateway = await SignInSetup.StartAsync(provider);
        using var browser = new Browser(gateway);
        var header = new JsonObject { ["alg"] = "RS256", ["kid"] = "k" };
        header[member] = value;
        var token = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Base64Url.EncodeToString("{}"u8)}.AAAA";

        (await browser.PostAsync("/admin/oidc/backchannel-logout", ("logout_token", token))).Status.Should().Be(400);

        gateway.Log.Has(logged).Should().BeTrue("the log says what was wrong");
        gateway.Log.All.Should()
            .NotContain(line => line.Contains('\u001b', StringComparison.Ordinal) || line.Contains('\r', StringComparison.Ordinal));
    }

    [Fact]
    public void EveryErrorCodeHasItsCause()
    {
        var codes = new[]
        {
            "access_denied", "invalid_client", "unauthorized_client", "invalid_scope", "server_error", "temporarily_unavailable",
            "login_required", "interaction_required", "consent_required", "invalid_grant", "invalid_request", "unsupported_response_type",
        };

        codes.Select(one => new ProviderError(one, null).ToFailure(usesPkce: true, SignInFailure.Unknown)).Should()
            .NotContain(SignInFailure.Unknown);
        new ProviderError(null, null).ToString().Should().Be("(no error code)");
        new ProviderError(new string('e', 200), "").ToString().Length.Should().BeLessThan(70);
    }

    private static async Task ExpectAsync(ProviderStandIn provider, string settings, string logged, string words, string page)
    {
        await using var gateway = await SignInSetup.StartAsync(provider, settings);
        using var browser = new Browser(gateway);

        var shown = await browser.SignInAsync(provider, "sam");

        using (new FluentAssertions.Execution.AssertionScope())
        {
            gateway.Log.Has(logged).Should().BeTrue($"the log has '{logged}' in {string.Join('\n', gateway.Log.All)}");
            gateway.Log.All.Should().NotContain(line => line.Contains('\u001b', StringComparison.Ordinal));
            System.Net.WebUtility.HtmlDecode(shown.Text).Should().Contain(page).And
                .NotContain(words, "pages are for people who cannot mend it");
            (await gateway.StopAndReadAuditAsync())[^1].Detail.Should().Contain(logged.Split(": ", 2)[1][..40]);
        }
    }
}
