
namespace Gateway.Edge;

/// <summary>The address of the login page, and who is better sent there than refused.</summary>
internal static class LoginAddress
{
    /// <summary>Whether a browser goes somewhere (Fetch Metadata), and there is a way to sign in here.</summary>
    public static bool IsWanted(HttpContext context)
    {
        var settings = RequestContext.Of(context).Configuration.Settings;
        return IsNavigation(context) && (settings.Oidc is not null || settings.Headscale.ServesPeople);
    }

    /// <summary>A person's browser going somewhere, as opposed to a program or a script.</summary>
    public static bool IsNavigation(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && context.Request.Headers["Sec-Fetch-Mode"] is [] or ["navigate"];

    /// <summary>The login page, which leads back afterwards.</summary>
    /// <param name="returnTo">A path of this host.</param>
    public static string Of(HttpContext context, string returnTo) =>
        $"{RequestContext.Of(context).Configuration.Settings.Server.BasePath}/login?return_to={Uri.EscapeDataString(returnTo)}";
}
