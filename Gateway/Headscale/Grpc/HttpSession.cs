namespace Gateway.Headscale.Grpc;

/// <summary>Headscale's socket since 0.30: its HTTP API, as it is over TCP.</summary>
/// <param name="path">The path of the socket, which is looked up for each connection.</param>
/// <param name="version">The version at the other end.</param>
internal sealed class HttpSession(string path, HeadscaleVersion version) : ISocketSession
{
    private static readonly UriCreationOptions _verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMessageInvoker _http = new(UpstreamSockets.CreateLocal(path));

    public HeadscaleVersion Version => version;

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, GrpcRequest? call, CancellationToken cancel)
    {
        var address = message.RequestUri!;
        try
        {
            // There is no TLS on the socket, whatever headscale.url says.
            message.RequestUri = new Uri("http://headscale" + address.PathAndQuery, _verbatim);
            return await _http.SendAsync(message, cancel);
        }
        catch (ObjectDisposedException e)
        {
            throw SocketUnavailableException.EndOfSession(e);
        }
        finally
        {
            message.RequestUri = address;
        }
    }

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
