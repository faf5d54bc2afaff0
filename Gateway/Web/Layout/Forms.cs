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

        if (!context.Request.HasFormContentType)
        {
            return StatusCodes.Status400BadRequest;
        }

        try
        {
            await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode;
        }
        catch (InvalidDataException)
        {
            // More fields, or longer ones, than any form has.
            return StatusCodes.Status400BadRequest;
        }

        return await antiforgery.IsRequestValidAsync(context) ? null : StatusCodes.Status400BadRequest;
    }
}
