using System.Text;
using Gateway.Authorization;
using Gateway.Cli;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests;

/// <summary>Every row × role × {own, foreign, unlinked} through the real server, for every version of Headscale.</summary>
public sealed class MatrixTests
{
    private const ulong OwnUser = 7;
    private const ulong ForeignUser = 1;

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public Task EveryCallIsAnsweredForwardedExplainedAndAuditedAsTheTableSays(int version) => TryEverythingAsync(version, null);

    [Theory]
    [ClassData(typeof(EveryVersion))]
    public async Task OverTheSocketEveryCallIsTheSameAndHasNoKey(int version)
    {
        using var folder = new TemporaryFolder();
        await TryEverythingAsync(version, Path.Combine(folder.Path, "headscale.sock"));
    }

    [Theory]
    [InlineData(26)]
    [InlineData(29)]
    [InlineData(30)]
    public Task WithATokenEveryCallIsTheSameAndTheAuditNamesIt(int version) => TryEverythingAsync(version, null, withTokens: true);

    private static async Task TryEverythingAsync(int version, string? socket, bool withTokens = false)
    {
        await using var gateway = await TestGateway.StartAsync(
            more: "bootstrap: {owner: proxy:owner}", headscale: await HeadscaleStandIn.StartAsync(version, socket: socket));
        var expected = new List<(string Actor, string Row, string Reason, int Status)>();
        var wrong = new List<string>();

        // Unlinked first: once an e-mail address was seen, the link stays.
        foreach (var situation in Enum.GetValues<Situation>())
        {
            foreach (var role in gateway.Configuration.Table.Roles.Where(one => !withTokens || !one.IsOwner))
            {
                using var client = gateway.As(role.Name, role.Name, situation is Situation.Unlinked ? null : "sam@example.test");

                // Makes the person, and the link, so that explain has somebody to explain for.
                expected.Add(($"proxy:{role.Name}", "health.get", "allowed", await SendAsync(client, new("GET", "/api/v1/health", null))));
                if (withTokens)
                {
                    client.DefaultRequestHeaders.Clear();
                    client.DefaultRequestHeaders.Authorization = new(
                        "Bearer", await gateway.MakeTokenAsync($"proxy:{role.Name}", role.Name));
                }

                foreach (var row in gateway.Configuration.Table.Rules.Where(one => one.Plane is Plane.Api))
                {
                    Reset(gateway.Headscale);
                    var call = new SampleCalls(gateway.Headscale).For(row, situation is Situation.Own ? OwnUser : ForeignUser);
                    var reason = Expect(row, withTokens ? WithoutApiKeys(role) : role, situation, version);
                    var explained = await ExplainVerb.ExplainAsync(
                        gateway.Configuration, gateway.Client,
                            new Question(call.Method, call.Target, null, $"proxy:{role.Name}", null,
                                Encoding.UTF8.GetBytes(call.Body ?? ""), null), default);
                    var status = await SendAsync(client, call);

                    // What is explained is the person's right, who manages API keys where a token does not.
                    wrong.AddRange(Check(gateway, row, call, reason, status, explained!.Value.Result)
                        .Where(what => !withTokens || row.Capability is not Capability.ManageApiKeys
                            || !what.StartsWith("explained", StringComparison.Ordinal))
                        .Select(what => $"0.{version} {row.Id} as {role.Name}, {situation}: {what}"));
                    expected.Add(($"proxy:{role.Name}", row.Id, SnakeCase.From(reason.ToString()), status));
                }

                await UnlinkAsync(gateway, situation);
            }
        }

        var audit = await gateway.StopAndReadAuditAsync();
        wrong.Should().BeEmpty();
        audit.Where(one => one.Row != "health.get" && (one.Token is not null) != withTokens).Should().BeEmpty();
        audit.Select(one => (one.Actor!, one.Row!, one.Reason, one.Status!.Value)).Order().Should().Equal(expected.Order());
    }

    private static Role WithoutApiKeys(Role role) =>
        new(role.Name, role.Rank, role.Held.Where(one => one is not Capability.ManageApiKeys).ToHashSet());

    private enum Situation
    {
        Unlinked,
        Own,
        Foreign,
    }

