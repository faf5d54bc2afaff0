using Gateway.Identity;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Deploy;

/// <summary>Who signs people in, in a chain.</summary>
internal enum SignIn
{
    None = 0,

    /// <summary>The gateway, at its provider.</summary>
    Gateway,

    /// <summary>A service that the front asks.</summary>
    Asked,

    /// <summary>The front, by password.</summary>
    Basic,

    /// <summary>The front, at its provider.</summary>
    FrontsProvider,

    /// <summary>The portal of LemonLDAP::NG.</summary>
    Portal,
}

/// <summary>A front, the gateway behind it, and whatever either asks. All settings are those of the shipped file.</summary>
internal sealed class Chain : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _parts = [];
    private ProviderStandIn? _provider;
    private LemonLdapProvider? _portal;

    private Chain(SignIn style) => Style = style;

    public SignIn Style { get; }

    public Front Front { get; private set; } = null!;

    public TestGateway Gateway { get; private set; } = null!;

    public static async Task<Chain> StartAsync(string file, bool speaksProxyProtocol = false)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Front.Folder, file));
        var chain = new Chain(StyleOf(Path.GetFileNameWithoutExtension(file)));
        try
        {
            await chain.StartAsync(file, text, speaksProxyProtocol);
            return chain;
        }
        catch
        {
            await chain.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs sam in, and gives the headers by which he then comes.</summary>
    public async Task<string[]> SignInAsync(HttpClient client)
    {
        switch (Style)
        {
            case SignIn.Asked:
                return ["Cookie: who=sam"];
            case SignIn.Basic:
                return ["Authorization: Basic " + Convert.ToBase64String("sam:sam-pw"u8.ToArray())];
            case SignIn.Portal:
                return ["Cookie: " + await _portal!.SignInAtPortalAsync("dwho")];
            default:
                return await SignInAtProviderAsync(client, Style is SignIn.Gateway ? "/admin/oidc/start" : "/admin/api/me");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }
    }

    private static SignIn StyleOf(string name) => name switch
    {
        "oidc" => SignIn.Gateway,
        "basic-auth" => SignIn.Basic,
        "openidc" => SignIn.FrontsProvider,
        "lemonldap" => SignIn.Portal,
        _ => SignIn.Asked,
    };

    private async Task StartAsync(string file, string text, bool speaksProxyProtocol)
    {
        _parts.Add(
            _provider = await ProviderStandIn.StartAsync([.. Sandbox.People.All.Select(one =>
                new ProviderAccount(one.Login, one.Login, one.Name, one.Email, true, ["staff"]))]));
        var auth = await AuthServiceStandIn.StartAsync();
        _parts.Add(auth);
        if (Style is SignIn.Portal)
        {
            _parts.Add(_portal = await LemonLdapProvider.StartAsync("http://localhost/", "http://localhost/"));
        }

        var (headscale, port) = (await HeadscaleStandIn.StartAsync(29), GatewayProcess.FreePort());
        Gateway = await TestGateway.StartFileAsync(headscale, folder => Settings(text, headscale, folder, port));
        _parts.Add(Gateway);
        await OwnerComesFirstAsync();
        Front = await Front.StartAsync(
            file, [.. Replacements(file, text, port, auth.Port), .. speaksProxyProtocol ? ProxyProtocol(file) : []], speaksProxyProtocol);
        _parts.Add(Front);
    }

    /// <summary>What the comments of a front's file say of <c>headtower.yaml</c>, with what only this machine knows.</summary>
    private string Settings(string text, HeadscaleStandIn headscale, TemporaryFolder folder, int port)
    {
        var yaml = Front.SettingsIn(text).Replace("# role_map:", "role_map:", StringComparison.Ordinal)
            .Replace("http://127.0.0.1:8080", headscale.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
            .Replace("/etc/headtower/headscale-api-key", folder.File("key", headscale.ApiKey), StringComparison.Ordinal)
            .Replace("/etc/headtower/client-secret", folder.File("secret", ProviderStandIn.ClientSecret), StringComparison.Ordinal)
            .Replace("https://id.example.com", _provider!.Issuer, StringComparison.Ordinal)
            .Replace("  port: 3000\n", $"  port: {port}\n  data_path: {folder.Path}\n", StringComparison.Ordinal);
        yaml.Should().Contain($"port: {port}");
        return yaml + (Style is SignIn.Gateway
            ? "\n  role_claim: groups\n  role_map: {headscale-admins: admin, staff: self_service}\n"
            : "\n");
    }

    /// <summary>So that nobody of the test becomes the owner by being the first.</summary>
    private async Task OwnerComesFirstAsync()
    {
        (await Gateway.People.AddAsync(new(Source.Proxy, "", "the-owner", null, null, null, "owner"), null)).Should().Be(Change.Done);
    }

    private IEnumerable<(string, string)> Replacements(string file, string text, int gateway, int auth)
    {
        yield return ("127.0.0.1:3000", $"127.0.0.1:{gateway}");
        foreach (var at in new[] { "127.0.0.1:9091", "127.0.0.1:9000", "127.0.0.1:3010", "127.0.0.1:4180" }.Where(one =>
            text.Contains(one, StringComparison.Ordinal)))
        {
            yield return (at, $"127.0.0.1:{auth}");
        }

        foreach (var (old, other) in new[]
        {
            ("/etc/nginx/headtower.htpasswd", Passwords()), ("/etc/apache2/headtower.htpasswd", Passwords()),
            ("$2a$14$replace.this.by.what.caddy.hash-password.printed", "$2a$10$" + BcryptOfPassword),
            ("$5$replace$this-by-what-mkpasswd-printed", ShaOfPassword),
            ("https://id.example.com", _provider!.Issuer),
            ("OIDCClientSecret replace-this-secret", $"OIDCClientSecret \"{ProviderStandIn.ClientSecret}\""),
            ("unix:/run/llng-fastcgi-server/llng-fastcgi.sock", $"127.0.0.1:{_portal?.FastCgi}"),
        })
        {
            if (text.Contains(old, StringComparison.Ordinal))
            {
                yield return (old, other);
            }
        }
    }

    private static IEnumerable<(string, string)> ProxyProtocol(string file) => file.StartsWith("nginx", StringComparison.Ordinal)
        ? [("listen 443 ssl http2;", "listen 443 ssl http2 proxy_protocol;"),
            ("#set_real_ip_from 192.0.2.0/24;", "set_real_ip_from 127.0.0.0/8;"), ("#real_ip_header", "real_ip_header")]
        : [("bind :443 ssl", "bind :443 accept-proxy ssl")];

    private string Passwords()
    {
        var folder = new TemporaryFolder();
        _parts.Add(new Disposing(folder));
        var file = folder.File("htpasswd", $"sam:{ShaOfPassword}\n");
        folder.OpenToEverybody();
        return file;
    }

    private async Task<string[]> SignInAtProviderAsync(HttpClient client, string start)
    {
        var cookies = new Dictionary<string, string>();
        var at = new Uri(client.BaseAddress!, start);
        for (var step = 0; step < 8 && at is not null; step++)
        {
            var isProvider = at.AbsoluteUri.StartsWith(_provider!.Issuer, StringComparison.Ordinal);
            using var elsewhere = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
            using var request = new HttpRequestMessage(
                HttpMethod.Get, isProvider ? new Uri(at.AbsoluteUri.Replace("/authorize?", "/as/sam?", StringComparison.Ordinal)) : at);
            request.Headers.TryAddWithoutValidation("Accept", "text/html");
            if (!isProvider)
            {
                request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", cookies.Select(one => $"{one.Key}={one.Value}")));
            }

            using var answer = await (isProvider ? elsewhere : client).SendAsync(request);
            foreach (var line in answer.Headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
            {
                var pair = line.Split(';')[0].Split('=', 2);
                cookies[pair[0]] = pair[1];
            }

            at = answer.Headers.Location is { } next ? new Uri(at, next) : null;
        }

        return ["Cookie: " + string.Join("; ", cookies.Where(one => one.Value.Length > 0).Select(one => $"{one.Key}={one.Value}"))];
    }

    private const string BcryptOfPassword = "GQgRO5Rx4BdM67m6o2P8reSUvZ9b1cVPCCYDxPL8rmDzIKNLj1s5K";

    private const string ShaOfPassword = "$5$headtower$/707lA1LTmjPI9W65.2Mruo0.Rec4tW3VsghzGddYw2";

    private sealed class Disposing(IDisposable one) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            one.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
