using Gateway.Web.Access;
using Gateway.Web.Account;
using Gateway.Web.Activity;
using Gateway.Web.ApiKeys;
using Gateway.Web.Connect;
using Gateway.Web.HeadscaleUsers;
using Gateway.Web.Home;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using Gateway.Web.Live;
using Gateway.Web.Machines;
using Gateway.Web.PolicyDocument;
using Gateway.Web.Search;
using Gateway.Web.SignIn;
using Gateway.Web.Status;
using Gateway.Web.Tokens;
using Gateway.Web.Users;

namespace Gateway.Web;

/// <summary>Everything that answers under the base path.</summary>
internal static class PageEndpoints
{
    public static void MapPages(this RouteGroupBuilder admin)
    {
        admin.WithMetadata(BodyLimit.Fields);
        admin.MapHealth();
        admin.MapLooks();
        admin.MapLogin();
        admin.MapLogout();
        admin.MapHome();
        admin.MapSearch();
        admin.MapConnect();
        admin.MapMachines();
        admin.MapLive();
        admin.MapKeys();
        admin.MapApiKeys();
        admin.MapPolicy();
        admin.MapUsers();
        admin.MapInvitations();
        admin.MapUserJson();
        admin.MapHeadscaleUsers();
        admin.MapAuditLog();
        admin.MapAccess();
        admin.MapStatus();
        admin.MapApiDocument();
        admin.MapTokens();
        admin.MapAccount();
    }
}
