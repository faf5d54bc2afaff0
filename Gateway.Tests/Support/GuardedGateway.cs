using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Identity;
using Gateway.Sandbox.StandIns;
using Gateway.Users;

namespace Gateway.Tests.Support;

/// <summary>A gateway behind a proxy that signs people in, with somebody of every role, and a way to it from two addresses.</summary>
internal sealed partial class GuardedGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;

    private readonly string _certificate;

    private GuardedGateway(TestGateway gateway, TemporaryFolder folder, string certificate) =>
        (Gateway, _folder, _certificate) = (gateway, folder, certificate);

    public TestGateway Gateway { get; }

    public static async Task<GuardedGateway> StartAsync()
    {
        var folder = new TemporaryFolder();
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=gw.example.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var tls = $"  tls_cert_path: {folder.File("cert.pem", certificate.ExportCertificatePem())}\n  tls_key_path: "
            + $"{folder.File("key.pem", key.ExportPkcs8PrivateKeyPem())}\n";
        var headscale = await HeadscaleStandIn.StartAsync(28);
        string[] users = ["alice", "bob", "kate", "nina", "audrey", "vera", "ivan"];
        headscale.Tailnet.Users.AddRange(users.Select((name, at) => new TailnetUser((ulong)at + 1, name, $"{name}@example.test")));
        headscale.Tailnet.Nodes.Add(new TailnetNode(1, "laptop", 1));
        headscale.Tailnet.Nodes.Add(new TailnetNode(2, "phone", 6));
        var gateway = await TestGateway.StartAsync(
            headscale: headscale,
            listen: ", h2c://127.0.0.1:0, https://127.0.0.1:0",
            server: $"{tls}  base_url: https://gw.example.test\n  trusted_proxies: [127.0.0.1/32, 10.9.0.0/16]",
            proxyAuth: """
                    allowed_cidrs: [192.0.2.0/24, '2001:db8:1::/48']
                    trusted_proxy_cidrs: [127.0.0.1/32, 10.9.0.0/16]
                    ip_header: X-Forwarded-For
                    name_header: Remote-Name
                """,
            more: "oidc: {issuer: 'http://127.0.0.1:1', client_id: c, client_secret: s}\nlimits: {anonymous_per_minute: 0}");
        foreach (var (name, role, user) in new[]
        {
            ("alice", "owner", "1"), ("bob", "admin", "2"), ("kate", "admin", "3"), ("nina", "network_admin", "4"),
            ("audrey", "auditor", "5"), ("vera", "viewer", "6"), ("ivan", "it_admin", "7"), ("mel", "member", null),
        })
        {
            var link = user is null ? null : new UserLink(user, UserLink.Unpinned, LinkSource.Admin);
            (await gateway.People.AddAsync(new(Source.Proxy, "", name, null, null, null, role), link)).Should().Be(Change.Done);
        }

        return new GuardedGateway(gateway, folder, certificate.Thumbprint);
    }

    /// <summary>A connection from the proxy's address, or from another one.</summary>
    public async Task<NetworkStream> ConnectAsync(bool asProxy, int? port = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(asProxy ? "127.0.0.1" : "127.0.0.2"), 0));
        await socket.ConnectAsync(Gateway.Url.Host, port ?? Gateway.Url.Port);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Everything that is answered to these bytes.</summary>
    public async Task<string> SendAsync(HostileRequest request)
    {
        await using var connection = await ConnectAsync(request.IsProxy);
        using var answer = new MemoryStream();

        // Where an answer must come, a busy machine gets time for it; then, and where silence is one, a second tells.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(request.Statuses.Contains(0) ? 1 : 20));
        try
        {
            await connection.WriteAsync(request.Bytes, patience.Token);
            var chunk = new byte[16 * 1024];
            for (var read = await connection.ReadAsync(chunk, patience.Token); read
                > 0; read = await connection.ReadAsync(chunk, patience.Token))
            {
                answer.Write(chunk, 0, read);
                patience.CancelAfter(TimeSpan.FromSeconds(1));
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Refused while it was sent, or kept open and silent: both are answers.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }

    public static IReadOnlyList<int> StatusesOf(string answer)
    {
        var statuses = StatusLine().Matches(answer).Select(one => int.Parse(one.Groups[1].Value, CultureInfo.InvariantCulture))
            .Where(one => one != 100).ToArray();
        return statuses.Length == 0 ? [0] : statuses;
    }

    /// <summary>A connection that speaks HTTP/2: over TLS, or with prior knowledge.</summary>
    public async Task<Stream> ConnectHttp2Async(bool asProxy, bool tls)
    {
        var stream = await ConnectAsync(asProxy, new Uri(Gateway.App.Urls.ElementAt(tls ? 2 : 1)).Port);
        if (!tls)
        {
            return stream;
        }

        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "gw.example.test",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == _certificate
            });
        return secure;
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        _folder.Dispose();
    }

    [GeneratedRegex(@"(?:^|\n|\})HTTP/1\.[01] (\d{3})")]
    private static partial Regex StatusLine();
}
