using Gateway.Edge;
using Gateway.Identity;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Metadata;

namespace Gateway.Web.Layout;

/// <summary>How many bytes the body of a request for a page may have; routing tells Kestrel.</summary>
/// <param name="MaxRequestBodySize">In bytes.</param>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata
{
    /// <summary>What somebody types into fields. Strangers may send no more, whatever memory there is.</summary>
    public static BodyLimit Fields { get; } = new(64 * 1024);

    /// <summary>Access rules as a form encodes them.</summary>
    public static BodyLimit Document { get; } = new(12 * 1024 * 1024);
}

/// <summary>Whether a form comes from a page of the gateway.</summary>
internal static class Forms
{
    /// <summary>The status of the answer to a form that does not count; null when it does.</summary>
    public static async Task<int?> ProblemAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (SameOrigin.IsCrossSite(context.Request, RequestContext.Of(context).Configuration.Settings.Server.BaseUrl))
        {
            return StatusCodes.Status403Forbidden;
        }

        return await ReadAsync(context) is (null, var status) ? status
            : await antiforgery.IsRequestValidAsync(context) ? null : StatusCodes.Status400BadRequest;
    }

    /// <summary>The form that was sent; or null, with the status that says why it is none.</summary>
    public static async Task<(IFormCollection? Form, int Status)> ReadAsync(HttpContext context)
    {
        try
        {
            return context.Request.HasFormContentType
                ? (await context.Request.ReadFormAsync(context.RequestAborted), StatusCodes.Status200OK)
                : (null, StatusCodes.Status400BadRequest);
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode);
        }
        catch (InvalidDataException)
        {
            // More fields, or longer ones, than any form has.
            return (null, StatusCodes.Status400BadRequest);
        }
    }
}
