using System.Net;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Headscale;

/// <summary>Headscale's page <c>/version</c>, which needs no key.</summary>
internal static class VersionPage
{
    /// <summary>Its path.</summary>
    public const string Path = "/version";

    /// <summary>Asks for the page. The setting <c>headscale.version</c> comes first.</summary>
    /// <returns>The version; null: Headscale names none.</returns>
    /// <exception cref="HttpRequestException">Headscale cannot be reached.</exception>
    /// <exception cref="HeadscaleException">The answer is not one of Headscale's.</exception>
    public static async Task<HeadscaleVersion?> AskAsync(HttpMessageInvoker http, HeadscaleSettings settings, CancellationToken cancel)
    {
        if (settings.Version is { } minor)
        {
            return new(minor);
        }

        using var question = new HttpRequestMessage(HttpMethod.Get, new Uri(settings.Url, Path));
        HeadscaleClient.Sign(question);
        using var answer = await http.SendAsync(question, cancel);
        return await ReadAsync(answer, cancel);
    }

    /// <summary>Reads the page. 0.26 has none; a build from a source archive says "dev", and so names no version.</summary>
    /// <exception cref="HeadscaleException">It is not Headscale's.</exception>
    public static async Task<HeadscaleVersion?> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (answer.StatusCode is HttpStatusCode.NotFound)
        {
            return HeadscaleVersion.Oldest;
        }

        var page = await HeadscaleAnswers.ReadAsync(answer, HeadscaleJson.Default.VersionAnswer, cancel);
        return page.Version is { Length: > 0 } name
            ? HeadscaleVersion.Parse(name)
            : throw new HeadscaleException(Reason.UpstreamNotUnderstood, $"{Path} holds no version of Headscale");
    }
}