    /// <summary>Written from the design's words, not from the decider's code.</summary>
    private static Reason Expect(RouteRule row, Role role, Situation situation, int version)
    {
        if (row.Since > version)
        {
            return Reason.NoSuchRoute;
        }

        if (row.Capability is Capability.SignedIn || role.Held.Contains(row.Capability))
        {
            return Reason.Allowed;
        }

        if (row.Own is null || !role.Held.Contains(row.Own.Capability))
        {
            return Reason.RoleTooLow;
        }

        return (situation, row.Own.Scope) switch
        {
            (Situation.Unlinked, _) => Reason.NotLinked,

            // Before 0.28 keys had no ids that could be looked up, and could not be deleted either.
            _ when row.Id == "keys.delete" && version < 28 => Reason.NotOwner,
            (Situation.Own, _) or (_, OwnScope.List) => Reason.Allowed,
            (_, OwnScope.Node) when row.Methods.Contains("GET") => Reason.NotFound,
            _ => Reason.NotOwner,
        };
    }

    private static IEnumerable<string> Check(
        TestGateway gateway, RouteRule row, SampleCall call, Reason reason, int status, AuthorizationResult explained)
    {
        if (explained.Decision.Reason != reason || explained.Decision.Rule?.Id != row.Id)
        {
            yield return $"explained as {explained.Decision.Reason} by {explained.Decision.Rule?.Id}, not {reason}";
        }

        var received = gateway.Headscale.Forwarded;
        if (reason is not Reason.Allowed)
        {
            if (received.Count > 0 || status != Refusals.StatusOf(reason))
            {
                yield return $"{status} instead of {Refusals.StatusOf(reason)}, upstream saw {received.Count}";
            }

            yield break;
        }

        var samePath = HeadscaleOperations.Of(gateway.Headscale.Version).Where(one => row.Path.Pattern == one.Path).ToArray();
        var isThere = samePath.Any(one => row.Methods.Contains(one.Method));
        if (status != (row.Id == "v2.settings.set" ? 501 : isThere ? 200 : samePath.Length > 0 ? 501 : 404))
        {
            yield return $"{status} although the operation is {(isThere ? "" : "not ")}in this version";
        }

        if (!isThere && received.Count == 0 && gateway.Headscale is { Socket: not null, Version: <= 29 })
        {
            // gRPC has no method for it, and Headscale's own HTTP face would say the same.
            yield break;
        }

        if (received is not [var only])
        {
            yield return $"{status}, and upstream saw {received.Count} calls instead of one";
            yield break;
        }

        if ((only.Method, only.Target, only.Body) != (call.Method, call.Target, call.Body ?? "") || only.Target != explained.UpstreamTarget)
        {
            yield return $"upstream saw {only.Method} {only.Target} {only.Body}, and explain says {explained.UpstreamTarget}";
        }

        if (KeyComplaint(gateway.Headscale, only) is { } complaint)
        {
            yield return complaint;
        }

        foreach (var header in only.Headers.Where(one => !_allowed.Contains(one.Key)))
        {
            yield return $"upstream saw the header {header.Key}";
        }
    }

    private static string? KeyComplaint(HeadscaleStandIn headscale, Received call) =>
        (headscale.Socket, call.IsLocal, call.Header("Authorization")) switch
        {
            (null, false, var key) => key == $"Bearer {headscale.ApiKey}" ? null : "upstream did not get exactly our key",
            (not null, true, null) => null,
            (not null, true, _) => "the socket got a key",
            _ => $"the call came {(call.IsLocal ? "" : "not ")}over the socket",
        };

    private static readonly HashSet<string> _allowed = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Accept", "User-Agent", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP",
        "Authorization", "Content-Type", "Content-Length", "Via",

        // gRPC's own.
        "TE", "grpc-accept-encoding",
    };

    private static async Task<int> SendAsync(HttpClient client, SampleCall call)
    {
        using var request = new HttpRequestMessage(new HttpMethod(call.Method), call.Target);
        request.Content = call.Body is null ? null : new StringContent(call.Body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request);
        return (int)response.StatusCode;
    }

    private static void Reset(HeadscaleStandIn headscale)
    {
        headscale.Tailnet.Users.Clear();
        headscale.Tailnet.Nodes.Clear();
        headscale.Tailnet.Keys.Clear();
        Sandbox.People.Settle(headscale);
        headscale.Tailnet.Users.Add(new TailnetUser(SampleCalls.UserWithoutNodes, "idle"));
        headscale.Forget();
    }

    /// <summary>All roles are tried with the same Headscale user, which belongs to one person at a time.</summary>
    private static async Task UnlinkAsync(TestGateway gateway, Situation situation)
    {
        if (situation is not Situation.Unlinked)
        {
            var people = gateway.App.Services.GetService(typeof(Gateway.Users.People)) as Gateway.Users.People;
            foreach (var person in people!.Snapshot.Everyone)
            {
                await people.UnlinkAsync(person.Id, isKept: false);
            }
        }
    }
}
