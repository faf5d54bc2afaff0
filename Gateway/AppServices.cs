using Gateway.Audit;
using Gateway.Authorization;
using Gateway.Documents;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Users;
using Gateway.Web.Control;
using Gateway.Web.Home;
using Gateway.Web.Layout;
using Gateway.Web.Live;
using Gateway.Web.SignIn;
using Gateway.Web.Tokens;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;

namespace Gateway;

/// <summary>Everything that the gateway is made of, and who gets what.</summary>
internal static class AppServices
{
    /// <summary>Names every kind of document, and reads them.</summary>
    /// <exception cref="StoreException">The store holds what is not understood.</exception>
    public static async Task LoadAsync(IServiceProvider services)
    {
        _ = (services.GetRequiredService<SessionStore>(), services.GetRequiredService<TokenStore>(), services.GetRequiredService<People>(),
            services.GetRequiredService<KeyRing>(), services.GetRequiredService<AuditHeads>(), services.GetRequiredService<KeyNotes>());
        await services.GetRequiredService<DocumentSet>().LoadAsync(CancellationToken.None);
    }

    public static void Add(IServiceCollection services, Configuration configuration, ConfigurationFiles? files, OpenedStore store)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new ConfigurationMonitor(configuration));

        AddState(services, store);
        var connections = new UpstreamConnections();
        services.AddSingleton(connections);
        services.AddSingleton<HeadscaleHandler>();
        services.AddSingleton<HeadscaleClient>();
        services.AddSingleton<OwnerLookup>();
        services.AddSingleton<GatewayKey>();
        services.AddSingleton<ChangeSubjects>();
        services.AddSingleton<HeadscaleCaches>();
        services.AddSingleton<LoopLog>();
        services.AddSingleton<BadRequestLog>();
        services.AddSingleton<TunnelDrain>();
        services.AddSingleton<RequestLog>();
        services.AddSingleton<ServerCertificate>();
        SystemdService.Add(services);
        services.AddSingleton<RateLimits>();
        services.AddSingleton<ProvenKeys>();
        services.AddSingleton<TrustedHeaders>();
        services.AddSingleton<CredentialReader>();
        services.AddSingleton<PrincipalResolver>();
        services.AddSingleton<Authentication>();
        services.AddSingleton<CallLimits>();
        services.AddSingleton<RecordedChanges>().AddSingleton<PersonChanges>().AddSingleton<TokenChanges>();
        AddForwarding(services);
        AddPages(services);
        AddRunning<UpstreamMonitor>(services);
        AddRunning<UserDirectory>(services);
        AddRunning<Sessions>(services);
        AddRunning<AccessTokens>(services);
        AddSignIn(services, configuration.Settings);
        services.AddHostedService<ControlSocket>();
        if (files is not null)
        {
            services.AddSingleton(files);
            services.AddHostedService<ConfigurationWatch>();
        }
    }

    /// <summary>What is started first is stopped last.</summary>
    private static void AddState(IServiceCollection services, OpenedStore store)
    {
        services.AddSingleton(store);
        services.AddSingleton(provider => store.Documents);
        AddRunning<DocumentSet>(services);
        services.AddSingleton<SessionStore>().AddSingleton<TokenStore>();
        services.AddSingleton<People>();
        services.AddSingleton<KeyRing>();
        services.AddSingleton<KeyNotes>();
        services.AddSingleton<AuditHeads>();
        services.AddSingleton(
            provider => store.OpenAudit(provider.GetRequiredService<IDataProtectionProvider>(),
                provider.GetRequiredService<TimeProvider>()));
        AddRunning<AuditLog>(services);
        services.AddSingleton<AuditReader>().AddSingleton<AutomaticChanges>();
        services.AddSingleton<StateCopies>();
        services.AddSingleton<ControlAudit>();
        services.AddSingleton<UserOperations>().AddSingleton<CredentialOperations>();
        services.AddSingleton<ControlOperations>();
    }

    private static void AddForwarding(IServiceCollection services)
    {
        services.AddHttpForwarder();
        services.AddSingleton<Upstreams>();
        services.AddSingleton<Forwarder>();
        services.AddSingleton(provider => new Authorizer(
            provider.GetRequiredService<OwnerLookup>(),
            provider.GetRequiredService<GatewayKey>(),
            provider.GetRequiredService<UpstreamMonitor>().VersionAsync));
        services.AddSingleton<AuditEntryFactory>();
        services.AddSingleton<AuthorizedCall>();
        services.AddSingleton<ApiAnswers>();
        services.AddSingleton<OwnKeyProof>();
        services.AddSingleton<ProxySenders>();
        services.AddSingleton<ClientSenders>();
        services.AddSingleton<GrpcDoor>();
        services.AddSingleton<ApiPipeline>();
        services.AddSingleton<ClientPlane>();
        services.AddSingleton<Arrivals>();
        services.AddSingleton<RequestRouter>();
        services.AddSingleton<HeadscaleCalls>();
    }

    private static void AddPages(IServiceCollection services)
    {
        services.AddSingleton<PageLimits>().AddSingleton<TokenList>();
        services.AddSingleton<PageLayout>();
        services.AddSingleton<Changes>();
        services.AddSingleton<Dashboard>();
        services.AddSingleton<DuplicateFormGuard>();
        services.AddSingleton<OneTimeSecretCookie>();
        services.AddSingleton<IAuthorizationHandler, CapabilityHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessResults>();
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().AddRequirements(CapabilityRequirement.SignedIn).Build());
        services.AddRazorComponents();
    }

    private static void AddSignIn(IServiceCollection services, GatewaySettings settings)
    {
        services.AddSingleton(settings.Store);
        services.AddSingleton<ProviderHttp>();
        AddRunning<Provider>(services);
        services.AddSingleton<UserInfo>();
        services.AddSingleton<ClientRequests>();
        services.AddSingleton<UsedLogoutTokens>();
        services.AddSingleton<UsedAttempts>();
        services.AddSingleton<ProviderSignIn>();
        services.AddSingleton<ApiKeyAttempts>();
        services.AddSingleton<SignInAudit>();

        AddDataProtection(services, settings.Store);

        var cookie = settings.Server.Cookie;
        services.AddAntiforgery(forms =>
        {
            forms.Cookie = new FormCookie(cookie.Secure);
            SetCookie(forms.Cookie, (cookie.Secure ? "__Host-" : "") + "headtower-form", secure: false, "/");
            forms.SuppressXFrameOptionsHeader = true;
        });
        services.AddSingleton<IPostConfigureOptions<OpenIdConnectOptions>, OpenIdConnectPostConfigureOptions>();
        services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>, OidcOptionsSetup>();
        services.AddAuthentication(GatewaySchemes.Policy).AddGatewaySchemes()
            .AddRemoteScheme<OpenIdConnectOptions, OidcHandler>(OidcHandler.SchemeName, null, options =>
        {
            options.CallbackPath = RedirectAddress.PathOf(settings);
            SetCookie(
                options.CorrelationCookie, (cookie.Secure ? "__Host-" : "") + "headtower-signin.", cookie.Secure,
                cookie.Secure ? "/" : settings.Server.BasePath + "/oidc");
            options.Events.OnTicketReceived = context =>
                context.HttpContext.RequestServices.GetRequiredService<ProviderSignIn>().SucceedAsync(context);
            options.Events.OnRemoteFailure = context =>
                context.HttpContext.RequestServices.GetRequiredService<ProviderSignIn>().FailAsync(context);
        });
    }

    /// <summary>What browsers carry between two requests is protected with keys that every process on the store has.</summary>
    private static void AddDataProtection(IServiceCollection services, StoreSettings store)
    {
        services.AddDataProtection().SetApplicationName("headtower");
        services.AddSingleton<IKeyManager>(provider => new SharedKeyManager(
            ActivatorUtilities.CreateInstance<XmlKeyManager>(provider), provider.GetRequiredService<KeyRing>()));
        services.AddOptions<KeyManagementOptions>().Configure<KeyRing>((keys, ring) =>
        {
            keys.XmlRepository = ring;
            keys.XmlEncryptor = store.EncryptionKey is { } key ? new KeyRingEncryption(key) : new NullXmlEncryptor();
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
}
