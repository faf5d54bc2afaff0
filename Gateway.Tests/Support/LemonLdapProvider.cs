using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Sandbox;

namespace Gateway.Tests.Support;

/// <summary>LemonLDAP::NG of Debian: its portal behind nginx, with the demonstration accounts (dwho, rtyler, msmith).</summary>
internal sealed partial class LemonLdapProvider : IAsyncDisposable
{
    private readonly List<Process> _processes = [];
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly int _port = GatewayProcess.FreePort();

    private LemonLdapProvider()
    {
    }

    /// <summary>Where its handler answers what nginx asks about a request.</summary>
    public int FastCgi { get; } = GatewayProcess.FreePort();

    public string Issuer => $"http://localhost:{_port}";

    public static async Task<LemonLdapProvider> StartAsync(string redirectUri, string postLogoutUri)
    {
        var provider = new LemonLdapProvider();
        try
        {
            await provider.StartAsync(redirectUri, postLogoutUri, "key-1");
            return provider;
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }
    }

    /// <summary>Fills in the portal's form and gives the address of the answer.</summary>
    public async Task<string> PassAsync(string authorizeUrl, string login)
    {
        using var form = await _http.GetAsync(new Uri(authorizeUrl));
        if (form.Headers.Location is { } direct)
        {
            return direct.OriginalString;
        }

        var hidden = Hidden().Matches(await form.Content.ReadAsStringAsync())
            .Select(one => KeyValuePair.Create(one.Groups[1].Value, System.Net.WebUtility.HtmlDecode(one.Groups[2].Value)));
        using var answer = await _http.PostAsync(
            new Uri(authorizeUrl),
            new FormUrlEncodedContent([.. hidden, KeyValuePair.Create("user", login), KeyValuePair.Create("password", login)]));
        return answer.Headers.Location?.OriginalString ?? throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Signs in at the portal itself, and gives the cookie of its session.</summary>
    public async Task<string> SignInAtPortalAsync(string login)
    {
        using var form = await _http.GetAsync(new Uri(Issuer + "/"));
        var hidden = Hidden().Matches(await form.Content.ReadAsStringAsync())
            .Select(one => KeyValuePair.Create(one.Groups[1].Value, System.Net.WebUtility.HtmlDecode(one.Groups[2].Value)));
        using var answer = await _http.PostAsync(
            new Uri(Issuer + "/"),
            new FormUrlEncodedContent([.. hidden, KeyValuePair.Create("user", login), KeyValuePair.Create("password", login)]));
        return answer.Headers.GetValues("Set-Cookie").Select(one => one.Split(';')[0])
            .Last(one => one.StartsWith("lemonldap=", StringComparison.Ordinal));
    }

    /// <summary>Comes back at the same address with a new key under a new id.</summary>
    public async Task RestartWithAnotherKeyAsync(string redirectUri, string postLogoutUri)
    {
        await StopAsync();
        Directory.Delete(Path.Combine(_folder.Path, "cache"), recursive: true);
        await StartAsync(redirectUri, postLogoutUri, "key-2");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync(string redirectUri, string postLogoutUri, string keyId)
    {
        Write(Settings(redirectUri, postLogoutUri, keyId), FastCgi);
        await Until.TrueAsync(IsUpAsync, "LemonLDAP::NG answers");
    }

    private async Task StopAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _processes.Clear();
    }

    private void Write(JsonObject settings, int fastCgi)
    {
        var at = _folder.Path;
        foreach (var name in (ReadOnlySpan<string>)["conf", "cache", "sessions/lock", "psessions/lock", "tmp", "lib/Without"])
        {
            Directory.CreateDirectory(Path.Combine(at, name));
        }

        // Its captcha needs an image library, also where it is off.
        _folder.File(
            "lib/Without/Captcha.pm",
            "package Without::Captcha; use Mouse; extends 'Lemonldap::NG::Portal::Main::Plugin'; sub init { 1 } 1;");
        _folder.File("conf/lmConf-1.json", settings.ToJsonString());
        var cache = $"'namespace' => 'c', 'default_expires_in' => 600, 'cache_root' => '{at}/cache', 'cache_depth' => 3";
        var ini = _folder.File("llng.ini", $"""
            [all]
            logLevel = error
            logger = Lemonldap::NG::Common::Logger::Std
            [configuration]
            type=File
            dirName = {at}/conf
            localStorage=Cache::FileCache
            localStorageOptions={OpenBrace} {cache} {CloseBrace}
            [portal]
            staticPrefix = /static
            templateDir = /usr/share/lemonldap-ng/portal/templates
            languages = en
            """);
        var nginx = _folder.File("nginx.conf", $$"""
            daemon off; pid {{at}}/nginx.pid; error_log {{at}}/nginx.log warn; worker_processes 1; user root;
            events { }
            http {
              access_log off; client_body_temp_path {{at}}/tmp; proxy_temp_path {{at}}/tmp; fastcgi_temp_path {{at}}/tmp;
              uwsgi_temp_path {{at}}/tmp; scgi_temp_path {{at}}/tmp;
              fastcgi_buffers 16 16k; fastcgi_buffer_size 32k;
              server {
                listen 127.0.0.1:{{_port}}; server_name localhost; root /usr/share/lemonldap-ng/portal/htdocs/; default_type text/html;
                if ($uri !~ ^/((static|javascript|favicon).*|.*\.psgi)) { rewrite ^/(.*)$ /index.psgi/$1 break; }
                location ~ ^(?<sc>/.*\.psgi)(?:$|/) {
                  include /etc/nginx/fastcgi_params; fastcgi_pass 127.0.0.1:{{fastCgi}};
                  fastcgi_param HTTP_HOST $http_host; fastcgi_param LLTYPE psgi; fastcgi_param SCRIPT_FILENAME $document_root$sc;
                  fastcgi_split_path_info ^(.*\.psgi)(/.*)$; fastcgi_param PATH_INFO $fastcgi_path_info;
                  fastcgi_param HTTP_AUTHORIZATION $http_authorization;
                }
                location / { try_files $uri =404; }
              }
            }
            """);

        // It refuses to be root, and then needs what root wrote.
        string[] nobody = Environment.UserName == "root" ? ["-u", "nobody", "-g", "nogroup"] : [];
        _folder.OpenToEverybody();

        Start("llng-fastcgi-server", ["--foreground", .. nobody, "-n", "2", "-p", $"{at}/llng.pid", "-s", $"{at}/llng.sock", "-l",
            $"127.0.0.1:{fastCgi}"],
            ("PERL5LIB", $"{at}/lib"), ("LLNG_DEFAULTCONFFILE", ini), ("LLNG_DEFAULTLOGGER", "Lemonldap::NG::Common::Logger::Std"));
        Start("nginx", ["-p", at, "-c", nginx, "-e", $"{at}/nginx.log"]);
    }

    private const string OpenBrace = "{";

    private const string CloseBrace = "}";

    private void Start(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    private async Task<bool> IsUpAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(Issuer + "/.well-known/openid-configuration"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private JsonObject Settings(string redirectUri, string postLogoutUri, string keyId)
    {
        using var rsa = RSA.Create(2048);
        var at = _folder.Path;
        return JsonNode.Parse(
            $$"""
            {
              "cfgNum": 1, "cfgAuthor": "test", "cfgDate": "1700000000", "cfgVersion": "2.16.1", "domain": "localhost",
              "portal": "{{Issuer}}/", "cookieName": "lemonldap", "securedCookie": 0,
              "authentication": "Demo", "userDB": "Same", "passwordDB": "Demo", "registerDB": "Null",
              "captcha": "Without::Captcha", "captcha_login_enabled": 0, "captcha_mail_enabled": 0,
              "captcha_register_enabled": 0, "portalDisplayRegister": 0, "portalDisplayResetPassword": 0,
              "portalDisplayCertificateResetByMail": 0,
              "demoExportedVars": { "cn": "cn", "mail": "mail", "uid": "uid" }, "exportedVars": {}, "groups": {},
              "macros": { "_whatToTrace": "$_user" }, "whatToTrace": "_whatToTrace", "requireToken": 0,
              "globalStorage": "Apache::Session::File", "globalStorageOptions": {
                "Directory": "{{at}}/sessions", "LockDirectory": "{{at}}/sessions/lock",
                "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256" },
              "persistentStorage": "Apache::Session::File", "persistentStorageOptions": {
                "Directory": "{{at}}/psessions", "LockDirectory": "{{at}}/psessions/lock" },
              "localSessionStorage": "Cache::FileCache", "localSessionStorageOptions": {
                "cache_depth": 3, "cache_root": "{{at}}/cache", "default_expires_in": 600, "namespace": "s" },
              "notification": 0, "timeout": 3600, "key": "0123456789abcdef",
              "locationRules": { "localhost": { "default": "accept" }, "headscale.example.com": { "default": "accept" } },
              "exportedHeaders": { "headscale.example.com": {
                "Remote-User": "'sam'", "Remote-Email": "'sam@example.test'", "Remote-Name": "$cn",
                "Remote-Groups": "'staff; timelords'" } },
              "issuerDBOpenIDConnectActivation": 1, "oidcServiceMetaDataIssuer": "{{Issuer}}", "oidcServiceKeyIdSig": "{{keyId}}",
              "oidcServiceAllowAuthorizationCodeFlow": 1, "oidcServiceIgnoreScopeForClaims": 0,
              "oidcServicePrivateKeySig": {{JsonValue.Create(rsa.ExportRSAPrivateKeyPem()).ToJsonString()}},
              "oidcServicePublicKeySig": {{JsonValue.Create(rsa.ExportSubjectPublicKeyInfoPem()).ToJsonString()}},
              "oidcRPMetaDataOptions": { "headtower": {
                "oidcRPMetaDataOptionsClientID": "headtower", "oidcRPMetaDataOptionsClientSecret": "the-secret",
                "oidcRPMetaDataOptionsRedirectUris": "{{redirectUri}}", "oidcRPMetaDataOptionsIDTokenSignAlg": "RS256",
                "oidcRPMetaDataOptionsRequirePKCE": 1, "oidcRPMetaDataOptionsBypassConsent": 1,
                "oidcRPMetaDataOptionsLogoutBypassConfirm": 1, "oidcRPMetaDataOptionsPostLogoutRedirectUris": "{{postLogoutUri}}" } },
              "oidcRPMetaDataExportedVars": { "headtower": {
                "email": "mail;string;auto", "name": "cn;string;auto", "preferred_username": "uid;string;auto",
                "email_verified": "mailok;bool;auto" } },
              "oidcRPMetaDataMacros": { "headtower": { "mailok": "1" } }
            }
            """)!.AsObject();
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\"[^>]* value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}
