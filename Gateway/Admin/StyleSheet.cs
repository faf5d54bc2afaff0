using System.Reflection;

namespace Gateway.Admin;

/// <summary>The one style sheet, from the assembly.</summary>
internal static class StyleSheet
{
    private static readonly byte[] _css = Read();

    public static void MapStyleSheet(this IEndpointRouteBuilder admin) => admin.MapGet("/style.css", (HttpContext context) =>
    {
        context.Response.Headers.CacheControl = "public, max-age=3600";
        return Results.Bytes(_css, "text/css; charset=utf-8");
    });

    private static byte[] Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("style.css")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
