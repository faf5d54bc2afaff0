using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Edge;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Headscale;

/// <summary>How the Headscale behind us writes its errors, so that a client written for it understands ours.</summary>
internal enum ErrorStyle
{
    /// <summary>0.30 and later: RFC 9457 problem details.</summary>
    Problem = 0,

    /// <summary>0.26 to 0.29: gRPC status as JSON, and plain text for 401.</summary>
    GrpcStatus,

    /// <summary>/api/v2: message and status, as Tailscale writes them.</summary>
    Tailscale,
}

/// <summary>Writes refusals as the Headscale behind the gateway writes its errors.</summary>
internal static class ErrorAnswers
{
    /// <summary>JSON that is never part of a page: an apostrophe stays one.</summary>
    private static readonly JsonWriterOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a refusal.</summary>
    public static Task WriteAsync(HttpContext context, Refusal refusal, ErrorStyle style) =>
        WriteAsync(context, Refusals.StatusOf(refusal.Reason), Refusals.TextOf(refusal), style);

    /// <summary>An answer of the gateway's own JSON, where no reason of the policy is behind it.</summary>
    public static Task WriteProblemAsync(HttpContext context, int status, string detail) =>
        WriteAsync(context, status, detail, ErrorStyle.Problem);

    private static async Task WriteAsync(HttpContext context, int status, string text, ErrorStyle style)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        if (status == StatusCodes.Status401Unauthorized)
        {
            // RFC 6750 3: the body of old versions has no room for a reason, and programs compare it.
            var error = context.Request.Headers.Authorization.Count > 0 ? "error=\"invalid_token\", " : "";
            response.Headers.WWWAuthenticate = $"Bearer {error}error_description=\"{ForHeader(text)}\"";
            if (style is ErrorStyle.GrpcStatus)
            {
                response.ContentType = "text/plain; charset=utf-8";
                await response.WriteAsync("Unauthorized", context.RequestAborted);
                return;
            }
        }

        response.ContentType = style is ErrorStyle.Problem ? "application/problem+json" : "application/json";
        await using var writer = new Utf8JsonWriter(response.BodyWriter, _readable);
        writer.WriteStartObject();
        switch (style)
        {
            case ErrorStyle.GrpcStatus:
                writer.WriteNumber("code", GrpcCodeOf(status));
                writer.WriteString("message", text);
                writer.WriteStartArray("details");
                writer.WriteEndArray();
                break;
            case ErrorStyle.Tailscale:
                writer.WriteString("message", text);
                writer.WriteNumber("status", status);
                break;
            case ErrorStyle.Problem:
                writer.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
                writer.WriteNumber("status", status);
                writer.WriteString("detail", text);
                break;
        }

        writer.WriteEndObject();
    }

    /// <summary>RFC 6750 3: visible ASCII without '"' and '\'; a name that somebody gave may have more.</summary>
    private static string ForHeader(string text) =>
        string.Concat(text.Select(one => one is '"' ? '\'' : one is < ' ' or > '~' or '\\' ? '?' : one));

    /// <summary>The codes of google.rpc.Code that grpc-gateway turns into these statuses.</summary>
    private static int GrpcCodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => 16,
        StatusCodes.Status403Forbidden => 7,
        StatusCodes.Status404NotFound => 5,
        StatusCodes.Status429TooManyRequests => 8,
        StatusCodes.Status503ServiceUnavailable => 14,
        StatusCodes.Status502BadGateway => 13,
        _ => 3,
    };
}
