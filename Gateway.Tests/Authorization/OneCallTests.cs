using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Audit;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Authorization;

/// <summary>
/// The same operation gives the same request at Headscale and the same line in the audit, whether a program or a page makes it.
/// </summary>
public sealed partial class OneCallTests
{
    /// <summary>What differs from call to call by nature.</summary>
    private static readonly string[] _perCall = ["X-Request-Id", "Host"];

    private const string Waiting = "hskey-authreq-000000000000000000000000";

    /// <summary>The operations that pages use, as a page and as a call of the API.</summary>
    private static readonly Pair[] _pairs =
    [
        new("nodes.list", Page("/admin/machines"), new("GET", "/api/v1/node", null)),
        new("nodes.get", Page("/admin/machines/17"), new("GET", "/api/v1/node/17", null)),
        new(
            "nodes.rename", Form("/admin/machines/17/rename", ("name", "a-new-name")),
            new("POST", "/api/v1/node/17/rename/a-new-name", null)),
        new("nodes.expire", Form("/admin/machines/17/expire"), new("POST", "/api/v1/node/17/expire", null)),
        new(
            "nodes.set_tags", Form("/admin/machines/17/tags", ("tags", "tag:a, tag:b")),
            new("POST", "/api/v1/node/17/tags", """{"tags":["tag:a","tag:b"]}""")),
        new(
            "nodes.approve_routes", Form("/admin/machines/17/routes", ("route", "10.0.0.0/8")),
            new("POST", "/api/v1/node/17/approve_routes", """{"routes":["10.0.0.0/8"]}""")),
        new(
            "nodes.move", Form("/admin/machines/17/user", ("user", "2")),
            new("POST", "/api/v1/node/17/user", """{"user":"2"}""")) { Until = 27 },
        new("nodes.delete", Form("/admin/machines/17/delete"), new("DELETE", "/api/v1/node/17", null)),
        new("keys.list", Page("/admin/keys"), new("GET", "/api/v1/preauthkey", null)) { Since = 28 },
        new("keys.list", Page("/admin/keys?user=7"), new("GET", "/api/v1/preauthkey?user=7", null)) { Until = 27 },
        new("apikeys.list", Page("/admin/apikeys"), new("GET", "/api/v1/apikey", null)),
        new(
            "users.create", Form("/admin/users/headscale", ("name", "neu"), ("display_name", "N"), ("email", "")),
            new("POST", "/api/v1/user", """{"name":"neu","displayName":"N"}""")),
        new("users.rename", Form("/admin/users/headscale/7/rename", ("name", "other")), new("POST", "/api/v1/user/7/rename/other", null)),
        new(
            "users.rename", Form("/admin/users/headscale/6/rename", ("name", "an other")),
            new("POST", "/api/v1/user/6/rename/an%20other", null)) { Since = 27 },
        new("users.delete", Form("/admin/users/headscale/60/delete"), new("DELETE", "/api/v1/user/60", null)),
        new("policy.get", Page("/admin/policy"), new("GET", "/api/v1/policy", null)),
        new(
            "policy.set", Form("/admin/policy", ("policy", "{}"), ("base", HashOf("// before")), ("step", "save")),
            new("PUT", "/api/v1/policy", """{"policy":"{}"}""")),
        new(
            "keys.create", Form("/admin/keys", ("user", "7"), ("reusable", "true"), ("tags", "tag:a"), ("days", "1")),
            new(
                "POST", "/api/v1/preauthkey",
                """{"user":"7","reusable":true,"ephemeral":false,"expiration":"2030-01-01T00:00:00Z","aclTags":["tag:a"]}""")),
        new(
            "apikeys.create", Form("/admin/apikeys", ("days", "1")),
            new("POST", "/api/v1/apikey", """{"expiration":"2030-01-01T00:00:00Z"}""")),
        new(
            "auth.register", Form("/admin/connect/register", ("device", Waiting), ("user", "7")),
            new("POST", "/api/v1/auth/register", $$"""{"user":"other","authId":"{{Waiting}}"}""")) { Since = 29 },
        new(
            "nodes.register", Form("/admin/connect/register", ("device", Waiting), ("user", "7")),
            new("POST", $"/api/v1/node/register?key={Waiting}&user=other", null)) { Until = 28 },
    ];

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task PageAndApiSendTheSameAndAreAuditedAlike(int version)
    {
        var (byPage, pageAudit) = await RunAsync(version, (browser, _, pair) => SubmitAsync(browser, pair.Page));
        var (byApi, apiAudit) = await RunAsync(
            version, async (_, client, pair) => await TestGateway.CallAsync(client, pair.Api.Method, pair.Api.Target, pair.Api.Body));

        byPage.Should().Equal(byApi);
        pageAudit.Should().Equal(apiAudit);
        byPage.Count.Should().BeGreaterThan(16);
    }

