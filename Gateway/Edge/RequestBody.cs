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

/// <summary>The bytes of a body, or why there are none.</summary>
internal readonly record struct BodyReadResult(byte[] Bytes, (Reason Reason, string Detail)? Problem = null)
{
    /// <summary>No bytes, and why.</summary>
    public static BodyReadResult Refused(Reason reason, string detail) => new([], (reason, detail));
}

/// <summary>A body that may be read.</summary>
internal interface IRequestBody
{
    /// <summary>Whether there is one.</summary>
    bool IsThere { get; }

    /// <summary>Reads all of it.</summary>
    ValueTask<BodyReadResult> ReadAsync(BodyForm form);
}

/// <summary>A body that is at hand already.</summary>
internal sealed class GivenBody(byte[] bytes) : IRequestBody
{
    public bool IsThere => bytes.Length > 0;

    public ValueTask<BodyReadResult> ReadAsync(BodyForm form) =>
        new(
            bytes.Length > form.Limit ? BodyReadResult.Refused(Reason.TooLarge, $"the body is larger than {form.Limit} bytes")
                : new(bytes));
}

/// <summary>
/// The body of a request, read as a whole before anything is decided on it: what fails halfway must not have reached Headscale.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="anyType">
/// Whether the media type says nothing: for callers whom no other site can make send a request. For others it keeps out the
/// forms of other sites, which send no JSON type without asking first (Fetch, CORS-safelisted request headers).
/// </param>
internal sealed class HttpRequestBody(HttpContext context, bool anyType) : IRequestBody
{
    public bool IsThere =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is true && context.Request.ContentLength is not 0;

    public async ValueTask<BodyReadResult> ReadAsync(BodyForm form)
    {
        var limit = form.Limit;
        if (!IsThere)
        {
            return new([]);
        }

        if (Unsupported(context.Request.Headers, form.MediaTypes) is { } unsupported)
        {
            return BodyReadResult.Refused(Reason.UnsupportedMediaType, unsupported);
        }

        if (context.Request.ContentLength > limit)
        {
            return TooLarge(limit);
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
                    return TooLarge(limit);
                }

                buffer.Write(chunk, 0, read);
            }

            return new(buffer.ToArray());
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException)
        {
            // Kestrel reports an oversized chunk length as IOException.
            return BodyReadResult.Refused(Reason.BadRequest, "the body's framing is broken");
        }
    }

    private static BodyReadResult TooLarge(int limit) => BodyReadResult.Refused(Reason.TooLarge, $"the body is larger than {limit} bytes");

    private string? Unsupported(IHeaderDictionary headers, IReadOnlyList<string> types)
    {
        if (headers.ContentEncoding.Count > 0)
        {
            return "encoded bodies are not accepted; send the JSON as it is";
        }

        return anyType || (headers.ContentType is [{ } type] && IsOneOf(type, types))
            ? null
            : $"the body must be sent as Content-Type: {types[0]}";
    }

    private static bool IsOneOf(string type, IReadOnlyList<string> types) =>
        MediaTypeHeaderValue.TryParse(type, out var media)
        && types.Any(known => media.MediaType.Equals(known, StringComparison.OrdinalIgnoreCase))
        && media.Parameters.All(IsUtf8);

    private static bool IsUtf8(NameValueHeaderValue parameter) =>
        parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(parameter.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase);
}
