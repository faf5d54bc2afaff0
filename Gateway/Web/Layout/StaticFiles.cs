using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Gateway.Edge;
using Microsoft.Net.Http.Headers;

namespace Gateway.Web.Layout;

/// <summary>What is served as it stands in the assembly: style sheet, script, icon, and the document of the JSON interface.</summary>
internal static class StaticFiles
{
    private static readonly byte[] _css = Read("style.css");
    private static readonly byte[] _script = Read("script.js");
    private static readonly byte[] _icon = Read("icon.svg");
    private static readonly byte[] _api = Read("openapi.json");

    public static void MapLooks(this IEndpointRouteBuilder admin)
    {
        Map(admin, "/style.css", _css, "text/css; charset=utf-8");
        Map(admin, "/script.js", _script, "text/javascript; charset=utf-8");
        Map(admin, "/icon.svg", _icon, "image/svg+xml");
        admin.MapGet("/logo", (HttpContext context) => RequestContext.Of(context).Configuration.Settings.Branding.Logo is { } logo
            ? Results.Bytes(logo.Bytes, logo.Type) : Results.NotFound()).AllowAnonymous().DisableRateLimiting();
    }

    private static void Map(IEndpointRouteBuilder admin, string path, byte[] bytes, string type)
    {
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
        admin.MapGet(path, (HttpContext context) =>
        {
            // Asked for with each page, and answered with nothing while it is the same: a new version looks right at once.
            context.Response.Headers.CacheControl = "public, no-cache";
            return Results.Bytes(bytes, type, entityTag: tag);
        }).AllowAnonymous().DisableRateLimiting();
    }

    /// <summary>The names of operations are no secret; what they answer is.</summary>
    public static void MapApiDocument(this IEndpointRouteBuilder admin) => admin.MapGet("/api/openapi.json", (HttpContext context) =>
    {
        // The document is written for the default place.
        var text = Encoding.UTF8.GetString(_api)
            .Replace("\"url\": \"/admin\"", $"\"url\": \"{PageResults.BasePath(context)}\"", StringComparison.Ordinal);
        return Results.Text(text, "application/json", Encoding.UTF8);
    }).AllowAnonymous();

    private static byte[] Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
