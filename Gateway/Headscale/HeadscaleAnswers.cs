using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>Reads the answers to our own calls.</summary>
internal static class HeadscaleAnswers
{
    /// <summary>Reads an answer's JSON.</summary>
    /// <exception cref="HeadscaleException">It is a failure, or not understood.</exception>
    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        if (response.StatusCode is HttpStatusCode.LoopDetected)
        {
            throw new HeadscaleException(
                Reason.UpstreamUnavailable, "headscale.url leads back to this gateway; name the address of Headscale itself");
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new HeadscaleException(
                Reason.UpstreamUnavailable, $"{response.RequestMessage?.RequestUri?.AbsolutePath} answered {(int)response.StatusCode}");
        }

        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            return await JsonSerializer.DeserializeAsync(body, type, cancel) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new HeadscaleException(
                Reason.UpstreamNotUnderstood, $"{response.RequestMessage?.RequestUri?.AbsolutePath} did not answer with Headscale's JSON",
                e);
        }
    }

    /// <summary>Whether an answer says that the key was not taken: 401, and for 0.26 also 500 with one word of plain text.</summary>
    public static async Task<bool> IsKeyRejectedAsync(HttpResponseMessage response, CancellationToken cancel) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized => true,
        HttpStatusCode.InternalServerError when response.Content.Headers.ContentType?.MediaType is not "application/json" =>
            (await response.Content.ReadAsStringAsync(cancel)).StartsWith("Unauthorized", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>
    /// Whether an answer says that a caller's own key was refused. 0.26 says it with 500 and plain text; its other failures are JSON.
    /// </summary>
    /// <param name="contentType">The media type of the answer.</param>
    public static bool SaysKeyRefused(int status, string? contentType, HeadscaleVersion? version) =>
        status == StatusCodes.Status401Unauthorized
            || (status == StatusCodes.Status500InternalServerError && version is null or { Minor: 26 } && !IsJson(contentType));

    /// <summary>Whether a media type is JSON's.</summary>
    public static bool IsJson(string? contentType) =>
        contentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) is true;
}