    [Fact]
    public async Task AChangeTellsWhatItWasAboutAndWhatCameToBe()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.AsPerson("alice");
        await TestGateway.CallAsync(alice, "POST", "/api/v1/node/17/rename/new-name");
        await TestGateway.CallAsync(alice, "DELETE", "/api/v1/node/17");
        await TestGateway.CallAsync(alice, "POST", "/api/v1/user/2/rename/bobby");
        await TestGateway.CallAsync(alice, "POST", "/api/v1/preauthkey", """{"user":"1","expiration":"2030-01-01T00:00:00Z"}""");
        var key = gateway.Headscale.Tailnet.Keys[^1];

        var changes = (await gateway.StopAndReadAuditAsync()).Where(entry => entry.Class is AuditClass.Change).ToArray();
        changes.Select(entry => $"{entry.Row}: {entry.Before} / {entry.Detail}").Should().Equal(
            "nodes.rename: node 17 sam-laptop of sam / node 17 new-name", "nodes.delete: node 17 new-name of sam / ",
            "users.rename: user bob (2) / user 2 bobby", $"keys.create:  / key {key.Id}");
        changes.Should().NotContain(entry => entry.Detail != null && entry.Detail.Contains("hskey", StringComparison.Ordinal));
    }

    private static async Task<(IReadOnlyList<string> Sent, IReadOnlyList<string> Audited)> RunAsync(
        int version, Func<Browser, HttpClient, Pair, Task> makeAsync)
    {
        await using var gateway = await TestGateway.StartAsync(version);
        gateway.Headscale.Tailnet.Users.Add(new TailnetUser(60, "spare"));
        gateway.Headscale.Tailnet.Policy = "// before";
        using var browser = gateway.BrowserOf("alice");
        using var client = gateway.AsPerson("alice");
        client.DefaultRequestHeaders.Host = "gateway.example.test";
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.UserAgent.ParseAdd("Tests/1");
        browser.Headers["User-Agent"] = "Tests/1";
        await browser.GetAsync("/admin/login");
        var sent = new List<string>();
        foreach (var pair in _pairs.Where(pair => version >= pair.Since && version <= pair.Until))
        {
            gateway.Headscale.Forget();
            await makeAsync(browser, client, pair);
            sent.AddRange(
                gateway.Headscale.Forwarded.Where(received => received.Method == pair.Api.Method)
                    .Select(received => $"{pair.Rule}: {TextOf(received)}"));
        }

        var rules = _pairs.Select(pair => pair.Rule).ToHashSet();
        var audit = (await gateway.StopAndReadAuditAsync()).Where(entry => entry.Row is { } rule && rules.Contains(rule)).Select(TextOf);

        // Before a page saves a policy, it reads the one that is there.
        return (sent, [.. audit.Where(line => !line.StartsWith("policy.get", StringComparison.Ordinal))]);
    }

    private static async Task SubmitAsync(Browser browser, PageRequest page)
    {
        var answer = page.Fields is { } fields
            ? await browser.SubmitAsync("/admin/login", page.Target, fields)
            : await browser.GetAsync(page.Target);
        answer.Status.Should().BeOneOf([200, 302], $"{page.Target} answered {answer.Text}");
    }

    private static string TextOf(Received received) => new StringBuilder($"{received.Method} {received.Target}\n")
        .AppendJoin('\n', received.Headers.Where(header => !_perCall.Contains(header.Key, StringComparer.OrdinalIgnoreCase))
            .Select(header => $"{header.Key}: "
                + $"{(header.Key == "Authorization" ? "the key" : header.Value)}").Order(StringComparer.OrdinalIgnoreCase))
        .Append(
            received.Header("X-Request-Id") is { Length: > 0 } ? "\nwith a reference\n" : "\n").Append(
                Time().Replace(received.Body, "TIME"))
            .ToString();

    private static string TextOf(AuditEntry entry) =>
        $"{entry.Row} {entry.Method} {entry.Path} {entry.Actor} {entry.Role} {entry.HeadscaleUser} {entry.Reason} {entry.Status} "
        + $"{entry.Client} "
        + $"{Made().Replace(entry.Detail ?? "", "API key …")} {entry.Before} {Time().Replace(entry.After ?? "", "TIME")}";

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static PageRequest Page(string target) => new(target, null);

    private static PageRequest Form(string target, params (string Name, string Value)[] fields) => new(target, fields);

    [GeneratedRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z")]
    private static partial Regex Time();

    [GeneratedRegex("API key [0-9a-z]+")]
    private static partial Regex Made();

    private sealed record PageRequest(string Target, (string Name, string Value)[]? Fields);

    private sealed record Pair(string Rule, PageRequest Page, SampleCall Api)
    {
        public int Since { get; init; }

        public int Until { get; init; } = int.MaxValue;
    }
}
