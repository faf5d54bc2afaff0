using System.Net;
using System.Text;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Sandbox.StandIns;

/// <summary>Plays Authelia: whoever says a name is that person, and the identity headers are set as a real front sets them.</summary>
internal sealed class FrontStandIn : IAsyncDisposable
{
    private const string Cookie = "sandbox_person";

    private const string Style =
        ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}main{max-width:28rem;margin:3rem auto;padding:0 1rem}"
        + "button{display:flex;justify-content:space-between;width:100%;font:inherit;padding:.6rem 1rem;margin:.4rem 0;cursor:pointer}";

    private readonly WebApplication _app;
    private readonly Uri _gateway;
    private readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
    private readonly IHttpForwarder _forwarder;

    private readonly string _host;

    private FrontStandIn(WebApplication app, Uri gateway, string host) =>
        (_app, _gateway, _host, _forwarder) = (app, gateway, host, app.Services.GetRequiredService<IHttpForwarder>());

    public Uri Url => SandboxOptions.UrlOf(_host, new Uri(_app.Urls.Single()).Port);

    /// <param name="host">The address that it listens on; for a name, it listens on all of them.</param>
    public static async Task<FrontStandIn> StartAsync(Uri gateway, int port = 0, string host = "127.0.0.1")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.TryParse(host, out var address) ? address : IPAddress.IPv6Any, port));
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var front = new FrontStandIn(app, gateway, host);
        app.MapGet("/sandbox/people", Choose);
        app.MapPost("/sandbox/people/{login}", SignIn);
        // The pattern without a name takes paths with a dot, too; the default one leaves out what looks like a file.
        app.MapFallback("{**path}", front.ForwardAsync);
        await app.StartAsync();
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private static IResult Choose() => Results.Content(
        $"""
        <!doctype html><html lang=en><meta name=viewport content="width=device-width"><title>Sandbox</title><style>{Style}</style>
        <main><h1>Who are you?</h1><p>The sandbox's front signs you in without a password. Pick one; come back here to be another.
        {string.Concat(People.All.Select(one =>
            $"<form method=post action=/sandbox/people/{one.Login}><button>{WebUtility.HtmlEncode(one.Name)} "
            + $"<small>{one.Role}</small></button></form>"))}</main>
        """,
        "text/html; charset=utf-8");

    private static IResult SignIn(string login, HttpContext context)
    {
        context.Response.Cookies.Append(Cookie, login, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax });
        return Results.Redirect("/admin/");
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var login = LoginOf(context.Request);
        var person = People.All.FirstOrDefault(one => one.Login == login);
        await _forwarder.SendAsync(context, _gateway.AbsoluteUri, _http, ForwarderRequestConfig.Empty, new IdentityTransformer(person));
    }

    private static string? LoginOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Basic ", StringComparison.Ordinal)
            ? Encoding.UTF8.GetString(Convert.FromBase64String(header[6..])).Split(':')[0]
            : request.Cookies[Cookie];
    }

    /// <summary>Deletes what the client says about itself, then says it as the front knows it.</summary>
    private sealed class IdentityTransformer(SandboxPerson? person) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            foreach (var name in (ReadOnlySpan<string>)["Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Forwarded-For"])
            {
                proxyRequest.Headers.Remove(name);
            }

            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
            proxyRequest.Headers.TryAddWithoutValidation("X-Forwarded-For", httpContext.Connection.RemoteIpAddress?.ToString());
            if (person is not null)
            {
                proxyRequest.Headers.Authorization = null;
                proxyRequest.Headers.TryAddWithoutValidation("Remote-User", person.Login);
                proxyRequest.Headers.TryAddWithoutValidation("Remote-Email", person.Email);
                proxyRequest.Headers.TryAddWithoutValidation("Remote-Name", person.Name);
                proxyRequest.Headers.TryAddWithoutValidation("Remote-Groups", person.Role);
            }
        }
    }
}
