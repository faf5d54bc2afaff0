using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Bench;

/// <summary>
/// The two servers that the gateway is measured against, each a process of its own: an upstream, and bare YARP in front of it.
/// </summary>
internal static class Servers
{
    /// <summary>Answers what the gateway asks of a Headscale, and as little else as possible.</summary>
    public static async Task RunUpstreamAsync(int port, string key)
    {
        var app = Build(port, _ => { });
        var node = Encoding.UTF8.GetBytes("""{"node":{"id":"11","givenName":"laptop","user":{"id":"1","name":"alice"},"tags":[]"""
            + ""","ipAddresses":["100.64.0.1"],"online":true,"preAuthKey":null}}""");
        app.Run(context =>
        {
            var path = context.Request.Path.Value ?? "";
            if (path == "/ts2021")
            {
                return UpgradeAsync(context);
            }

            context.Response.ContentType = "application/json";
            var answer = path switch
            {
                "/version" => """{"version":"v0.29.2"}"""u8.ToArray(),
                "/api/v1/user" =>
                    """{"users":[{"id":"1","name":"alice","email":"alice@example.test","createdAt":"2026-01-01T00:00:00Z"}]}"""u8.ToArray(),
                "/api/v1/apikey" => Encoding.UTF8.GetBytes(
                    $$"""{"apiKeys":[{"id":"1","prefix":"{{key.Split('-')[2]}}","expiration":"2036-01-01T00:00:00Z"}]}"""),
                _ => node,
            };
            context.Response.ContentLength = answer.Length;
            return context.Response.Body.WriteAsync(answer).AsTask();
        });
        await app.RunAsync();
    }

    /// <summary>YARP with one route and nothing else.</summary>
    public static async Task RunYarpAsync(int port, int upstream) => await BuildYarp(port, upstream).RunAsync();

    /// <inheritdoc cref="RunYarpAsync"/>
    public static WebApplication BuildYarp(int port, int upstream)
    {
        var app = Build(port, services => services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "upstream", Match = new RouteMatch { Path = "/{**rest}" } }],
            [
                new ClusterConfig
                {
                    ClusterId = "upstream",
                    Destinations = new Dictionary<string,
                    DestinationConfig> { ["only"] = new() { Address = $"http://127.0.0.1:{upstream}" } },
                    HttpRequest = new() { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact },
                },
            ]));
        app.UseRouting();
        app.MapReverseProxy();
        return app;
    }

    private static WebApplication Build(int port, Action<IServiceCollection> add)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Services.AddRoutingCore();
        add(builder.Services);
        return builder.Build();
    }

    private static async Task UpgradeAsync(HttpContext context)
    {
        var upgrade = context.Features.GetRequiredFeature<IHttpUpgradeFeature>();
        context.Response.Headers.Upgrade = context.Request.Headers.Upgrade;
        await using var tunnel = await upgrade.UpgradeAsync();
        var buffer = new byte[64];
        while (await tunnel.ReadAsync(buffer, context.RequestAborted) > 0)
        {
        }
    }

    /// <summary>Starts one of them, by the arguments of this program.</summary>
    public static System.Diagnostics.Process Start(params IEnumerable<object> arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(Servers).Assembly.Location);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(Convert.ToString(argument, CultureInfo.InvariantCulture)!);
        }

        // As the gateway runs.
        start.Environment["DOTNET_gcServer"] = "0";
        return System.Diagnostics.Process.Start(start)!;
    }
}
