using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Audit;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;
using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Forwarding;

/// <summary>gRPC, as the headscale command line speaks it: the same rights, requests, answers and audit as over JSON.</summary>
public sealed class GrpcDoorTests
{
    private const ulong OwnUser = 7;
    private const ulong ForeignUser = 1;

    [GrpcClientTheory]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(29)]
    public async Task EveryMethodIsTheSameAsItsOperationForEveryRole(int version)
    {
        await using var gateway = await TestGateway.StartAsync(
            version, more: "bootstrap: {owner: proxy:owner}\nlimits: {caller_per_minute: 0}", listen: ", h2c://127.0.0.1:0");
        await using var grpc = GrpcClient.Start(new Uri(gateway.App.Urls.Last()).Authority);
        var (known, wrong) = (new HeadscaleVersion(version), new List<string>());
        foreach (var role in gateway.Configuration.Table.Roles.Select(one => one.Name).Append("key").Append("token"))
        {
            var name = role == "token" ? "it_admin" : role;
            using var client = gateway.As(role == "key" ? null : name, name, "sam@example.test");
            if (role == "key")
            {
                client.DefaultRequestHeaders.Clear();
                client.DefaultRequestHeaders.Authorization = new("Bearer", gateway.Headscale.ApiKey);
            }
            else
            {
                (await client.GetAsync(new Uri("/api/v1/health", UriKind.Relative))).Dispose();
            }

            if (role == "token")
            {
                client.DefaultRequestHeaders.Clear();
                client.DefaultRequestHeaders.Authorization = new("Bearer", await gateway.MakeTokenAsync("proxy:it_admin", "it_admin"));
            }

            foreach (var method in GrpcMethods.All.Where(one => one.IsIn(known)))
            {
                var rule = gateway.Configuration.Table.Rules.Single(
                    one => one.Plane is Plane.Api && one.Methods.Contains(method.Verb) && one.Path.Pattern == method.Pattern);
                foreach (var user in new[] { OwnUser, ForeignUser })
                {
                    var byJson = await TryAsync(gateway, rule, user, async call =>
                    {
                        var (status, text) = await TestGateway.CallAsync(client, call.Method, call.Target, call.Body);
                        return status is 200 ? WithoutSecrets(JsonNode.Parse(text)!) : $"{GrpcErrors.CodeOf(status)}";
                    });
                    var byGrpc = await TryAsync(gateway, rule, user, async call =>
                    {
                        var answer = await grpc.CallAsync(
                            method.Name, RequestOf(method, rule, call).Write(known),
                            client.DefaultRequestHeaders.ToDictionary(one => one.Key, one => one.Value.Single()));
                        return answer.Code == 0
                            ? WithoutSecrets(JsonOf(method, answer.Bytes!, known)) : $"{(Grpc.Core.StatusCode)answer.Code}";
                    });
                    if (byGrpc != byJson)
                    {
                        wrong.Add($"{method.Name} as {role} on the things of {user}:\n  JSON {byJson}\n  gRPC {byGrpc}");
                    }
                }
            }

            foreach (var person in gateway.People.Snapshot.Everyone)
            {
                await gateway.People.UnlinkAsync(person.Id, isKept: false);
            }
        }

        wrong.Should().BeEmpty();
        var audit = (await gateway.StopAndReadAuditAsync()).Where(one => one.Row is not "health.get").ToArray();
        audit.Should().HaveCountGreaterThan(500);
        foreach (var pair in audit.Chunk(2))
        {
            AuditOf(pair[1]).Should().Be(AuditOf(pair[0]), "the audit does not care by which door a call came");
        }
    }

    [GrpcClientTheory]
    [InlineData(29)]
    public async Task WhatIsNotUnderstoodCompletelyIsRefused(int version)
    {
        await using var gateway = await TestGateway.StartAsync(version, listen: ", h2c://127.0.0.1:0");
        await using var grpc = GrpcClient.Start(new Uri(gateway.App.Urls.Last()).Authority);
        var owner = new Dictionary<string, string> { ["Remote-User"] = "alice" };
        var key = new Dictionary<string, string> { ["authorization"] = $"Bearer {gateway.Headscale.ApiKey}" };
        foreach (var metadata in new[] { owner, key })
        {
            foreach (var (method, message, code, words) in new (string, byte[], int, string)[]
            {
                ("Nothing", [], 12, "no such method"),
                ("MoveNode", [8, 1, 16, 1], 3, "has no MoveNode"),
                ("ListNodes", [0x12, 1, (byte)'x'], 3, "has no field 2"),
                ("GetNode", [8, 1, 8, 2], 3, "is there twice"),
                ("GetNode", [10, 1, 1], 3, "is of another type"),
                ("GetNode", [8], 3, "does not end"),
                ("GetNode", [], 5, "not found"),
                ("CreateUser", [10, 2, 0xc3, 0x28], 3, "is not understood"),
                ("RenameNode", [8, 1, 18, 3, (byte)'a', (byte)'/', (byte)'b'], 3, "no '/'"),
                ("CreateApiKey", [], 3, "'expiration' is missing"),
                ("DeleteApiKey", [16, 1], 3, "prefix"),
            })
            {
                var answer = await grpc.CallAsync(method, message, metadata);
                answer.Code.Should().Be(code, "{0} of {1}: {2}", method, Convert.ToHexString(message), answer.Message);
                answer.Message.Should().ContainEquivalentOf(words);
            }
        }

        (await grpc.CallAsync("ServerReflectionInfo", [], owner, service: "grpc.reflection.v1.ServerReflection")).Code.Should().Be(12);
        (await grpc.CallAsync("ListNodes", new byte[64 << 10], owner)).Code.Should().Be(3, "a field of zeros is none");
        (await grpc.CallAsync("ListNodes", new byte[(64 << 10) + 1], owner)).Code.Should().Be(8);
        (await grpc.CallAsync("SetPolicy", new byte[(4 << 20) + 1], owner)).Code.Should().Be(8);
        (await grpc.CallAsync("ListNodes", new byte[8 << 20], new Dictionary<string, string>())).Code.Should().Be(16, "nothing is read");
        gateway.Headscale.Forwarded.Should().BeEmpty();
        (await grpc.CallAsync("ListNodes", [], new Dictionary<string, string>())).Code.Should().Be(16);
        var forged = new Dictionary<string, string> { ["authorization"] = $"Bearer {gateway.Headscale.ApiKey[..^2]}xx" };
        (await grpc.CallAsync("ListNodes", [], forged)).Code.Should().Be(16);
    }

    [GrpcClientTheory]
    [InlineData(29)]
    public async Task StrangersAreCountedBeforeAnythingIsReadAndAPolicyWithoutTheOperationRefuses(int version)
    {
        await using var gateway = await TestGateway.StartAsync(
            version, listen: ", h2c://127.0.0.1:0", more: "bootstrap: {owner: 'proxy:alice'}\nlimits: {anonymous_per_minute: 5}",
            routes: Gateway.Loading.RouteFile.Shipped().Replace("/api/v1/debug/node", "/api/v1/debug/other", StringComparison.Ordinal));
        await using var grpc = GrpcClient.Start(new Uri(gateway.App.Urls.Last()).Authority);
        var forged = new Dictionary<string, string> { ["authorization"] = $"Bearer hskey-api-{new string('a', 12)}-{new string('b', 64)}" };

        (await grpc.CallAsync("DebugCreateNode", [], forged)).Code.Should().Be(5);
        (await grpc.CallAsync("DebugCreateNode", [], new Dictionary<string, string> { ["Remote-User"] = "alice" })).Code.Should().Be(5);
        for (var times = 0; times < 4; times++)
        {
            (await grpc.CallAsync("ListNodes", [8], new Dictionary<string, string>())).Code.Should().Be(16);
        }

        (await grpc.CallAsync("ListNodes", [8], new Dictionary<string, string>())).Code.Should().Be(8, "the share is used up");
        gateway.Headscale.Forwarded.Should().BeEmpty();
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Reason == "sign_in_required").Should()
            .OnlyContain(one => one.Row == "nodes.list");
    }

    [GrpcClientTheory]
    [InlineData(28)]
    public async Task ACallComesOverTlsWithItsDeadline(int version)
    {
        using var folder = new TemporaryFolder();
        using var key = RSA.Create(2048);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        {
            CertificateExtensions = { names.Build() },
        };
        using var certificate = request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var authority = folder.File("cert.pem", certificate.ExportCertificatePem());
        await using var gateway = await TestGateway.StartAsync(
            version, listen: ", https://127.0.0.1:0",
            server: $"  tls_cert_path: {authority}\n  tls_key_path: {folder.File("key.pem", key.ExportPkcs8PrivateKeyPem())}");
        await using var grpc = GrpcClient.Start(new Uri(gateway.App.Urls.Last()).Authority, authority);
        var metadata = new Dictionary<string, string> { ["authorization"] = $"Bearer {gateway.Headscale.ApiKey}" };

        (await grpc.CallAsync("ListUsers", [], metadata, deadline: 60_000)).Code.Should().Be(0);

        using var held = new ManualResetEventSlim();
        gateway.Headscale.Receiving = _ => held.Wait(TimeSpan.FromSeconds(20));
        (await grpc.CallAsync("ListUsers", [], metadata, deadline: 300)).Code.Should().Be(4, "the deadline is over");
        held.Set();
        gateway.Headscale.Forwarded[^1].Header("X-Request-Id").Should().NotBeNull();
    }

    private static string AuditOf(AuditEntry one) =>
        $"{one.Actor} {one.Role} {one.HeadscaleUser} {one.Row} {one.Method} {one.Path} {one.Reason} {one.Status} {one.Before} "
            + (one.Role is null ? "JSON is not read where Headscale judges the key" : Arguments(one))
            + (one.Role is null || one.Row == "apikeys.create" ? "" : one.Detail);

    /// <summary>What is false is not on gRPC's wire.</summary>
    private static string Arguments(AuditEntry one) =>
        string.Join(", ", one.After?.Split(", ").Where(part => !part.EndsWith(": false", StringComparison.OrdinalIgnoreCase)) ?? []);

    private static async Task<string> TryAsync(TestGateway gateway, RouteRule rule, ulong user, Func<SampleCall, Task<string>> call)
    {
        var headscale = gateway.Headscale;
        headscale.Tailnet.Users.Clear();
        headscale.Tailnet.Nodes.Clear();
        headscale.Tailnet.Keys.Clear();
        headscale.Tailnet.NextId = 1000;
        Sandbox.People.Settle(headscale);
        headscale.Tailnet.Users.Add(new TailnetUser(SampleCalls.UserWithoutNodes, "idle"));
        headscale.Forget();
        var answer = await call(new SampleCalls(headscale).For(rule, user));

        // On gRPC's wire there is no difference between false and nothing. Keys are made anew each time.
        var sent = headscale.Forwarded.Select(
            one => $"{one.Method} {one.Target} {BodyWithoutFalse(one.Body)} {one.Header("Authorization")} "
                + one.Header("Content-Type")?.Split(';')[0]);
        return $"{answer}; sent {string.Join(", ", sent)}";
    }

    private static string BodyWithoutFalse(string body) => body.Length == 0 ? "" : new JsonObject(
        JsonNode.Parse(body)!.AsObject().Where(one => one.Key != "key" && one.Value?.GetValueKind() is not JsonValueKind.False)
            .Select(one => KeyValuePair.Create(one.Key, one.Value?.DeepClone()))).ToJsonString();

    private static GrpcRequest RequestOf(GrpcMethod method, RouteRule rule, SampleCall call)
    {
        var arguments = new Dictionary<string, Argument>(StringComparer.Ordinal);
        var (path, query) = (call.Target.Split('?')[0], call.Target.Split('?').ElementAtOrDefault(1) ?? "");
        foreach (var (name, value) in rule.Path.Read(path)!)
        {
            arguments.Add(name, Argument.Of(value));
        }

        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            arguments.Add(pair.Split('=')[0], Argument.Of(pair.Split('=')[1]));
        }

        foreach (var member in call.Body is null ? [] : JsonNode.Parse(call.Body)!.AsObject().ToArray())
        {
            if (method.Request.Find(member.Key, new(29)) is not null || method.Request.Find(member.Key, new(26)) is not null)
            {
                arguments.Add(member.Key, member.Value switch
                {
                    JsonArray list => Argument.Of([.. list.Select(one => one!.ToString())]),
                    JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => Argument.Of((bool)value),
                    var value => Argument.Of(value!.ToString()),
                });
            }
        }

        return new(method, arguments);
    }

    private static JsonNode JsonOf(GrpcMethod method, byte[] answer, HeadscaleVersion version) =>
        JsonNode.Parse(new GrpcJsonStream(method.Response, answer, version))!;

    /// <summary>Keys are made anew each time.</summary>
    private static string WithoutSecrets(JsonNode json)
    {
        foreach (var key in (json["preAuthKeys"] as JsonArray ?? [json["preAuthKey"]?.DeepClone()])
            .Concat((json["nodes"] as JsonArray ?? [json["node"]?.DeepClone()]).Select(node => node?["preAuthKey"])))
        {
            if (key is JsonObject known)
            {
                known["key"] = "";
            }
        }

        return System.Text.RegularExpressions.Regex.Replace(
            json.ToJsonString(), "\"(key|apiKey|prefix)\":\"[^\"]*\"", "\"$1\":\"\"", default, TimeSpan.FromSeconds(1));
    }
}
