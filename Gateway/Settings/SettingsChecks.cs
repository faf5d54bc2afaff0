using System.Net;

namespace Gateway.Settings;

/// <summary>Rules between sections: what each may be alone, and not together.</summary>
internal static class SettingsChecks
{
    /// <summary>What signing people in needs besides its own section. Half of it never starts.</summary>
    public static void CheckSignIn(YamlMap root, HeadscaleSettings headscale, ServerSettings server, OidcSettings? oidc)
    {
        var triesKey = root.MapOrEmpty("headscale") is var map && (map.Has("api_key") || map.Has("api_key_path"))
            || (root.MapOrEmpty("oidc") is var own && (own.Has("headscale_api_key") || own.Has("headscale_api_key_path")));
        var lacksKey = !headscale.ServesPeople && !triesKey;
        if (server.ProxyAuth is not null && lacksKey)
        {
            root.Complain(
                "server", "proxy_auth needs headscale.socket or headscale.api_key: without one, nobody who signs in could be served");
        }

        if (oidc is not null && lacksKey)
        {
            root.Complain("oidc", "OIDC needs headscale.socket or headscale.api_key: without one, nobody who signs in could be served");
        }

        if (oidc is not null && server.BaseUrl is null && !root.MapOrEmpty("server").Has("base_url")
            && !root.MapOrEmpty("oidc").Has("redirect_uri"))
        {
            root.Complain("oidc", "OIDC needs server.base_url: the redirect address is built from it");
        }
    }

    /// <summary>Addresses that can be right each, and are wrong together.</summary>
    public static void CheckAddresses(YamlMap root, HeadscaleSettings headscale, ServerSettings server)
    {
        var (url, map) = (headscale.Url, root.MapOrEmpty("headscale"));
        if (map.Has("url") && server.Listen.Any(one => one.Port == url.Port && one.Port != 0 && IsThisHost(url, one)))
        {
            map.Complain("url", "this is the gateway's own address: it would ask itself; name the address of Headscale");
        }
        else if (map.Has("url") && server.BaseUrl is { } own && string.Equals(own.Host, url.Host, StringComparison.OrdinalIgnoreCase)
            && own.Port == url.Port)
        {
            map.Warn(
                "url",
                "this is server.base_url, the gateway's own public address: it would ask itself, unless the name leads elsewhere from "
                + "here; name the address of Headscale");
        }

        if (server is { BaseUrl.Scheme: "http", Cookie.Secure: true })
        {
            root.MapOrEmpty("server")
                .Warn(
                    "base_url",
                    "the session cookie is for https alone, so nobody stays signed in at an http address; use https, or "
                    + "server.cookie_secure: false for trying things out");
        }
    }

    private static bool IsThisHost(Uri url, Uri listener) =>
        string.Equals(url.Host, listener.Host, StringComparison.OrdinalIgnoreCase)
        || (AddressText.Parse(listener.Host.Trim('[', ']')) is { } address
            && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            ? url.IsLoopback
            : AddressText.Parse(url.Host.Trim('[', ']')) is { } other ? other.Equals(address) : url.IsLoopback
                && IPAddress.IsLoopback(address)));
}
