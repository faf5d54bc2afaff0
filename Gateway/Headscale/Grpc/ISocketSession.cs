namespace Gateway.Headscale.Grpc;

/// <summary>What is spoken over Headscale's socket: gRPC up to 0.29, HTTP since 0.30.</summary>
internal interface ISocketSession : IDisposable
{
    /// <summary>The version at the other end.</summary>
    HeadscaleVersion Version { get; }

    /// <summary>Sends a judged call.</summary>
    /// <param name="message">The call as HTTP.</param>
    /// <param name="call">The call as gRPC; null: no method does the same.</param>
    /// <exception cref="SocketUnavailableException">Nobody is there, or the call cannot go this way. Nothing was sent.</exception>
    /// <exception cref="HttpRequestException">Headscale did not answer.</exception>
    Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, GrpcRequest? call, CancellationToken cancel);
}

/// <summary>Headscale's socket cannot be used for a call. Nothing was sent.</summary>
internal sealed class SocketUnavailableException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Whether another session may do: the one that was in use is over.</summary>
    public bool IsOfSession { get; init; }

    /// <summary>The session ended before the call was sent.</summary>
    public static SocketUnavailableException EndOfSession(Exception? inner = null) =>
        new("the connection to Headscale's socket ended", inner) { IsOfSession = true };

    /// <summary>Whether the call has no way over the socket, which is there.</summary>
    public bool IsOfCall { get; init; }

    /// <summary>The exception of this kind that is behind another one; null for none.</summary>
    public static SocketUnavailableException? Behind(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is SocketUnavailableException found)
            {
                return found;
            }
        }

        return null;
    }
}
