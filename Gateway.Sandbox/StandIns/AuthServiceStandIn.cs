using System.Net;

namespace Gateway.Sandbox.StandIns;

/// <summary>
/// Answers what fronts ask Authelia, authentik's outpost, Tinyauth and oauth2-proxy: who is signed in? The cookie <c>who</c>
/// says it. Written from their sources, since none of the four is a package of Debian.
/// </summary>
internal sealed class AuthServiceStandIn : IAsyncDisposable
{
    /// <summary>Somebody whom a bypass rule lets through without saying who it is.</summary>
    public const string Nobody = "nobody-in-particular";

    /// <summary>Somebody who is signed in and not allowed.</summary>
    public const string Denied = "denied";

    private readonly WebApplication _app;

    private AuthServiceStandIn(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.Single()).Port;

    public static async Task<AuthServiceStandIn> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(context =>
        {
            Answer(context);
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return new AuthServiceStandIn(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Answer(HttpContext context)
    {
        var (path, who) = (context.Request.Path.Value ?? "", context.Request.Cookies["who"]);
        if (path == "/oauth2/sign_in")
        {
            var back = context.Request.Headers["X-Auth-Request-Redirect"] is [{ Length: > 0 } header] ? header
                : context.Request.Query["rd"].ToString();
            context.Response.Cookies.Append("_oauth2_proxy_csrf", "1");
            context.Response.Redirect($"https://portal.example.com/?rd={Uri.EscapeDataString(back)}");
            return;
        }

        var person = People.All.FirstOrDefault(one => one.Login == who);
        var style = path switch
        {
            "/api/authz/auth-request" or "/api/authz/forward-auth" => Style.Authelia,
            "/api/auth/nginx" or "/api/auth/caddy" => Style.Tinyauth,
            "/oauth2/auth" => Style.OAuth2Proxy,
            _ when path.StartsWith("/outpost.goauthentik.io/auth/", StringComparison.Ordinal) => Style.Authentik,
            _ => Style.None,
        };
        var asksNginx = path is "/api/authz/auth-request" or "/oauth2/auth" || path.EndsWith("/nginx", StringComparison.Ordinal);
        context.Response.StatusCode = style is Style.None ? 200
            : style is Style.Authelia && !IsAskedProperly(context.Request, asksNginx) ? 400
            : who == Denied ? 403
            : who == Nobody ? 200
            : person is not null ? (style is Style.OAuth2Proxy ? 202 : 200)
            : asksNginx ? 401
            : 302;
        if (style is not Style.None && context.Response.StatusCode is 401 or 302)
        {
            context.Response.Headers[style is Style.Tinyauth && asksNginx ? "x-tinyauth-location"
                : "Location"] = "https://portal.example.com/";
        }

        if (person is not null && style is not Style.None)
        {
            SetIdentity(context.Response.Headers, style, person);
        }
    }

    private static bool IsAskedProperly(HttpRequest request, bool asksNginx) => asksNginx
        ? request.Headers["X-Original-URL"].Count == 1 && request.Headers["X-Original-Method"].Count == 1
        : request.Headers["X-Forwarded-Method"].Count == 1 && request.Headers["X-Forwarded-Host"].Count == 1
            && request.Headers["X-Forwarded-Uri"].Count == 1 && request.Headers["X-Forwarded-Proto"].Count == 1;

    private static void SetIdentity(IHeaderDictionary headers, Style style, SandboxPerson person)
    {
        string[] groups = person.Role is "owner" or "admin" ? ["headscale-admins", "staff"] : ["staff"];
        var (start, separator) = style switch
        {
            Style.Authentik => ("X-authentik-", '|'),
            Style.OAuth2Proxy => ("X-Auth-Request-", ','),
            _ => ("Remote-", ','),
        };
        headers[start + (style is Style.Authentik ? "username" : "User")] = person.Login;
        headers[start + "Email"] = person.Email;
        headers[start + (style is Style.OAuth2Proxy ? "Preferred-Username" : "Name")] = person.Name;
        headers[start + "Groups"] = string.Join(separator, groups);
    }

    private enum Style
    {
        None = 0,
        Authelia,
        Authentik,
        Tinyauth,
        OAuth2Proxy,
    }
}
