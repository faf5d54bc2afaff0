using System.Text;
using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Identity.Oidc;

/// <summary>What an endpoint of the provider answered.</summary>
internal readonly record struct ProviderAnswer(int Status, string? MediaType, string Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Whether the provider has a fault of its own, or too much to do. It may pass.</summary>
    public bool IsFailing => Status is StatusCodes.Status429TooManyRequests or >= StatusCodes.Status500InternalServerError;
}

/// <summary>The gateway's own calls to the provider: no redirects, no cookies, little time and little memory.</summary>
internal sealed class ProviderHttp(ConfigurationMonitor monitor) : IDisposable
{
    private const int LargestAnswer = 1 << 20;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private (string? CaFile, HttpClient Http)? _current;

    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <exception cref="SignInException">There was no answer in time, or it was too large.</exception>
    public async Task<ProviderAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", HeadscaleClient.UserAgent);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        try
        {
            using var response = await Http().SendAsync(request, cancel);
            return new(
                (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType,
                Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancel)));
        }
        catch (TaskCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw Unavailable($"{request.RequestUri} did not answer within {_timeout.TotalSeconds} s", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException or NotSupportedException)
        {
            throw Unavailable($"{request.RequestUri}: {e.Message}", e);
        }
    }

    public void Dispose() => _current?.Http.Dispose();

    private static SignInException Unavailable(string detail, Exception inner) => new(SignInFailure.ProviderUnavailable, detail, inner);

    private HttpClient Http()
    {
        var caFile = monitor.Current.Settings.Oidc?.TlsCaPath;
        lock (_gate)
        {
            if (_current is not { } current || current.CaFile != caFile)
            {
                var handler = UpstreamSockets.Create(caFile);
                _current = current = (caFile, new HttpClient(handler) { Timeout = _timeout, MaxResponseContentBufferSize = LargestAnswer });
            }

            return current.Http;
        }
    }
}
