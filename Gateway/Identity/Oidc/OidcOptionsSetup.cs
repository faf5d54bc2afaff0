using Gateway.Policy;
using Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Gateway.Identity.Oidc;

/// <summary>
/// The framework's options, made of the settings and anew when they change. What is set here and not by default is what
/// keeps the flow from taking more than it should.
/// </summary>
internal sealed class OidcOptionsSetup : IConfigureNamedOptions<OpenIdConnectOptions>
{
    private readonly ConfigurationMonitor _monitor;
    private readonly Provider _provider;
    private readonly TimeProvider _clock;

    public OidcOptionsSetup(
        ConfigurationMonitor monitor, Provider provider, TimeProvider clock, IOptionsMonitorCache<OpenIdConnectOptions> made)
    {
        (_monitor, _provider, _clock) = (monitor, provider, clock);
        monitor.OnReplaced(_ => made.TryRemove(OidcHandler.SchemeName));
    }

    public void Configure(OpenIdConnectOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, OpenIdConnectOptions options)
    {
        var settings = _monitor.Current.Settings.Oidc;
        Ask(options, settings);
        Restrict(options, settings);

        options.Events.OnRedirectToIdentityProvider = async context =>
            await (await HandlerOfAsync(context.HttpContext)).CompleteRequestAsync(context);
        options.Events.OnPushAuthorization = async context => await (await HandlerOfAsync(context.HttpContext)).PushAsync(context);
        options.Events.OnTokenValidated = OidcHandler.BindNonceAsync;
    }

    /// <summary>What the provider is asked for: the code flow, answered by GET.</summary>
    private static void Ask(OpenIdConnectOptions options, OidcSettings? settings)
    {
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.RemoteAuthenticationTimeout = TimeSpan.FromMinutes(15);
        options.ClientId = settings?.ClientId ?? OidcHandler.SchemeName;
        options.UsePkce = settings?.UsePkce ?? true;
        options.MaxAge = settings?.MaxAge;
        options.Scope.Clear();
        foreach (var scope in settings?.Scopes ?? [])
        {
            options.Scope.Add(scope);
        }

        foreach (var (parameter, value) in settings?.ExtraParameters ?? new Dictionary<string, string>())
        {
            options.AdditionalAuthorizationParameters[parameter] = value;
        }

        options.PushedAuthorizationBehavior = settings?.PushedAuthorization switch
        {
            PushedAuthorization.Required => PushedAuthorizationBehavior.Require,
            PushedAuthorization.Off => PushedAuthorizationBehavior.Disable,
            PushedAuthorization.Automatic or null => PushedAuthorizationBehavior.UseIfAvailable,
        };
    }

    /// <summary>What the framework may not do by itself.</summary>
    private void Restrict(OpenIdConnectOptions options, OidcSettings? settings)
    {
        // The provider's documents and the rules for its tokens are ours alone; no address is asked behind our back.
        options.ConfigurationManager = _provider;
        options.RequireHttpsMetadata = false;
        options.RefreshOnIssuerKeyNotFound = false;
        options.TokenHandler = new IdTokenHandler(settings, _provider, _clock);
        options.MapInboundClaims = false;
        options.GetClaimsFromUserInfoEndpoint = true;
        options.DisableTelemetry = true;

        // The nonce travels in the protected state and needs no cookie. Whether a subject must be there is for the claims to say.
        options.ProtocolValidator.RequireNonce = false;
        options.ProtocolValidator.RequireTimeStampInNonce = false;
        options.ProtocolValidator.RequireSub = false;

        // Signing out is the gateway's own; by default, anybody could end sessions at these addresses.
        options.RemoteSignOutPath = default;
        options.SignedOutCallbackPath = default;
    }

    private static async Task<OidcHandler> HandlerOfAsync(HttpContext context) =>
        (OidcHandler)(
            await context.RequestServices.GetRequiredService<IAuthenticationHandlerProvider>()
                .GetHandlerAsync(context, OidcHandler.SchemeName))!;
}
