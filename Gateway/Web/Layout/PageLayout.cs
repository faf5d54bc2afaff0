using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Keys;
using Gateway.Web.Machines;
using Gateway.Web.Search;
using Gateway.Web.Status;
using Microsoft.AspNetCore.Antiforgery;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>An entry of the navigation.</summary>
/// <param name="Href">Where it leads.</param>
/// <param name="Text">What it says.</param>
/// <param name="IsCurrent">Whether the page is there, or below it.</param>
/// <param name="Icon">The name of its icon.</param>
public sealed record NavLink(string Href, string Text, bool IsCurrent, string Icon)
{
    /// <summary>The heading that begins above it; null for none.</summary>
    public string? Group { get; init; }

    /// <summary>How many wait there for an answer of this person.</summary>
    public int Waiting { get; init; }
}

/// <summary>What frames every page of somebody who is signed in: who they are, and where they may go.</summary>
/// <param name="Base">The path that all pages are under.</param>
/// <param name="Name">What the person is called.</param>
/// <param name="Role">The name of their role.</param>
/// <param name="HeadscaleUser">Their Headscale user, with its id; null for none.</param>
/// <param name="Links">The pages that the role may see.</param>
/// <param name="Warning">What is wrong with the gateway itself; null for nothing.</param>
/// <param name="CanSignOut">Whether there is a session to end, or a proxy that does it.</param>
/// <param name="TokenField">The name of the field that every form carries.</param>
/// <param name="Token">Its value, which another site cannot know.</param>
/// <param name="Brand">Whose pages these are.</param>
/// <param name="Versions">Which gateway and Headscale these are.</param>
public sealed record LayoutModel(
    string Base, string Name, string Role, string? HeadscaleUser, IReadOnlyList<NavLink> Links, string? Warning, bool CanSignOut,
        string TokenField, string Token, Brand Brand, string Versions)
{
    /// <summary>Whether there is anything that they could search.</summary>
    public bool CanSearch { get; init; }
}

/// <summary>Makes the frame of a page.</summary>
internal sealed class PageLayout(IAntiforgery antiforgery, UpstreamMonitor upstream, People people, TimeProvider clock)
{
    /// <summary>The frame of this request's page.</summary>
    public LayoutModel For(HttpContext context, Principal principal)
    {
        var (settings, token) = (RequestContext.Of(context).Configuration.Settings, antiforgery.GetAndStoreTokens(context));
        return new(
            settings.Server.BasePath,
            principal.Person?.Name ?? principal.Person?.Email ?? principal.Label,
            principal.Role.Name,
            principal.User is { } user ? $"{user.Name} ({user.Id})" : null,
            LinksFor(context, principal, settings.Server.BasePath),
            WarningFor(principal.Role),
            principal.Session is not null || settings.Server.ProxyAuth?.LogoutUrl is not null,
            token.FormFieldName,
            token.RequestToken!,
            Brand.Of(settings.Branding),
            $"Gateway {ProductVersion.Short} · Headscale {upstream.Status.Found?.ToString() ?? T("not reached")}")
        {
            CanSearch = SearchEndpoints.Readers.Any(principal.Role.Has),
        };
    }

    private NavLink[] LinksFor(HttpContext context, Principal principal, string at)
    {
        (string Href, string Text, string Icon, Capability[] AnyOf)[] places =
        [
            ($"{at}/", T("Overview"), "overview", [Capability.SignedIn]),
            ($"{at}/machines", T("Devices"), "device", MachineEndpoints.Readers),
            ($"{at}/keys", T("Keys"), "key", KeyEndpoints.Readers),
            ($"{at}/users", T("People"), "people", [Capability.ReadUsers]),
            ($"{at}/policy", T("Access rules"), "rules", [Capability.ReadPolicy]),
            ($"{at}/audit", T("Activity"), "activity", [Capability.ReadAudit]),
            ($"{at}/access", T("Roles"), "role", [Capability.UiAccess]),
            ($"{at}/apikeys", T("API keys"), "token", [Capability.ManageApiKeys]),
            ($"{at}/status", T("Status"), "status", StatusEndpoints.Readers),
        ];
        var links = places.Where(place => place.AnyOf.Any(principal.Role.Has))
            .Select(place => new NavLink(place.Href, place.Text, IsAt(context, place.Href), place.Icon)
            {
                Waiting = place.Icon is "people"
                    ? RankRules.Waiting(principal, people, RequestContext.Of(context).Configuration.Table).Count()
                    : 0,
            }).ToArray();
        var settings = Array.FindIndex(links, one => one.Icon is "role" or "token" or "status");
        if (settings >= 0)
        {
            links[settings] = links[settings] with { Group = T("Settings") };
        }

        return links;
    }

    /// <summary>What keeps everybody from working is for everybody; what will, for those who see how things stand.</summary>
    private string? WarningFor(Role role) => upstream.Status switch
    {
        { Key: KeyState.Rejected } => Refusals.TextOf(new(Reason.UpstreamKeyRejected), T),
        { Key: KeyState.Missing } => Refusals.TextOf(new(Reason.UpstreamKeyMissing), T),
        { IsReachable: false, Detail: not null } => Refusals.TextOf(new(Reason.UpstreamUnavailable), T),
        { KeyExpires: { } at } status when StatusEndpoints.Readers.Any(role.Has) && status.KeyExpiresSoon(clock.GetUtcNow()) =>
            T("The gateway's Headscale API key ends on {0}. Make a new one, put it where headscale.api_key points, and "
            + "nothing stops working.", $"{at:yyyy-MM-dd}"),
        _ => null,
    };

    private static bool IsAt(HttpContext context, string href) =>
        context.Request.Path.Value is { } path
            && (path == href || (!href.EndsWith('/') && path.StartsWith(href + "/", StringComparison.Ordinal)));
}
