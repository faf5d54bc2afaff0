namespace Gateway.Headscale.Grpc;

/// <summary>Headscale's socket since 0.30: its HTTP API, as it is over TCP.</summary>
/// <param name="path">The path of the socket, which is looked up for each connection.</param>
/// <param name="version">The version at the other end.</param>
internal sealed class HttpSession(string path, HeadscaleVersion version) : ISocketSession
{
    private readonly HttpMessageInvoker _http = new(UpstreamSockets.CreateLocal(path));

    public HeadscaleVersion Version => version;

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, GrpcRequest? call, CancellationToken cancel) =>
        _http.SendAsync(message, cancel);

    /// <summary>Whether HTTP is spoken at a socket.</summary>
    public static async Task<bool> IsSpokenAtAsync(string path, CancellationToken cancel)
    {
        using var http = new HttpMessageInvoker(UpstreamSockets.CreateLocal(path));
        using var question = new HttpRequestMessage(HttpMethod.Get, "http://headscale/api/v1/health");
        HeadscaleClient.Sign(question);
        try
        {
            using var answer = await http.SendAsync(question, cancel);
            return answer.Content.Headers.ContentType?.MediaType is "application/json";
        }
        catch (HttpRequestException)
        {
            // A gRPC server closes the connection.
            return false;
        }
    }

    public void Dispose() => _http.Dispose();
}
