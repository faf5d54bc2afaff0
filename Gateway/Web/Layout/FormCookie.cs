
namespace Gateway.Web.Layout;

/// <summary>
/// The cookie that forms are bound to. With the framework's own policies it would be Secure only where the request is known
/// to have come over https, and behind a front that is not believed, browsers would drop it for its prefix.
/// </summary>
internal sealed class FormCookie(bool isSecure) : CookieBuilder
{
    public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
    {
        var options = base.Build(context, expiresFrom);
        options.Secure = isSecure;
        return options;
    }
}
