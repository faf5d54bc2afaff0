namespace Gateway.Headscale;

/// <summary>
/// Sends a change once. When a connection ends before an answer, .NET sends a request without content again, whatever its method,
/// though Headscale may have done it; a request with content, and be it empty, it does not.
/// </summary>
internal sealed class SentOnce(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Keeps a change from being sent again. Upgrades stay as they are: their content is the tunnel.</summary>
    public static void Mark(HttpRequestMessage request)
    {
        if (request.Content is null && request.Method != HttpMethod.Get && request.Method != HttpMethod.Head
            && !request.Headers.NonValidated.Contains("Upgrade"))
        {
            request.Content = new ByteArrayContent([]);
        }
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Mark(request);
        return base.SendAsync(request, cancellationToken);
    }
}
