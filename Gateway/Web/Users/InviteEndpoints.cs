using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Users;

/// <summary>What a form of an invitation holds.</summary>
/// <param name="Source">proxy or oidc.</param>
/// <param name="Subject">How the source names them.</param>
/// <param name="Name">What they are called; empty until they come.</param>
/// <param name="Role">The role that waits for them.</param>
/// <param name="User">The id of their Headscale user; empty for none.</param>
public sealed record Invitation(string Source, string Subject, string Name, string Role, string User);

/// <summary>Somebody who has not come yet gets a role and a Headscale user, so that both are there when they come.</summary>
internal static class InviteEndpoints
{
    public static void MapInvitations(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/users/new", ShowAsync).RequireCapability(Capability.AssignRoles);
        admin.MapPost("/users/new", AddAsync).RequireCapability(Capability.AssignRoles).TakesForm().Performs("people.add");
    }

    private static Task<RazorComponentResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, People people, UserDirectory directory) =>
        PageAsync(context, principal, layout, people, directory, new("", "", "", "", ""), null, StatusCodes.Status200OK);

    private static async Task<IResult> AddAsync(
        HttpContext context, Principal principal, PageLayout layout, People people, UserDirectory directory, PersonChanges changes,
        Provider provider)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var wanted = new Invitation(
            form["source"].ToString(), form["subject"].ToString().Trim(), form["name"].ToString().Trim(), form["role"].ToString(),
            form["user"].ToString());
        var settings = RequestContext.Of(context).Configuration.Settings;
        var (source, issuer) = SourceOf(wanted.Source, settings, provider);
        if (source is Source.None || OutsideText.Complaint(wanted.Subject, OutsideText.LongestSubject) is not null)
        {
            return await PageAsync(
                context, principal, layout, people, directory, wanted, T("Say how they sign in, and the name that they have there."),
                StatusCodes.Status400BadRequest);
        }

        var changed = await changes.AddAsync(
            PageResults.OriginOf(context), principal,
            new(source, issuer, wanted.Subject, wanted.Name.Length > 0 ? wanted.Name : null, null, null, wanted.Role),
            wanted.User.Length > 0 ? wanted.User : null, context.RequestAborted);
        return changed.Complaint is null
            ? Results.Redirect($"{PageResults.BasePath(context)}/users?done=add")
            : await PageAsync(context, principal, layout, people, directory, wanted, T(changed.Complaint), changed.Status);
    }

    private static (Source Source, string Issuer) SourceOf(string name, GatewaySettings settings, Provider provider) => name switch
    {
        "proxy" when settings.Server.ProxyAuth is not null => (Source.Proxy, ""),
        "oidc" when settings.Oidc is { } oidc => (Source.Oidc, provider.Status?.Configuration?.Issuer ?? oidc.Issuer),
        _ => (Source.None, ""),
    };

    private static async Task<RazorComponentResult> PageAsync(
        HttpContext context, Principal principal, PageLayout layout, People people, UserDirectory directory, Invitation given,
        string? error, int status)
    {
        var configuration = RequestContext.Of(context).Configuration;
        var settings = configuration.Settings;
        return PageResults.Page<InvitePage>(
            status,
            ("Layout", layout.For(context, principal)),
            ("Given", given),
            ("Roles", UserEndpoints.RolesGivenBy(principal, configuration.Table)),
            ("Users", UserEndpoints.UnclaimedOf(people, await directory.GetAsync(context.RequestAborted))),
            ("HasProxy", settings.Server.ProxyAuth is not null),
            ("HasProvider", settings.Oidc is not null),
            ("Address", settings.Server.BaseUrl is null ? null : settings.Server.PagesAddress),
            ("Error", error));
    }
}
