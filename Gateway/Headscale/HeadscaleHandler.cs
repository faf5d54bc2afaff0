using Gateway.Headscale.Grpc;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Headscale;

/// <summary>
/// The way of judged calls to Headscale: over its own socket where there is one, and else over TCP with the gateway's key. A call
/// that Headscale itself still has to judge never comes here, for the socket believes everybody.
/// </summary>
internal sealed class HeadscaleHandler : HttpMessageHandler
{
    private static readonly HttpRequestOptionsKey<GrpcRequest> _call = new("headscale.call");
    private static readonly HttpRequestOptionsKey<string> _credential = new("headscale.credential");

    private readonly ConfigurationMonitor _monitor;
    private readonly UpstreamConnections _connections;
    private readonly Lock _gate = new();
    private (HeadscaleSettings Settings, HttpMessageInvoker Tcp, HeadscaleSocket? Socket)? _current;
    private volatile string? _socketTrouble;

    public HeadscaleHandler(ConfigurationMonitor monitor, UpstreamConnections connections) =>
        (_monitor, _connections) = (monitor, connections);

    /// <summary>Why the socket did not serve last time; null when it did, or when there is none.</summary>
    public string? SocketTrouble => _socketTrouble;

    /// <summary>Says what a message is over gRPC, which the socket of old versions speaks.</summary>
    public static void SetCall(HttpRequestMessage message, GrpcRequest? call)
    {
        if (call is not null)
        {
            message.Options.Set(_call, call);
        }
    }

    /// <summary>Says which credential is sent where the socket does not serve, in place of the gateway's key.</summary>
    public static void SetCredential(HttpRequestMessage message, string authorization) => message.Options.Set(_credential, authorization);

    /// <summary>The version at the other end of the socket; null: it cannot be told, or there is no socket.</summary>
    public async Task<HeadscaleVersion?> SocketVersionAsync(CancellationToken cancel)
    {
        if (Current().Socket is not { } socket)
        {
            return null;
        }

        try
        {
            return await socket.VersionAsync(cancel);
        }
        catch (SocketUnavailableException e)
        {
            _socketTrouble = e.Message;
            return null;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        SentOnce.Mark(request);
        var (settings, tcp, socket) = Current();
        var credential = request.Options.TryGetValue(_credential, out var given) ? given : settings.ApiKey?.RevealAsBearer();
        if (socket is not null)
        {
            try
            {
                var call = request.Options.TryGetValue(_call, out var found) ? found : null;
                var answer = await socket.SendAsync(request, call, cancellationToken);
                _socketTrouble = null;
                return answer;
            }
            catch (SocketUnavailableException e)
            {
                // Nothing was sent yet, so a key may take the socket's place.
                _socketTrouble = e.IsOfCall ? _socketTrouble : e.Message;
                if (credential is null)
                {
                    throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
                }
            }
        }

        request.Headers.TryAddWithoutValidation("Authorization", credential);
        return await tcp.SendAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _current?.Tcp.Dispose();
            _current?.Socket?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Connections are kept until the settings they were made from are replaced.</summary>
    private (HeadscaleSettings Settings, HttpMessageInvoker Tcp, HeadscaleSocket? Socket) Current()
    {
        var settings = _monitor.Current.Settings.Headscale;
        lock (_gate)
        {
            if (_current is not { } current || current.Settings != settings)
            {
                _current?.Socket?.Close();
                var connections = new SocketsHttpHandler();
                UpstreamSockets.Configure(connections, settings.TlsCaPath, _connections.Opened);
                var tcp = new HttpMessageInvoker(connections);
                var socket = settings.Socket is { } path
                    ? new HeadscaleSocket(path, cancel => VersionPage.AskAsync(tcp, settings, cancel))
                    : null;
                _current = current = (settings, tcp, socket);
            }

            return current;
        }
    }
}
