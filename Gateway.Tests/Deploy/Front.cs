using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Sandbox;
using Gateway.Tests.Support;

namespace Gateway.Tests.Deploy;

/// <summary>A real front, started from the very file that is shipped: only ports, paths and placeholders are put in.</summary>
internal sealed class Front : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly string _certificate;
    private readonly Process _process;
    private readonly List<string> _said = [];

    private Front(TemporaryFolder folder, string certificate, ProcessStartInfo start, int port, int plainPort)
    {
        (_folder, _certificate, Port, PlainPort) = (folder, certificate, port, plainPort);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Say(line.Data);
        _process.ErrorDataReceived += (_, line) => Say(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The folder of everything that is shipped for deployment.</summary>
    public static string Folder { get; } = Path.GetFullPath(Path.Combine(Here(), "..", "..", "deploy"));

    /// <summary>What a file says in its comments of <c>headtower.yaml</c>.</summary>
    public static string SettingsIn(string text) =>
        string.Join(
            '\n',
            text.Split("# headtower.yaml:\n")[1].Split('\n').TakeWhile(one => one.StartsWith("#   ", StringComparison.Ordinal))
                .Select(one => one[4..]));

    /// <summary>PEM file of its certificate.</summary>
    public string CertificateFile => Directory.GetFiles(_folder.Path, "fullchain.pem", SearchOption.AllDirectories).Single();

    /// <summary>Where it speaks TLS.</summary>
    public int Port { get; }

    /// <summary>Where it speaks plain HTTP.</summary>
    public int PlainPort { get; }

    /// <param name="file">The file, relative to <see cref="Folder"/>.</param>
    /// <param name="replacements">What stands in the file → what takes its place; each must be there.</param>
    public static async Task<Front> StartAsync(
        string file, IReadOnlyList<(string Old, string New)> replacements, bool speaksProxyProtocol = false)
    {
        var (folder, port, plain) = (new TemporaryFolder(), GatewayProcess.FreePort(), GatewayProcess.FreePort());
        var certificate = WriteCertificate(folder.Path);
        var text = File.ReadAllText(Path.Combine(Folder, file));
        foreach (var (old, other) in replacements)
        {
            text.Should().Contain(old);
            text = text.Replace(old, other, StringComparison.Ordinal);
        }

        var start = Path.GetDirectoryName(file) switch
        {
            "nginx" => Nginx(folder, text, port, plain),
            "caddy" => Caddy(folder, text, port, plain),
            "haproxy" => HaProxy(folder, text, port, plain),
            _ => Apache(folder, text, port, plain),
        };
        var front = new Front(folder, certificate, start, port, plain);
        await Until.TrueAsync(
            async () =>
                !front._process.HasExited ? await front.IsUpAsync(speaksProxyProtocol) : throw new InvalidOperationException(front.Said),
            $"{file} is up");
        return front;
    }

    /// <summary>What the program said, for a look when it does not start.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said) + string.Concat(Directory.GetFiles(_folder.Path, "*.log").Select(File.ReadAllText));
            }
        }
    }

    /// <summary>A connection with TLS, on which HTTP/1.1 is spoken by hand.</summary>
    public async Task<SslStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", Port);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, IsOurs);
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "headscale.example.com",
                ApplicationProtocols = [SslApplicationProtocol.Http11]
            });
        return stream;
    }

    /// <summary>A client whose https://headscale.example.com is this front.</summary>
    public HttpClient Client(Func<NetworkStream, Task>? greet = null) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        SslOptions = new() { RemoteCertificateValidationCallback = IsOurs },
        ConnectCallback = async (context, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", context.DnsEndPoint.Port == 80 ? PlainPort : Port, cancel);
            var stream = new NetworkStream(socket, ownsSocket: true);
            await (greet?.Invoke(stream) ?? Task.CompletedTask);
            return stream;
        },
    })
    { BaseAddress = new Uri("https://headscale.example.com") };

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private static ProcessStartInfo Nginx(TemporaryFolder folder, string text, int port, int plain)
    {
        var at = folder.Path;
        Directory.CreateDirectory(Path.Combine(at, "snippets"));
        foreach (var snippet in Directory.GetFiles(Path.Combine(Folder, "nginx", "snippets")))
        {
            File.Copy(snippet, Path.Combine(at, "snippets", Path.GetFileName(snippet)));
        }

        folder.File(
            "site.conf",
            Put(text, at).Replace("listen 443 ", $"listen 127.0.0.1:{port} ", StringComparison.Ordinal)
                .Replace("listen [::]:443 ", $"listen [::1]:{port} ", StringComparison.Ordinal)
                .Replace("listen 80;", $"listen 127.0.0.1:{plain};", StringComparison.Ordinal)
                .Replace("listen [::]:80;", $"listen [::1]:{plain};", StringComparison.Ordinal));
        var main = folder.File("nginx.conf", $$"""
            daemon off; pid {{at}}/nginx.pid; error_log {{at}}/error.log warn; worker_processes 1;
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            events { }
            http {
              access_log off; client_body_temp_path {{at}}/tmp; proxy_temp_path {{at}}/tmp; fastcgi_temp_path {{at}}/tmp;
              uwsgi_temp_path {{at}}/tmp; scgi_temp_path {{at}}/tmp;
              include {{at}}/site.conf;
            }
            """);
        return new("/usr/sbin/nginx", ["-p", at, "-c", main, "-e", $"{at}/error.log"]);
    }

    private static ProcessStartInfo Caddy(TemporaryFolder folder, string text, int port, int plain)
    {
        var at = folder.Path;
        var site = text.Replace(
            "http://headscale.example.com:80 {\n", $"http://headscale.example.com:{plain} {{\n\tbind 127.0.0.1\n",
            StringComparison.Ordinal).Replace(
            "\nheadscale.example.com {\n",
            $"\nhttps://headscale.example.com:{port} {{\n\tbind 127.0.0.1\n\ttls {at}/fullchain.pem {at}/privkey.pem\n",
            StringComparison.Ordinal);
        var file = folder.File(
            "Caddyfile",
            $"{{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system {at}/data\n\tlog {{\n\t\tlevel "
            + $"WARN\n\t}}\n}}\n{site}");
        var start = new ProcessStartInfo("/usr/bin/caddy", ["run", "--config", file, "--adapter", "caddyfile"]);
        (start.Environment["HOME"], start.Environment["XDG_DATA_HOME"], start.Environment["XDG_CONFIG_HOME"]) = (at, at, at);
        return start;
    }

    private static ProcessStartInfo HaProxy(TemporaryFolder folder, string text, int port, int plain)
    {
        var at = folder.Path;
        var file = folder.File("haproxy.cfg", text
            .Replace("bind :443 ", $"bind 127.0.0.1:{port} ", StringComparison.Ordinal)
            .Replace("bind :80\n", $"bind 127.0.0.1:{plain}\n", StringComparison.Ordinal)
            .Replace("bind :::443 ", $"bind ::1:{port} ", StringComparison.Ordinal)
            .Replace("bind :::80 ", $"bind ::1:{plain} ", StringComparison.Ordinal)
            .Replace("/etc/haproxy/headscale.example.com.pem", $"{at}/both.pem", StringComparison.Ordinal)
            .Replace("/etc/haproxy/forward-auth.lua", Path.Combine(Folder, "haproxy", "forward-auth.lua"), StringComparison.Ordinal));
        return new("/usr/sbin/haproxy", ["-db", "-f", file]);
    }

    private static ProcessStartInfo Apache(TemporaryFolder folder, string text, int port, int plain)
    {
        var at = folder.Path;
        string[] modules =
        [
            "alias", "mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "headers", "setenvif", "ssl",
            "socache_shmcb", "proxy", "proxy_http", "auth_openidc",
        ];
        folder.OpenToEverybody();

        var loaded = string.Join(
            '\n',
            modules.Where(one => one != "auth_openidc" || text.Contains("OIDC", StringComparison.Ordinal))
                .Select(one => $"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so"));
        var file = folder.File("httpd.conf", $"""
            ServerRoot {at}
            DefaultRuntimeDir {at}
            PidFile {at}/pid
            Mutex default:{at}
            ErrorLog {at}/error.log
            ServerName localhost
            Listen 127.0.0.1:{port}
            Listen 127.0.0.1:{plain}
            {loaded}
            {(Environment.UserName == "root" ? "User nobody\nGroup nogroup" : "")}
            {Put(text, at).Replace("<VirtualHost *:443>", $"<VirtualHost 127.0.0.1:{port}>", StringComparison.Ordinal)
                .Replace("<VirtualHost *:80>", $"<VirtualHost 127.0.0.1:{plain}>", StringComparison.Ordinal)}
            """);
        return new("/usr/sbin/apache2", ["-DFOREGROUND", "-f", file]);
    }

    private static string Put(string text, string at) => text
        .Replace("/etc/ssl/headscale.example.com/", at + "/", StringComparison.Ordinal)
        .Replace("include snippets/", $"include {at}/snippets/", StringComparison.Ordinal);

    /// <summary>Gives its hash.</summary>
    private static string WriteCertificate(string folder)
    {
        var (chain, secret) = (Path.Combine(folder, "fullchain.pem"), Path.Combine(folder, "privkey.pem"));
        var hash = Certificates.Write(chain, secret);
        File.WriteAllText(Path.Combine(folder, "both.pem"), File.ReadAllText(chain) + File.ReadAllText(secret));
        return hash;
    }

    private async Task<bool> IsUpAsync(bool speaksProxyProtocol)
    {
        try
        {
            if (speaksProxyProtocol)
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync("127.0.0.1", Port);
                return true;
            }

            await using var stream = await ConnectAsync();
            return true;
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }

    private bool IsOurs(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.GetCertHashString(HashAlgorithmName.SHA256) == _certificate;

    private void Say(string? line)
    {
        if (line is not null)
        {
            lock (_said)
            {
                _said.Add(line);
            }
        }
    }

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
