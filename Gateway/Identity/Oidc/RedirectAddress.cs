using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>Where the provider sends people back to: what has to be registered there, letter by letter.</summary>
internal static class RedirectAddress
{
    /// <summary>The path of the answer.</summary>
    public static string PathOf(GatewaySettings settings) => settings.Server.BasePath + "/oidc/callback";

    /// <summary>The whole address. Sign-in with a provider needs <c>server.base_url</c>, so it is there.</summary>
    public static string Of(GatewaySettings settings) => settings.Server.BaseUrl!.GetLeftPart(UriPartial.Authority) + PathOf(settings);
}
