using System.Net;
using System.Net.Sockets;
using Gateway.Admin;
using Gateway.Audit;
using Gateway.Edge;
using Gateway.Forward;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Users;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway;

/// <summary>Puts the gateway together. A request's way is read here from top to bottom.</summary>
internal static partial class App
{
    /// <summary>Builds the server. The store is opened and brought up to date first.</summary>
    /// <param name="files">Watched for changes when given.</param>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public static WebApplication Build(Configuration configuration, ConfigurationFiles? files = null, Action<WebApplicationBuilder>? adjust = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "gateway" });
        builder.Services.AddRoutingCore();
        AddLogging(builder.Logging);
        AddServices(builder.Services, configuration, files);
        Listen(builder, configuration.Settings.Server);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(configuration.Settings.Server.DrainSeconds + 5));
        adjust?.Invoke(builder);

        var app = builder.Build();
        var (live, clock) = (app.Services.GetRequiredService<Live<Configuration>>(), app.Services.GetRequiredService<TimeProvider>());
        var drain = app.Services.GetRequiredService<TunnelDrain>();
        drain.Watch();

        // What goes wrong behind this line gets a reference id and a log entry, and no details to the caller.
        app.Use(next => context => CatchAsync(next, context, app.Logger));

        // The edge: peer, client address and identity headers are settled before anything else reads the request.
        app.Use(next => Visit.Begin(next, live, clock));

        // A shutdown does not wait for tunnels longer than it is told to.
        app.Use(drain.RunAsync);

        // Own pages say how they may be used; the provider's answer comes back under the same path.
        var provider = app.Services.GetRequiredService<Provider>();
        app.UseWhen(context => context.Request.Path.StartsWithSegments(configuration.Settings.Server.BasePath), pages =>
        {
            pages.Use(next => PageAnswers.AddHeaders(next, provider));
            pages.Use(PageAnswers.CheckHost);
            pages.Use(app.Services.GetRequiredService<PageLimits>().RunAsync);
            pages.UseAuthentication();
            pages.Use(PageDoor.CatchAsync);
        });

        // Else the framework puts the same in front of everything, the edge included.
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;

        app.UseRouting();
        app.MapGet(CaptivePortal.Path, CaptivePortal.Answer);
        MapPages(app.MapGroup(configuration.Settings.Server.BasePath));

        // Both planes: the policy's rows are YARP's routes, and the walk stands before its forwarder.
        var walk = app.Services.GetRequiredService<Walk>();
        app.MapReverseProxy(proxy => proxy.Use((context, next) => walk.RunAsync(context, _ => next())));
        return app;
    }

    private static void MapPages(RouteGroupBuilder admin)
    {
        admin.MapHealth();
        admin.MapStyleSheet();
        admin.MapLogin();
        admin.MapLogout();
        admin.MapOverview();
        admin.MapConnect();
        admin.MapMachines();
        admin.MapKeys();
        admin.MapApiKeys();
        admin.MapPolicy();
        admin.MapPeople();
        admin.MapPeopleApi();
        admin.MapHeadscaleUsers();
        admin.MapAuditTrail();
        admin.MapAccess();
        admin.MapStatus();
        admin.MapApiDocument();
        admin.MapAccount();
    }

    private static void AddServices(IServiceCollection services, Configuration configuration, ConfigurationFiles? files)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new Live<Configuration>(configuration));

        var store = SqliteFile.Open(configuration.Settings.Store.File);
        services.AddSingleton<IPersonStore>(provider => new SqlitePersonStore(store, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IAuditStore>(new SqliteAuditStore(store));
        services.AddSingleton<ISessionStore>(new SqliteSessionStore(store));

        var connections = new UpstreamConnections();
        services.AddSingleton(connections);
        services.AddSingleton<HeadscaleClient>();
        services.AddSingleton<OwnerLookup>();
        services.AddSingleton<GatewayKey>();
        services.AddSingleton<TrustedHeaders>();
        services.AddSingleton<Credentials>();
        services.AddSingleton<Admission>();
        services.AddSingleton<Authentication>();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<PageLimits>();
        services.AddSingleton<PageDoor>();
        services.AddSingleton<JsonDoor>();
        services.AddSingleton<SentForms>();
        services.AddSingleton<PersonChanges>();
        services.AddSingleton<ShownOnce>();
        services.AddSingleton<Judge>();
        services.AddSingleton<PageCalls>();
        services.AddSingleton<Walk>();
        services.AddSingleton<TunnelDrain>();
        AddRunning<UpstreamWatch>(services);
        AddRunning<UserDirectory>(services);
        AddRunning<People>(services);
        AddRunning<Sessions>(services);
        AddRunning<AuditLog>(services);
        AddSignIn(services, configuration.Settings, store);
        if (files is not null)
        {
            services.AddSingleton(files);
            services.AddHostedService<ConfigurationWatch>();
        }

        services.AddSingleton<IProxyConfigProvider, ProxyRoutes>();
        services.AddReverseProxy().AddTransforms<Transforms>()
            .ConfigureHttpClient((_, handler) => UpstreamSockets.Configure(handler, configuration.Settings.Headscale.TlsCaPath, connections.Opened));
    }

    private static void AddSignIn(IServiceCollection services, GatewaySettings settings, SqliteFile store)
    {
        services.AddSingleton(settings.Store);
        services.AddSingleton<ProviderHttp>();
        AddRunning<Provider>(services);
        services.AddSingleton<ClientRequests>();
        services.AddSingleton<LogoutTokensSeen>();
        services.AddSingleton<ProviderSignIn>();
        services.AddSingleton<ApiKeyAttempts>();
        services.AddSingleton<SignInAudit>();

        // What browsers carry between two requests is protected with keys that every process on the store has.
        services.AddDataProtection().SetApplicationName("headtower").Services.Configure<KeyManagementOptions>(keys =>
        {
            keys.XmlRepository = new KeyRing(store);
            keys.XmlEncryptor = settings.Store.EncryptionKey is { } key ? new KeyRingEncryption(key) : new NullXmlEncryptor();
        });

        var cookie = settings.Server.Cookie;
        services.AddAntiforgery(forms =>
        {
            forms.Cookie = new FormCookie(cookie.Secure);
            SetCookie(forms.Cookie, cookie.Prefix + "headtower-form", secure: false, "/");
            forms.SuppressXFrameOptionsHeader = true;
        });
        services.AddRazorComponents();
        services.AddSingleton<IPostConfigureOptions<OpenIdConnectOptions>, OpenIdConnectPostConfigureOptions>();
        services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>, OidcOptionsSetup>();
        services.AddAuthentication().AddRemoteScheme<OpenIdConnectOptions, OidcHandler>(OidcHandler.SchemeName, null, options =>
        {
            options.CallbackPath = RedirectAddress.PathOf(settings);
            SetCookie(options.CorrelationCookie, (cookie.Secure ? "__Secure-" : "") + "headtower-signin.", cookie.Secure, settings.Server.BasePath + "/oidc");
            options.Events.OnTicketReceived = context => context.HttpContext.RequestServices.GetRequiredService<ProviderSignIn>().SucceedAsync(context);
            options.Events.OnRemoteFailure = context => context.HttpContext.RequestServices.GetRequiredService<ProviderSignIn>().FailAsync(context);
        });
    }

    private static void SetCookie(CookieBuilder cookie, string name, bool secure, string path)
    {
        cookie.Name = name;
        cookie.Path = path;
        cookie.HttpOnly = true;
        cookie.SameSite = SameSiteMode.Lax;
        cookie.SecurePolicy = secure ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
    }

    private static void AddRunning<T>(IServiceCollection services)
        where T : BackgroundService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);

        // The framework's base class says of every failure what is said here already, with its stack and without its cause.
        logging.AddFilter("Gateway.Identity.Oidc.OidcHandler", LogLevel.None);

        // YARP warns of every tunnel that ends, which is how tunnels end (dotnet/yarp #2503).
        logging.AddFilter("Yarp", LogLevel.Error);
    }

    private static void Listen(WebApplicationBuilder builder, ServerSettings server)
    {
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.CreateBoundListenSocket = BindWithKeepAlive);
        if (server.TlsCertPath is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Sockets that systemd holds open (sd_listen_fds) take the place of those in the settings.
            if (Environment.GetEnvironmentVariable("LISTEN_PID") == Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture))
            {
                kestrel.UseSystemd(listen => Speak(listen, server.Listen[0].Scheme, server));
                return;
            }

            foreach (var url in server.Listen)
            {
                kestrel.Listen(IPAddress.Parse(url.Host.Trim('[', ']')), url.Port, listen => Speak(listen, url.Scheme, server));
            }
        });
    }

    /// <summary>Without TLS there is no way to agree on HTTP/2, and upgrades need HTTP/1.1: h2c has a port of its own.</summary>
    private static void Speak(ListenOptions listen, string scheme, ServerSettings server)
    {
        listen.Protocols = scheme switch
        {
            "https" => HttpProtocols.Http1AndHttp2,
            "h2c" => HttpProtocols.Http2,
            _ => HttpProtocols.Http1,
        };
        if (scheme == "https")
        {
            listen.UseHttps(System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(server.TlsCertPath!, server.TlsKeyPath));
        }
    }

    /// <summary>A node whose cable was pulled stays online for ever unless somebody notices (headscale #2129). Accepted sockets inherit this.</summary>
    private static Socket BindWithKeepAlive(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (endpoint is IPEndPoint)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }

        return socket;
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
            context.Response.StatusCode = e is Microsoft.AspNetCore.Http.BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
            await context.Response.WriteAsync($"The gateway failed. Reference: {context.TraceIdentifier}\n");
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Request {Reference} failed")]
    private static partial void LogFailure(ILogger log, string reference, Exception failure);
}
