using System.Diagnostics;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Web;
using Dapper;
using Gateway.Sandbox;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Support;

/// <summary>Glewlwyd of Debian as a process, set up through its own administration, with one client and two people.</summary>
internal sealed class GlewlwydProvider : IAsyncDisposable
{
    private const string Schema = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
    private const string Pages = "/usr/share/glewlwyd/webapp";

    private readonly Process _process;
    private readonly TemporaryFolder _folder;
    private readonly HttpClient _admin;
    private readonly HttpClient _person;

    private GlewlwydProvider(Process process, TemporaryFolder folder, int port)
    {
        (_process, _folder) = (process, folder);
        Api = $"http://127.0.0.1:{port}/api";
        _admin = Client();
        _person = Client();
    }

    public string Api { get; }

    public string Issuer => Api + "/oidc";

    public static async Task<GlewlwydProvider> StartAsync(Uri gateway)
    {
        var (folder, port) = (new TemporaryFolder(), GatewayProcess.FreePort());
        using (var database = new SqliteConnection($"Data Source={folder.Path}/glewlwyd.db;Pooling=False"))
        {
            database.Execute(await File.ReadAllTextAsync(Schema));
        }

        // It serves no links that leave its folder, and Debian's package consists of such.
        using (var copy = Process.Start("cp", ["-rL", Pages, folder.Path]))
        {
            await copy.WaitForExitAsync();
        }

        // In Debian 12 the link for the file config.json leads to a folder that holds it.
        var pageSettings = Path.Combine(folder.Path, "webapp", "config.json");
        if (Directory.Exists(pageSettings))
        {
            var settings = await File.ReadAllTextAsync(Path.Combine(pageSettings, "config.json"));
            Directory.Delete(pageSettings, recursive: true);
            await File.WriteAllTextAsync(pageSettings, settings);
        }

        var file = folder.File("glewlwyd.conf", Configuration(folder.Path, port));
        var start = new ProcessStartInfo("glewlwyd", ["-c", file, "-m", "console", "-l", "ERROR"]) { RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        var provider = new GlewlwydProvider(process, folder, port);
        try
        {
            await Until.TrueAsync(provider.IsUpAsync, "glewlwyd answers");
            await provider.SetUpAsync(gateway);
            return provider;
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs the person in there, agrees to the client, and gives the address of the answer.</summary>
    public async Task<string> PassAsync(string authorizeUrl, string login)
    {
        await SendAsync(_person, HttpMethod.Post, "/auth/", new JsonObject { ["username"] = login, ["password"] = $"{login}-password" });
        await SendAsync(_person, HttpMethod.Put, "/auth/grant/headtower", new JsonObject { ["scope"] = "openid email profile" });
        using var answer = await _person.GetAsync(new Uri(authorizeUrl + "&g_continue"));
        Keep(_person, answer);
        return answer.Headers.Location!.OriginalString;
    }

    /// <summary>Ends the person's session there, as its page for signing out does; it then tells its clients.</summary>
    public async Task SignOutAsync(string signOutUrl)
    {
        using var answer = await _person.GetAsync(new Uri(signOutUrl));
        var session = HttpUtility.ParseQueryString(answer.Headers.Location!.Query)["sid"];
        await SendAsync(_person, HttpMethod.Delete, $"/oidc/session/{session}", null);
    }

    /// <summary>A new key signs; the old one stays published.</summary>
    public async Task RotateKeyAsync()
    {
        var plugin = JsonNode.Parse(await _admin.GetStringAsync(new Uri(Api + "/mod/plugin/oidc")))!.AsObject();
        var parameters = plugin["parameters"]!.AsObject();
        var keys = JsonNode.Parse($"{parameters["jwks-private"]}")!;
        var id = $"key-{keys["keys"]!.AsArray().Count + 1}";
        keys["keys"]!.AsArray().Add(PrivateKey(id));
        parameters["jwks-private"] = keys.ToJsonString();
        parameters["default-kid"] = id;
        await SendAsync(_admin, HttpMethod.Put, "/mod/plugin/oidc", plugin);
        await SendAsync(_admin, HttpMethod.Put, "/mod/plugin/oidc/reset/", null);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _admin.Dispose();
        _person.Dispose();
        _folder.Dispose();
    }

    private static HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    private async Task<bool> IsUpAsync()
    {
        try
        {
            using var answer = await _admin.GetAsync(new Uri(Api.Replace("/api", "/config", StringComparison.Ordinal)));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task SetUpAsync(Uri gateway)
    {
        await SendAsync(_admin, HttpMethod.Post, "/auth/", new JsonObject { ["username"] = "admin", ["password"] = "password" });
        await AddPropertiesAsync("user", ["email-verified", "groups"]);
        await AddPropertiesAsync("client", ["backchannel_logout_uri", "post_logout_redirect_uris"]);
        var plugin = new JsonObject { ["module"] = "oidc", ["name"] = "oidc", ["display_name"] = "oidc", ["parameters"] = Plugin() };
        await SendAsync(_admin, HttpMethod.Post, "/mod/plugin/", plugin);
        foreach (var scope in new[] { "email", "profile" })
        {
            await SendAsync(_admin, HttpMethod.Post, "/scope/", JsonNode.Parse(
                $$"""{"name": "{{scope}}", "display_name": "{{scope}}", "password_required": false, "scheme": { } }""")!.AsObject());
        }

        foreach (var login in new[] { "sam", "eve" })
        {
            await SendAsync(_admin, HttpMethod.Post, "/user/", new JsonObject
            {
                ["username"] = login,
                ["password"] = $"{login}-password",
                ["name"] = login,
                ["email"] = $"{login}@example.test",
                ["enabled"] = true,
                ["scope"] = new JsonArray("openid", "email", "profile"),
                ["email-verified"] = "yes",
                ["groups"] = new JsonArray("staff", "users"),
            });
        }

        await SendAsync(_admin, HttpMethod.Post, "/client/", new JsonObject
        {
            ["client_id"] = "headtower",
            ["name"] = "headtower",
            ["confidential"] = true,
            ["enabled"] = true,
            ["client_secret"] = "the-secret",
            ["redirect_uri"] = new JsonArray(gateway + "admin/oidc/callback"),
            ["authorization_type"] = new JsonArray("code"),
            ["token_endpoint_auth_method"] = new JsonArray("client_secret_basic"),
            ["scope"] = new JsonArray(),
            ["backchannel_logout_uri"] = gateway + "admin/oidc/backchannel-logout",
            ["post_logout_redirect_uris"] = new JsonArray(gateway + "admin/login?s=logout"),
        });
    }

    private async Task AddPropertiesAsync(string kind, string[] names)
    {
        var module = JsonNode.Parse(await _admin.GetStringAsync(new Uri($"{Api}/mod/{kind}/database")))!.AsObject();
        var format = module["parameters"]!["data-format"]!.AsObject();
        foreach (var name in names)
        {
            format[name] = JsonNode.Parse("""{"read": true, "write": true, "profile-read": true, "profile-write": false}""");
            format[name]!["multiple"] = name is "groups" or "post_logout_redirect_uris";
        }

        await SendAsync(_admin, HttpMethod.Put, $"/mod/{kind}/database", module);
        await SendAsync(_admin, HttpMethod.Put, $"/mod/{kind}/database/reset/", null);
    }

    private JsonObject Plugin()
    {
        var plugin = new JsonObject
        {
            ["iss"] = Issuer,
            ["subject-type"] = "public",
            ["jwks-private"] = new JsonObject { ["keys"] = new JsonArray(PrivateKey("first")) }.ToJsonString(),
            ["default-kid"] = "first",
            ["jwt-type"] = "rsa",
            ["jwt-key-size"] = "256",
            ["access-token-duration"] = 300,
            ["refresh-token-duration"] = 3600,
            ["code-duration"] = 60,
            ["allowed-scope"] = new JsonArray("openid", "email", "profile"),
            ["name-claim"] = "mandatory",
            ["email-claim"] = "mandatory",
            ["scope-claim"] = "no",
            ["claims"] = JsonNode.Parse("""
                [{"name": "email_verified", "user-property": "email-verified", "type": "boolean", "mandatory": true, "scope": [],
                  "boolean-value-true": "yes", "boolean-value-false": "no"},
                 {"name": "groups", "user-property": "groups", "type": "string", "mandatory": true, "scope": []}]
                """),
            ["session-cookie-name"] = "GLEWLWYD2_OIDC_SID",
            ["session-cookie-expiration"] = 86400,
        };
        foreach (var flag in new[]
        {
            "jwks-show", "refresh-token-rolling", "auth-type-code-enabled", "auth-type-refresh-enabled", "auth-type-code-revoke-replayed",
            "pkce-allowed", "pkce-required", "session-management-allowed", "front-channel-logout-allowed", "back-channel-logout-allowed",
            "oauth-as-iss-id",
        })
        {
            plugin[flag] = true;
        }

        foreach (var flag in new[] { "auth-type-implicit-enabled", "auth-type-token-enabled", "pkce-method-plain-allowed",
            "request-parameter-allow", "register-client-allowed" })
        {
            plugin[flag] = false;
        }

        return plugin;
    }

    private static JsonObject PrivateKey(string id)
    {
        using var rsa = RSA.Create(2048);
        var key = rsa.ExportParameters(true);
        var json = new JsonObject { ["kty"] = "RSA", ["kid"] = id, ["alg"] = "RS256", ["use"] = "sig" };
        foreach (var (name, bytes) in new[] { ("n", key.Modulus), ("e", key.Exponent), ("d", key.D), ("p", key.P), ("q", key.Q),
            ("dp", key.DP), ("dq", key.DQ), ("qi", key.InverseQ) })
        {
            json[name] = System.Buffers.Text.Base64Url.EncodeToString(bytes);
        }

        return json;
    }

    private async Task SendAsync(HttpClient client, HttpMethod method, string path, JsonObject? body)
    {
        using var request = new HttpRequestMessage(method, Api + path);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var answer = await client.SendAsync(request);
        answer.IsSuccessStatusCode.Should().BeTrue(
            $"{method} {path} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        Keep(client, answer);
    }

    /// <summary>Its cookies name no domain in a way that .NET's cookie container takes for another host.</summary>
    private static void Keep(HttpClient client, HttpResponseMessage answer)
    {
        if (answer.Headers.TryGetValues("Set-Cookie", out var fresh))
        {
            var kept = client.DefaultRequestHeaders.TryGetValues("Cookie", out var old) ? string.Join("; ", old).Split("; ") : [];
            var cookies = kept.Concat(fresh.Select(one => one.Split(';')[0])).ToLookup(one => one.Split('=')[0]).Select(one => one.Last());
            client.DefaultRequestHeaders.Remove("Cookie");
            client.DefaultRequestHeaders.Add("Cookie", string.Join("; ", cookies));
        }
    }

    private static string Configuration(string folder, int port) =>
        $$"""
        port={{port}}
        bind_address="127.0.0.1"
        external_url="http://127.0.0.1:{{port}}"
        login_url="login.html"
        api_prefix="api"
        static_files_path="{{folder}}/webapp/"
        cookie_domain=""
        cookie_secure=0
        session_key="GLEWLWYD2_SESSION_ID"
        session_expiration=86400
        admin_scope="g_admin"
        profile_scope="g_profile"
        login_api_enabled=true
        admin_session_authentication="cookie"
        profile_session_authentication="cookie"
        user_module_path="/usr/lib/glewlwyd/user"
        user_middleware_module_path="/usr/lib/glewlwyd/user_middleware"
        client_module_path="/usr/lib/glewlwyd/client"
        user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
        plugin_module_path="/usr/lib/glewlwyd/plugin"
        hash_algorithm="SHA512"
        static_files_mime_types = ( { extension = ".html" mime_type = "text/html" }, { extension = ".css" mime_type = "text/css" },
          { extension = ".js" mime_type = "application/javascript" }, { extension = ".json" mime_type = "application/json" },
          { extension = ".woff2" mime_type = "font/woff2" })
        database = { type = "sqlite3" path = "{{folder}}/glewlwyd.db" };

        """;
}
