using System.Reflection;
using System.Text;

namespace Gateway.Web.Layout;

/// <summary>What is served as it stands in the assembly: the one style sheet, and the document of the JSON interface.</summary>
internal static class StaticFiles
{
    private static readonly byte[] _css = Read("style.css");
    private static readonly byte[] _api = Read("openapi.json");

    public static void MapStyleSheet(this IEndpointRouteBuilder admin) => admin.MapGet("/style.css", (HttpContext context) =>
    {
        context.Response.Headers.CacheControl = "public, max-age=3600";
        return Results.Bytes(_css, "text/css; charset=utf-8");
    }).AllowAnonymous().DisableRateLimiting();

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
