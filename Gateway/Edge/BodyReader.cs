using System.Net.Mime;
using Gateway.Policy;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Gateway.Edge;

/// <summary>How a body may come.</summary>
/// <param name="Limit">The most bytes.</param>
/// <param name="MediaTypes">The types it may be sent as; the first is named to those who send another.</param>
internal sealed record BodyForm(int Limit, IReadOnlyList<string> MediaTypes)
{
    public static IReadOnlyList<string> Json { get; } = [MediaTypeNames.Application.Json];
}

/// <summary>Reads a whole API body before anything is decided on it: what fails halfway must not have reached Headscale.</summary>
internal static class BodyReader
{
    public static bool HasBody(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is true && context.Request.ContentLength is not 0;

    /// <summary>The bytes, or why there are none.</summary>
    public static async Task<(byte[] Bytes, (Reason, string)? Problem)> ReadAsync(HttpContext context, BodyForm form)
    {
        var limit = form.Limit;
        if (!HasBody(context))
        {
            return ([], null);
        }

        if (Unsupported(context.Request.Headers, form.MediaTypes) is { } unsupported)
        {
            return ([], (Reason.UnsupportedMediaType, unsupported));
        }

        if (context.Request.ContentLength > limit)
        {
            return ([], TooLarge(limit));
        }

        try
        {
            using var buffer = new MemoryStream();
            var chunk = new byte[16 * 1024];
            int read;
            while ((read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0)
            {
                if (buffer.Length + read > limit)
                {
                    return ([], TooLarge(limit));
                }

                buffer.Write(chunk, 0, read);
            }

            return (buffer.ToArray(), null);
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException)
        {
            // Kestrel reports an oversized chunk length as IOException.
            return ([], (Reason.BadRequest, "the body's framing is broken"));
        }
    }

    private static (Reason, string) TooLarge(int limit) => (Reason.TooLarge, $"the body is larger than {limit} bytes");

    private static string? Unsupported(IHeaderDictionary headers, IReadOnlyList<string> types)
    {
        if (headers.ContentEncoding.Count > 0)
        {
            return "encoded bodies are not accepted; send the JSON as it is";
        }

        return headers.ContentType is [{ } type] && MediaTypeHeaderValue.TryParse(type, out var media)
            && types.Any(one => media.MediaType.Equals(one, StringComparison.OrdinalIgnoreCase))
            && media.Parameters.All(one => one.Name.Equals("charset", StringComparison.OrdinalIgnoreCase) && HeaderUtilities.RemoveQuotes(one.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
                ? null
                : $"the body must be sent as Content-Type: {types[0]}";
    }
}
