using System.Net.Sockets;
using System.Text;
using Gateway.Audit;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Support;

/// <summary>The real gateway on a real port in front of a stand-in Headscale. Headers of loopback peers are trusted.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private bool _isStopped;

    private TestGateway(HeadscaleStandIn headscale, WebApplication app, TemporaryFolder folder, ConfigurationFiles files, LogLines log) =>
        (Headscale, App, _folder, Files, Log) = (headscale, app, folder, files, log);

    public HeadscaleStandIn Headscale { get; }

    public WebApplication App { get; }

    public ConfigurationFiles Files { get; }

    /// <summary>What the gateway logged.</summary>
    public LogLines Log { get; }

    public Uri Url => new(App.Urls.First());

    public string Folder => _folder.Path;

    /// <summary>Everything that the gateway keeps on the disk: state, audit, and what is beside them.</summary>
    public IEnumerable<string> StoredFiles => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Where(
            file => !file.EndsWith(".lock", StringComparison.Ordinal) && !file.EndsWith(".sock", StringComparison.Ordinal)
                && file != Files.Config);

    public Configuration Configuration => App.Services.GetRequiredService<ConfigurationMonitor>().Current;

    public Gateway.Users.People People => App.Services.GetRequiredService<Gateway.Users.People>();

    public HeadscaleClient Client => App.Services.GetRequiredService<HeadscaleClient>();

    /// <param name="proxyAuth">Further lines of the section proxy_auth, indented by four.</param>
    /// <param name="more">Further sections.</param>
    public static async Task<TestGateway> StartAsync(
        int version = 29, string proxyAuth = "", string more = "", string server = "", string? routes = null,
            HeadscaleStandIn? headscale = null, string headscaleSection = "", int port = 0, string listen = "")
    {
        headscale ??= await HeadscaleStandIn.StartAsync(version);
        if (headscale.Tailnet.Users.Count == 0)
        {
            Sandbox.People.Settle(headscale);
        }

        var folder = new TemporaryFolder();
        var config = folder.File("headtower.yaml", Yaml(headscale, folder.Path, proxyAuth, more, server, port, headscaleSection, listen));
        return await StartAsync(
            headscale, folder,
            new ConfigurationFiles(config, routes is null ? null : folder.File("routes.yaml", routes), Some.NoEnvironment));
    }

    /// <summary>A gateway that a browser reaches by the address that the settings name.</summary>
    public static Task<TestGateway> StartReachableAsync(string proxyAuth = "", string more = "", HeadscaleStandIn? headscale = null)
    {
        var port = Sandbox.GatewayProcess.FreePort();
        return StartAsync(
            proxyAuth: proxyAuth, more: more, headscale: headscale, port: port,
            server: $"  base_url: http://127.0.0.1:{port}\n  cookie_secure: false");
    }

    /// <summary>A gateway with settings that are a file of their own.</summary>
    public static async Task<TestGateway> StartFileAsync(HeadscaleStandIn headscale, Func<TemporaryFolder, string> yaml)
    {
        Sandbox.People.Settle(headscale);
        var folder = new TemporaryFolder();
        return await StartAsync(
            headscale, folder, new ConfigurationFiles(folder.File("headtower.yaml", yaml(folder)), null, Some.NoEnvironment));
    }

    private static async Task<TestGateway> StartAsync(HeadscaleStandIn headscale, TemporaryFolder folder, ConfigurationFiles files)
    {
        var (configuration, problems, _) = files.Load();
        problems.Errors.Should().BeEmpty();
        var log = new LogLines();
        var app = await Gateway.App.BuildAsync(configuration!, files, builder => builder.Logging.ClearProviders().AddProvider(log));
        await app.StartAsync();
        await AskedAsync(app.Services.GetRequiredService<UpstreamMonitor>());
        return new TestGateway(headscale, app, folder, files, log);
    }

    /// <summary>What a call meets depends on Headscale's version: the first question is under way, and on a busy machine late.</summary>
    private static async Task AskedAsync(UpstreamMonitor upstream)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (var tries = 0; !upstream.WasAsked && tries < 2_000; tries++)
        {
            await timer.WaitForNextTickAsync();
        }
    }

    public static string Yaml(
        HeadscaleStandIn headscale, string folder, string proxyAuth = "", string more = "", string server = "", int port = 0,
        string headscaleSection = "", string listen = "") =>
        $"""
        server:
          listen: [http://127.0.0.1:{port}{listen}]
        {(server.Contains("base_url:", StringComparison.Ordinal) ? "" : "  base_url: https://gateway.example.test")}
          data_path: {folder}
        {server}
          proxy_auth:
            enabled: {(proxyAuth == NoProxyAuth ? "false" : "true")}
            email_header: Remote-Email
            groups_header: Remote-Groups
        {(proxyAuth.Length > 0 ? proxyAuth : RoleMap)}
        headscale:
          url: {headscale.Url.GetLeftPart(UriPartial.Authority)}
        {(headscaleSection.Contains("api_key:", StringComparison.Ordinal) || headscale.Socket is not null
            || headscaleSection.Contains("api_key_path:", StringComparison.Ordinal) ? "" : $"  api_key: {headscale.ApiKey}")}
        {(headscale.Socket is null ? "" : $"  socket: {headscale.Socket}")}
        {headscaleSection}
        {(more.Length > 0 ? more : "bootstrap: {owner: proxy:alice}")}
        {(more.Contains("audit:", StringComparison.Ordinal) ? "" : "audit: {reads: each}")}

        """;

    /// <summary>A client that a proxy signed in; null for nobody.</summary>
    public HttpClient As(string? user, string? role = null, string? email = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url };
        foreach (var (name, value) in new[] { ("Remote-User", user), ("Remote-Groups", role), ("Remote-Email", email) })
        {
            if (value is not null)
            {
                client.DefaultRequestHeaders.Add(name, value);
            }
        }

        return client;
    }

    /// <summary>A browser behind a front that names one of the sandbox's people.</summary>
    public Browser BrowserOf(string login)
    {
        var person = Sandbox.People.All.Single(one => one.Login == login);
        return new Browser(this)
        {
            Headers = { ["Remote-User"] = login, ["Remote-Groups"] = person.Role, ["Remote-Email"] = person.Email },
        };
    }

    /// <summary>One of the sandbox's people, with role and e-mail.</summary>
    public HttpClient AsPerson(string login)
    {
        var person = Sandbox.People.All.Single(one => one.Login == login);
        return As(login, person.Role, person.Email);
    }

    /// <summary>A new token of a person; gives it as programs send it.</summary>
    public async Task<string> MakeTokenAsync(
        string person, string role, TimeSpan? lasts = null, string[]? networks = null, string[]? operations = null, TimeSpan age = default,
            string name = "test")
    {
        var now = TimeProvider.System.GetUtcNow();
        var made = await App.Services.GetRequiredService<AccessTokens>().CreateAsync(new Token
        {
            Id = 0,
            Hash = "",
            Name = name,
            PersonId = People.Snapshot.Everyone.Single(one => one.Label == person).Id,
            Role = role,
            Networks = networks ?? [],
            Operations = operations ?? [],
            CreatedAt = now - age,
            ExpiresAt = now + (lasts ?? TimeSpan.FromDays(1)),
        });
        return made!.Value.Text;
    }

    /// <summary>A program with a token.</summary>
    public HttpClient WithToken(string token, bool isBasic = false)
    {
        var client = As(null);
        client.DefaultRequestHeaders.Authorization = isBasic
            ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(token + ":")))
            : new("Bearer", token);
        client.DefaultRequestHeaders.Host = "gateway.example.test";
        return client;
    }

    /// <summary>Status and text of one call.</summary>
    public static async Task<(int Status, string Text)> CallAsync(HttpClient client, string method, string target, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), target);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Status and text of one call as somebody.</summary>
    public async Task<(int Status, string Text)> CallAsAsync(string? user, string method, string target, string? body = null)
    {
        using var client = As(user);
        return await CallAsync(client, method, target, body);
    }

    /// <summary>A raw connection to the gateway.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Url.Host, Url.Port);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Sends these bytes on a connection of their own; gives all that is answered.</summary>
    public async Task<(string Head, string Text)> SendRawAsync(string head, byte[] body)
    {
        await using var connection = await ConnectAsync();
        await connection.WriteAsync(Encoding.Latin1.GetBytes(head));
        await connection.WriteAsync(body);
        var answer = await RawPeer.ReadHeadAsync(connection);
        using var rest = new MemoryStream();
        try
        {
            await connection.CopyToAsync(rest);
        }
        catch (IOException)
        {
            // Kestrel resets where bytes of a refused request were left unread.
        }

        return (answer, Encoding.UTF8.GetString(rest.ToArray()));
    }

    /// <summary>The whole audit, once everything queued is written: the gateway is stopped for it.</summary>
    public async Task<IReadOnlyList<AuditEntry>> StopAndReadAuditAsync()
    {
        await StopAsync();
        return await StoredState.ReadAuditAsync(Configuration.Settings.Audit.Folder);
    }

    public async Task StopAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            await App.StopAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await App.DisposeAsync();
        await Headscale.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>In the place of the section's lines: nobody comes in by headers.</summary>
    public const string NoProxyAuth = "    # off";

    public const string RoleMap = "    role_map: {admin: admin, network_admin: network_admin, it_admin: it_admin, "
        + "auditor: auditor, viewer: viewer, self_service: self_service}";
}
