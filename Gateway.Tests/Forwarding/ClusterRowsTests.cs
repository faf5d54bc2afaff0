using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Loading;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Forwarding;

/// <summary>A user interface on rows of its own works as it does without the gateway, and never sees the key or a session.</summary>
public sealed class ClusterRowsTests
{
    [Fact]
    public async Task AUserInterfaceIsServedAtEveryDepthAndSeesTheHostThatTheBrowserUses()
    {
        await using var ui = await UserInterface.StartAsync();
        await using var gateway = await TestGateway.StartAsync(routes: Rows(ui.Url, "/ui/{file:rest}"));
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = gateway.Url,
        };
        browser.DefaultRequestHeaders.Add("Cookie", "headtower=a-session; theme=dark");

        var answers = new Dictionary<string, HttpStatusCode>();
        foreach (var path in (string[])
            ["/ui", "/ui/", "/ui/_app/immutable/chunks/a.js?v=1", "/ui/a%20b", "/ui/../api/v1/user", "/ui//x", "/ui/%2e%2e/x", "/uix"])
        {
            answers[path] = await StatusOfAsync(gateway, path);
        }

        using var post = new HttpRequestMessage(HttpMethod.Post, "/ui/login") { Content = new StringContent("name=sam") };
        post.Headers.Add("Origin", gateway.Url.GetLeftPart(UriPartial.Authority));
        using var posted = await browser.SendAsync(post);

        answers.Should().Equal(new Dictionary<string, HttpStatusCode>
        {
            ["/ui"] = HttpStatusCode.OK,
            ["/ui/"] = HttpStatusCode.OK,
            ["/ui/_app/immutable/chunks/a.js?v=1"] = HttpStatusCode.OK,
            ["/ui/a%20b"] = HttpStatusCode.OK,
            ["/ui/../api/v1/user"] = HttpStatusCode.Unauthorized,
            ["/ui//x"] = HttpStatusCode.NotFound,
            ["/ui/%2e%2e/x"] = HttpStatusCode.NotFound,
            ["/uix"] = HttpStatusCode.NotFound,
        });
        posted.StatusCode.Should().Be(HttpStatusCode.OK, "a program that compares Origin and Host must find them equal");
        ui.Received.Should().Equal("/ui", "/ui/", "/ui/_app/immutable/chunks/a.js?v=1", "/ui/a%20b", "/ui/login");
        ui.Cookies.Should().Equal("theme=dark");
        ui.Authorization.Should().BeEmpty();
        gateway.Headscale.Forwarded.Should().NotContain(one => one.Target.StartsWith("/ui", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/admin/{file:rest}", "where the gateway's own pages are")]
    [InlineData("/admin", "where the gateway's own pages are")]
    [InlineData("/{file:rest}", "already answers")]
    [InlineData("/register/{file:rest}", "already answers")]
    public void ARowThatWouldTakeThePagesOrHeadscalesPathsIsRefused(string path, string words)
    {
        using var folder = new TemporaryFolder();
        var config = folder.File("headtower.yaml", "headscale: {url: http://127.0.0.1:8080}\n");
        var files = new ConfigurationFiles(
            config, folder.File("routes.yaml", Rows(new Uri("http://127.0.0.1:1"), path)), Some.NoEnvironment);

        var (configuration, problems, _) = files.Load();

        configuration.Should().BeNull();
        problems.Errors.Should().Contain(error => error.Contains(words, StringComparison.Ordinal));
    }

    private static string Rows(Uri ui, string path) =>
        RouteFile.Shipped()
            .Replace("routes:\n", $"clusters: {{ui: \"{ui.GetLeftPart(UriPartial.Authority)}\"}}\nroutes:\n"
                + $"  - {{id: ui, plane: client, cluster: ui, methods: [GET, POST], path: \"{path}\"}}\n", StringComparison.Ordinal);

    /// <summary>Asks without the tidying that HttpClient does to paths.</summary>
    private static async Task<HttpStatusCode> StatusOfAsync(TestGateway gateway, string target)
    {
        var (head, _) = await gateway.SendRawAsync(
            "", Encoding.UTF8.GetBytes($"GET {target} HTTP/1.1\r\nHost: {gateway.Url.Authority}\r\nCookie: headtower=a-session\r\n"
                + "Connection: close\r\n\r\n"));
        return (HttpStatusCode)int.Parse(head.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>A program that refuses forms from elsewhere, as frameworks do: Origin and Host are compared.</summary>
    private sealed class UserInterface : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private UserInterface(WebApplication app) => _app = app;

        public Uri Url => new(_app.Urls.Single());

        public List<string> Received { get; } = [];

        public List<string> Cookies { get; } = [];

        public List<string> Authorization { get; } = [];

        public static async Task<UserInterface> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var ui = new UserInterface(app);
            app.Run(ui.AnswerAsync);
            await app.StartAsync();
            return ui;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private Task AnswerAsync(HttpContext context)
        {
            var request = context.Request;
            Received.Add(context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget);
            Cookies.AddRange(request.Headers.Cookie.Select(one => one!));
            Authorization.AddRange(request.Headers.Authorization.Select(one => one!));
            var isForged = request.Method == "POST" && request.Headers.Origin != $"http://{request.Host}";
            context.Response.StatusCode = isForged ? StatusCodes.Status403Forbidden : StatusCodes.Status200OK;
            return Task.CompletedTask;
        }
    }
}
