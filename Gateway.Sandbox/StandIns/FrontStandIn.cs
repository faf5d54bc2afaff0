using System.Net;
using System.Text;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Sandbox.StandIns;

/// <summary>Plays Authelia: whoever says a name is that person, and the identity headers are set as a real front sets them.</summary>
internal sealed class FrontStandIn : IAsyncDisposable
{
    private const string Cookie = "sandbox_person";

    private readonly WebApplication _app;
    private readonly Uri _gateway;
    private readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
    private readonly IHttpForwarder _forwarder;

    private FrontStandIn(WebApplication app, Uri gateway) =>
        (_app, _gateway, _forwarder) = (app, gateway, app.Services.GetRequiredService<IHttpForwarder>());

    public Uri Url => new(_app.Urls.Single());

    public static async Task<FrontStandIn> StartAsync(Uri gateway, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var front = new FrontStandIn(app, gateway);
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
        $"<!doctype html><title>Sandbox</title><h1>Who are you?</h1>{string.Concat(People.All.Select(one =>
            $"<form method=post action=/sandbox/people/{one.Login}><button>{WebUtility.HtmlEncode(one.Name)} "
            + $"({one.Role})</button></form>"))}",
        "text/html; charset=utf-8");

    private static IResult SignIn(string login, HttpContext context)
    {
        context.Response.Cookies.Append(Cookie, login, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax });
        return Results.Redirect("/admin/readyz");
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
