using System.Diagnostics;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Identity.Oidc;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Web;
using Gateway.Web.Layout;

namespace Gateway;

/// <summary>Puts the gateway together. A request's way is read here from top to bottom.</summary>
internal static partial class App
{
    /// <summary>Builds the server. The store is opened, brought up to date and read first.</summary>
    /// <param name="files">Watched for changes when given.</param>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public static async Task<WebApplication> BuildAsync(
        Configuration configuration, ConfigurationFiles? files = null, Action<WebApplicationBuilder>? adjust = null)
    {
        var store = await OpenedStore.OpenAsync(configuration.Settings, CancellationToken.None);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "gateway" });
        builder.Services.AddRoutingCore();
        Logs.Add(builder.Logging, configuration.Settings.Log);
        AppServices.Add(builder.Services, configuration, files, store);
        Listeners.Add(builder, configuration.Settings.Server);
        builder.Services.Configure<HostOptions>(
            options => options.ShutdownTimeout = TimeSpan.FromSeconds(configuration.Settings.Server.DrainSeconds + 5));
        adjust?.Invoke(builder);

        var app = builder.Build();
        try
        {
            await AppServices.LoadAsync(app.Services);
        }
        catch
        {
            // The store is let go of.
            await app.DisposeAsync();
            throw;
        }

        foreach (var notice in store.Notices)
        {
            LogNotice(app.Logger, notice);
        }

        UsePipeline(app, configuration.Settings.Server.BasePath);
        return app;
    }

    /// <summary>The way of a request, in order.</summary>
    private static void UsePipeline(WebApplication app, string basePath)
    {
        var services = app.Services;
        var (monitor, clock) = (services.GetRequiredService<ConfigurationMonitor>(), services.GetRequiredService<TimeProvider>());
        services.GetRequiredService<TunnelDrain>().Watch();

        // What Kestrel refuses itself comes by no middleware.
        services.GetRequiredService<BadRequestLog>().Watch(services.GetRequiredService<DiagnosticListener>());

        // A connection that was used may be closed when the gateway ends.
        app.Use(FreshConnections.MarkUsed);

        // What goes wrong behind this line gets a reference id and a log entry, and no details to the caller.
        app.Use(next => context => CatchAsync(next, context, app.Logger));

        app.Use(services.GetRequiredService<RequestLog>().Write);

        // Step 1, the edge: peer, client, target and identity headers are settled before anything else reads the request.
        var loops = services.GetRequiredService<LoopLog>();
        app.Use(next => RequestContext.Begin(next, monitor, loops, clock));

        app.Use(HttpsRedirection.Demand);

        // Both planes of Headscale end here: what is no page of ours never meets the middleware of pages.
        var router = services.GetRequiredService<RequestRouter>();
        app.MapWhen(context => !context.Request.Path.StartsWithSegments(basePath), planes => planes.Run(router.RouteAsync));

        // Own pages. Which endpoint it is says who may come in; without an answer to that, only who is signed in.
        app.UseRouting();
        var provider = services.GetRequiredService<Provider>();
        app.Use(next => PageHeaders.Add(next, provider));
        app.UseLanguages();
        app.Use(PageHeaders.CheckHost);
        app.Use(next => PageErrors.Catch(next, app.Logger));
        app.Use(services.GetRequiredService<PageLimits>().RunAsync);
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGroup(basePath).MapPages();
    }

    private static async Task CatchAsync(RequestDelegate next, HttpContext context, ILogger log)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; nobody is left to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailure(log, context.TraceIdentifier, e);
            context.Response.StatusCode = e is Microsoft.AspNetCore.Http.BadHttpRequestException bad
                ? bad.StatusCode
                : StatusCodes.Status500InternalServerError;
            await context.Response.WriteAsync($"The gateway failed. Reference: {context.TraceIdentifier}\n");
        }
    }

    [LoggerMessage(2, LogLevel.Warning, "{Notice}")]
    private static partial void LogNotice(ILogger log, string notice);

    [LoggerMessage(1, LogLevel.Error, "Request {Reference} failed")]
    private static partial void LogFailure(ILogger log, string reference, Exception failure);
}
