using System.Net;
using System.Text.Json.Nodes;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Tests.Support;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Identity;

/// <summary>Tokens of the gateway's own: who they act for, what limits them, and what ends them.</summary>
public sealed class AccessTokenTests
{
    private const string Limits = "bootstrap: {owner: proxy:alice}\nlimits: {anonymous_per_minute: 0, caller_per_minute: 0}";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AProgramActsForThePersonAndTheTokenStaysHere(bool isBasic)
    {
        await using var gateway = await StartAsync("ivan");
        var token = await gateway.MakeTokenAsync("proxy:ivan", "it_admin");
        using var program = gateway.WithToken(token, isBasic);

        (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status.Should().Be(200);
        (await TestGateway.CallAsync(program, "POST", "/api/v1/node/11/rename/x")).Status.Should().Be(200);
        (await TestGateway.CallAsync(program, "PUT", "/api/v1/policy", """{"policy":"{}"}""")).Status.Should().Be(403);
        var me = JsonNode.Parse((await TestGateway.CallAsync(program, "GET", "/admin/api/me")).Text)!;
        ((string?)me["identity"]!["subject"], (string?)me["role"], (long?)me["token"]!["id"]).Should().Be(("ivan", "it_admin", 1L));

        gateway.Headscale.Everything.Should().NotBeEmpty().And.NotContain(
            one => one.Headers.Any(header => header.Value.Contains("htg_", StringComparison.Ordinal)));
        gateway.Log.All.Should().NotContain(line => line.Contains(token, StringComparison.Ordinal));
        var state = await gateway.App.Services.GetRequiredService<DocumentSet>().ExportAsync(default);
        var secret = token["htg_".Length..];
        state.Should().Contain(one => one.Kind == TokenStore.Kind).And.NotContain(
            one => one.Json.Contains(secret, StringComparison.Ordinal));
        var audit = (await gateway.StopAndReadAuditAsync()).Where(one => one.Actor == "proxy:ivan").ToArray();
        audit.Select(one => (one.Row, one.Reason, one.Token)).Should().Contain(
            [("nodes.list", "allowed", "1 (test)"), ("nodes.rename", "allowed", "1 (test)"), ("policy.set", "role_too_low", "1 (test)")]);
    }

    [Fact]
    public async Task WhatIsTakenFromThePersonIsTakenFromTheTokenWithTheNextRequest()
    {
        await using var gateway = await StartAsync("bob");
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:bob", "admin"));
        var bob = gateway.People.Snapshot.Everyone.Single(one => one.Label == "proxy:bob").Id;
        async Task<int> RenameAsync() => (await TestGateway.CallAsync(program, "POST", "/api/v1/node/11/rename/x")).Status;

        (await RenameAsync()).Should().Be(200);
        await gateway.People.SetRoleAsync(bob, "viewer");
        (await RenameAsync()).Should().Be(403);
        (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status.Should().Be(200);
        await gateway.People.SetRoleAsync(bob, "member");
        (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status.Should().Be(403);
        await gateway.People.RemoveAsync(bob);
        (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status.Should().Be(401);
        gateway.App.Services.GetRequiredService<AccessTokens>().All.Should().BeEmpty("they went with the person");
    }

    [Fact]
    public async Task TokensOfPeopleWhoseWayIsSwitchedOffDoNotCount()
    {
        await using var gateway = await TestGateway.StartAsync(more: Limits, proxyAuth: TestGateway.NoProxyAuth);
        var added = await gateway.People.AddAsync(new(Source.Proxy, "", "ivan", null, null, null, "it_admin"), null);
        added.Should().Be(Change.Done);
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:ivan", "it_admin"));

        var (status, _) = await TestGateway.CallAsync(program, "GET", "/api/v1/node");

        status.Should().Be(401);
        gateway.Headscale.Forwarded.Should().BeEmpty();
    }

    [Fact]
    public async Task WhatDoesNotCountIsRefusedWithTheCauseAndReachesNobody()
    {
        await using var gateway = await StartAsync("ivan");
        var tokens = gateway.App.Services.GetRequiredService<AccessTokens>();
        var (over, elsewhere, revoked, rotated, good) = (
            await gateway.MakeTokenAsync("proxy:ivan", "it_admin", TimeSpan.FromSeconds(-1)),
            await gateway.MakeTokenAsync("proxy:ivan", "it_admin", networks: ["203.0.113.0/24"]),
            await gateway.MakeTokenAsync("proxy:ivan", "it_admin"),
            await gateway.MakeTokenAsync("proxy:ivan", "it_admin"),
            await gateway.MakeTokenAsync("proxy:ivan", "it_admin"));
        await tokens.RevokeAsync(3);
        await tokens.RotateAsync(4, TimeSpan.Zero);
        gateway.Headscale.Forget();
        foreach (var (token, cause) in new[]
        {
            (over, "ended on"), (elsewhere, "this address"), (revoked, "no such token"), (rotated, "was rotated"),
            (good[..^1], "no such token"), (good + "a", "no such token"), (good.ToUpperInvariant(), "not a Headscale API key"),
            ("htg_", "no such token"), ($"{good} ", "no such token"),
        })
        {
            using var program = gateway.WithToken("x");
            program.DefaultRequestHeaders.Remove("Authorization");
            program.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");

            using var answer = await program.GetAsync(new Uri("/api/v1/node", UriKind.Relative));

            // A blank at the end of a header's value is not part of it (RFC 9110 5.5).
            if (token.EndsWith(' '))
            {
                answer.StatusCode.Should().Be(HttpStatusCode.OK);
                continue;
            }

            answer.StatusCode.Should().Be(HttpStatusCode.Unauthorized, token);
            answer.Headers.WwwAuthenticate.ToString().Should().Contain(cause);
        }

        gateway.Headscale.Forwarded.Should().ContainSingle();
    }

    [Theory]
    [InlineData("")]
    [InlineData("    bearer: ignore")]
    public async Task TwoCredentialsAreRefusedAlsoWhereOtherBearersAreIgnored(string proxyAuth)
    {
        await using var gateway = await TestGateway.StartAsync(more: Limits, proxyAuth: $"{TestGateway.RoleMap}\n{proxyAuth}");
        using var person = gateway.AsPerson("ivan");
        await TestGateway.CallAsync(person, "GET", "/api/v1/health");
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:ivan", "it_admin", operations: ["nodes.list"]));
        program.DefaultRequestHeaders.Add("Remote-User", "ivan");

        (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status.Should().Be(400, "the token's limits would be void");
    }

    [Fact]
    public async Task NoTokenMakesAKeyThatWouldOutliveIt()
    {
        await using var gateway = await StartAsync("bob", version: 30);
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:bob", "admin"));
        gateway.Headscale.Forget();

        foreach (var (method, target, body) in new (string, string, string?)[]
        {
            ("POST", "/api/v1/apikey", """{"expiration":"2036-01-01T00:00:00Z"}"""), ("GET", "/api/v1/apikey", null),
            ("POST", "/api/v2/tailnet/-/keys", """{"keyType":"client","scopes":["all"]}"""),
        })
        {
            var (status, text) = await TestGateway.CallAsync(program, method, target, body);
            status.Should().Be(403, "{0} {1}", method, target);
            text.Should().Contain("admin, in part").And.Contain("manage_api_keys");
        }

        gateway.Headscale.Forwarded.Should().BeEmpty();
        (await TestGateway.CallAsync(program, "POST", "/api/v1/node/11/rename/x")).Status.Should().Be(200);
    }

    [Fact]
    public async Task ANameOutsideOfAsciiIsNoTroubleForTheAnswer()
    {
        await using var gateway = await StartAsync("ivan");
        var token = await gateway.MakeTokenAsync("proxy:ivan", "it_admin", TimeSpan.FromSeconds(-1), name: """für "CI" \ 日本""");
        using var program = gateway.WithToken(token);

        using var answer = await program.GetAsync(new Uri("/api/v1/node", UriKind.Relative));

        answer.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.ToString().Should().Contain("f?r 'CI' ? ??").And.Contain("ended on");
        var entry = (await gateway.StopAndReadAuditAsync()).Single(one => one.Reason == "malformed_credential");
        (entry.Actor, entry.Token, entry.Status).Should().Be((null, """1 (für "CI" \ 日本)""", 401));
    }

    [Theory]
    [InlineData("/key?v=113", false)]
    [InlineData("/key?v=113", true)]
    public async Task WhatGoesOnUnchangedLosesTheToken(string target, bool isBasic)
    {
        await using var gateway = await StartAsync("ivan");
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:ivan", "it_admin"), isBasic);

        (await TestGateway.CallAsync(program, "GET", target)).Status.Should().Be(200);

        gateway.Headscale.Everything.Single(one => one.Target == target).Header("Authorization").Should().BeNull();
    }

    [Fact]
    public async Task AProgramThatRunsWildKeepsItsPersonFromNothing()
    {
        await using var gateway = await TestGateway.StartAsync(
            more: "bootstrap: {owner: proxy:alice}\nlimits: {anonymous_per_minute: 0, caller_per_minute: 5}");
        using var ivan = gateway.AsPerson("ivan");
        await TestGateway.CallAsync(ivan, "GET", "/api/v1/health");
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:ivan", "it_admin"));
        await Until.TrueAsync(
            async () => (await TestGateway.CallAsync(program, "GET", "/api/v1/node")).Status == 429, "the program is over its limit");

        (await TestGateway.CallAsync(ivan, "GET", "/api/v1/node")).Status.Should().Be(200);
    }

    [Fact]
    public async Task ATokenForSomeOperationsIsForNothingElse()
    {
        await using var gateway = await StartAsync("bob");
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:bob", "admin", operations: ["nodes.list"]));
        var wrong = new List<string>();
        foreach (var rule in gateway.Configuration.Table.Rules.Where(one => one.Plane is Plane.Api))
        {
            gateway.Headscale.Forget();
            var call = new SampleCalls(gateway.Headscale).For(rule, 1);
            var (status, _) = await TestGateway.CallAsync(program, call.Method, call.Target, call.Body);
            if ((status == 200) != (rule.Id == "nodes.list") || (status != 200 && gateway.Headscale.Forwarded.Count > 0))
            {
                wrong.Add($"{rule.Id}: {status}");
            }
        }

        wrong.Should().BeEmpty();
        (await TestGateway.CallAsync(program, "GET", "/admin/api/me")).Status.Should().Be(200);
        (await TestGateway.CallAsync(program, "GET", "/admin/api/users")).Status.Should().Be(403);
        (await gateway.StopAndReadAuditAsync()).Should().Contain(
            one => one.Row == "nodes.rename" && one.Reason == "not_in_token" && one.Status == 403);
    }

    [Fact]
    public async Task OwnPagesAreForPeopleButForWhatProgramsRead()
    {
        await using var gateway = await StartAsync("bob");
        using var program = gateway.WithToken(await gateway.MakeTokenAsync("proxy:bob", "admin"));
        string[] open = ["/admin/api/me", "/admin/api/users", "/admin/api/users/{id:long}", "/admin/api/audit", "/admin/api/access",
            "/admin/api/access/explain", "/admin/audit.csv", "/admin/audit.jsonl", "/admin/machines.csv"];
        var endpoints = gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(one => one.Metadata.GetMetadata<CapabilityRequirement>() is not null).ToArray();

        endpoints.Where(one => one.Metadata.GetMetadata<TokenAccess>() is not null).Select(one => one.RoutePattern.RawText)
            .Should().BeEquivalentTo(open);
        foreach (var endpoint in endpoints.Where(one => one.Metadata.GetMetadata<TokenAccess>() is null))
        {
            var method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET";
            var path = endpoint.RoutePattern.RawText!.Replace("{id:long}", "1", StringComparison.Ordinal)
                .Replace("{*path:nonfile}", "nothing", StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal)
                .Replace("}", "", StringComparison.Ordinal);
            var (status, _) = await TestGateway.CallAsync(program, method, path, method == "GET" ? null : "{}");
            status.Should().Be(403, "{0} {1}", method, path);
        }

        (await TestGateway.CallAsync(program, "GET", "/admin/api/users")).Status.Should().Be(200);
        (await TestGateway.CallAsync(program, "GET", "/admin/audit.jsonl")).Status.Should().Be(200);
    }

    [Fact]
    public async Task ABearerIsNoAmbientAuthorityAndABasicLoginIs()
    {
        await using var gateway = await StartAsync("ivan");
        var token = await gateway.MakeTokenAsync("proxy:ivan", "it_admin");
        foreach (var (isBasic, expected) in new[] { (false, 200), (true, 403) })
        {
            using var program = gateway.WithToken(token, isBasic);
            program.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
            program.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");

            (await TestGateway.CallAsync(program, "POST", "/api/v1/node/11/rename/x")).Status.Should().Be(expected);
        }
    }

    /// <summary>A gateway that somebody of the sandbox's people has visited.</summary>
    private static async Task<TestGateway> StartAsync(string login, int version = 29)
    {
        var gateway = await TestGateway.StartAsync(version, more: Limits);
        using var person = gateway.AsPerson(login);
        (await TestGateway.CallAsync(person, "GET", "/api/v1/health")).Status.Should().Be(200);
        return gateway;
    }
}
