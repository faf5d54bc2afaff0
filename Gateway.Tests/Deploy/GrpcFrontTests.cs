using Gateway.Headscale.Grpc;
using Gateway.Tests.Support;

namespace Gateway.Tests.Deploy;

/// <summary>gRPC through real fronts, with the lines that their files have for it.</summary>
public sealed class GrpcFrontTests
{
    [GrpcFrontTheory]
    [InlineData("nginx/oidc.conf")]
    [InlineData("nginx/authelia.conf")]
    [InlineData("caddy/oidc.Caddyfile")]
    [InlineData("caddy/authelia.Caddyfile")]
    public async Task TheCommandLineComesThroughWithItsKeyAndNobodyByHeaders(string file)
    {
        await using var gateway = await TestGateway.StartAsync(29, listen: ", h2c://127.0.0.1:0");
        var (http, h2c) = (new Uri(gateway.App.Urls.First()).Port, new Uri(gateway.App.Urls.Last()).Port);
        var snippet = File.ReadAllText(Path.Combine(Front.Folder, "nginx", "snippets", "headtower-grpc.conf"));
        await using var front = await Front.StartAsync(
            file,
            [
                file.StartsWith("nginx", StringComparison.Ordinal)
                    ? ("    #include snippets/headtower-grpc.conf;", snippet) : ("#reverse_proxy", "reverse_proxy"),
                ("127.0.0.1:3001", $"127.0.0.1:{h2c}"), ("127.0.0.1:3000", $"127.0.0.1:{http}"),
            ]);
        await using var grpc = GrpcClient.Start($"127.0.0.1:{front.Port}", front.CertificateFile, "headscale.example.com");
        var key = new Dictionary<string, string> { ["authorization"] = $"Bearer {gateway.Headscale.ApiKey}" };

        var listed = await grpc.CallAsync("ListUsers", [], key);
        listed.Code.Should().Be(0, $"{listed.Message} {front.Said}");
        new StreamReader(new GrpcJsonStream(GrpcMethods.Find("ListUsers")!.Response, listed.Bytes!, new(29))).ReadToEnd().Should()
            .Contain("\"name\":\"sam\"");
        var made = GrpcRequest.Of("CreateUser", ("name", "by-grpc")).Write(new(29));
        (await grpc.CallAsync("CreateUser", made, key)).Code.Should().Be(0);
        (await grpc.CallAsync("GetNode", [8, 99], key)).Should().Match<GrpcAnswer>(one => one.Code == 5 && one.Message == "node not found");

        var forged = new Dictionary<string, string> { ["Remote-User"] = "alice", ["Remote-Groups"] = "owner" };
        (await grpc.CallAsync("ListUsers", [], forged)).Code.Should().Be(16, "the front takes such headers off");
        gateway.Headscale.Tailnet.Users.Should().Contain(one => one.Name == "by-grpc");
        (await gateway.StopAndReadAuditAsync()).Should().Contain(one => one.Row == "users.create" && one.Client == "127.0.0.1");
    }
}
