using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Net.Client;

namespace Gateway.Headscale.Grpc;

/// <summary>
/// One connection to Headscale's socket, up to 0.29. Field numbers mean different things in different versions, so the version is
/// asked after the connection was made, and both end together: Headscale cannot be replaced behind an open connection.
/// </summary>
internal sealed class GrpcSession : ISocketSession
{
    /// <summary>What a list of some hundred thousand nodes needs, in bytes.</summary>
    private const int LargestAnswer = 256 << 20;

    private const string Reference = "x-request-id";

    private static readonly MediaTypeHeaderValue _json = new("application/json");
    private static readonly Marshaller<byte[]> _bytes = Marshallers.Create(one => one, one => one);

    private readonly SocketsHttpHandler _connections;
    private readonly CallInvoker _invoker;

    [SuppressMessage("Usage", "CA2213", Justification = "It is exchanged for null, and then disposed.")]
    private Stream? _connection;

    private GrpcSession(Stream connection)
    {
        _connection = connection;
        _connections = new SocketsHttpHandler
        {
            UseProxy = false,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = 1 << 20,
            ConnectCallback = (_, _) => Interlocked.Exchange(ref _connection, null) is { } made
                ? ValueTask.FromResult(made)
                : throw SocketUnavailableException.EndOfSession(),
        };
        _invoker = GrpcChannel.ForAddress("http://headscale", new GrpcChannelOptions
        {
            HttpHandler = _connections,
            MaxReceiveMessageSize = LargestAnswer,
            ThrowOperationCanceledOnCancellation = true,
        }).CreateCallInvoker();
    }

    /// <summary>The version at the other end.</summary>
    public HeadscaleVersion Version { get; private set; }

    /// <summary>Opens a session over a connection.</summary>
    /// <param name="named">The version that Headscale names; null for none: it is found out by what there is.</param>
    /// <exception cref="HttpRequestException">Nobody speaks gRPC there.</exception>
    public static async Task<GrpcSession> OpenAsync(Stream connection, HeadscaleVersion? named, CancellationToken cancel)
    {
        var session = new GrpcSession(connection);
        try
        {
            session.Version = named ?? await session.AskVersionAsync(cancel);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, GrpcRequest? call, CancellationToken cancel)
    {
        if (call is null)
        {
            throw new SocketUnavailableException($"Headscale {Version} has no such operation on its socket") { IsOfCall = true };
        }

        if (!call.Method.IsIn(Version))
        {
            return Answer(GrpcMethods.ErrorOf(call.Method, Version));
        }

        try
        {
            var answer = await CallAsync(call.Method.Name, call.Write(Version), MetadataOf(message), cancel);
            return Answer(HttpStatusCode.OK, new StreamContent(new GrpcJsonStream(call.Method.Response, answer, Version)));
        }
        catch (WireException e)
        {
            // It was judged for another version than the one that is there now.
            throw new SocketUnavailableException(e.Message, e) { IsOfCall = true };
        }
        catch (RpcException e) when (e.Status.DebugException is null)
        {
            return Answer(e.Status);
        }
        catch (RpcException e)
        {
            throw LostConnection(e);
        }
    }

    /// <summary>Calls that are under way come to their end.</summary>
    public void Dispose()
    {
        _connections.Dispose();
        Interlocked.Exchange(ref _connection, null)?.Dispose();
    }

    /// <summary>
    /// Finds the version of a Headscale that names none, by calls that change nothing: a policy is checked since 0.29, keys are
    /// listed without a user since 0.28, and the health is told since 0.27.
    /// </summary>
    private async Task<HeadscaleVersion> AskVersionAsync(CancellationToken cancel) =>
        await ProbeAsync("CheckPolicy", cancel) is not StatusCode.Unimplemented ? new(29)
        : await ProbeAsync("ListPreAuthKeys", cancel) is StatusCode.OK ? new(28)
        : await ProbeAsync("Health", cancel) is not StatusCode.Unimplemented ? new(27)
        : HeadscaleVersion.Oldest;

    private async Task<StatusCode> ProbeAsync(string method, CancellationToken cancel)
    {
        try
        {
            await CallAsync(method, [], null, cancel);
            return StatusCode.OK;
        }
        catch (RpcException e) when (e.Status.DebugException is null)
        {
            return e.StatusCode;
        }
        catch (RpcException e)
        {
            throw LostConnection(e);
        }
    }

    private async Task<byte[]> CallAsync(string method, byte[] message, Metadata? metadata, CancellationToken cancel)
    {
        using var call = _invoker.AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, GrpcMethods.Service, method, _bytes, _bytes),
            null, new CallOptions(metadata, cancellationToken: cancel), message);
        return await call.ResponseAsync;
    }

    /// <summary>The reference of a call, which its audit entry has as well.</summary>
    private static Metadata? MetadataOf(HttpRequestMessage message) =>
        message.Headers.NonValidated.TryGetValues(Reference, out var values) ? new() { { Reference, values.ToString() } } : null;

    private static HttpRequestException LostConnection(RpcException e) =>
        new(
            HttpRequestError.ConnectionError, e.Status.DebugException!.Message,
            e.Status.DebugException is ObjectDisposedException ? SocketUnavailableException.EndOfSession(e) : e.Status.DebugException);

    private static HttpResponseMessage Answer(Status status) =>
        Answer(GrpcErrors.StatusOf(status.StatusCode), new ByteArrayContent(GrpcErrors.Write(status)));

    private static HttpResponseMessage Answer(HttpStatusCode status, HttpContent content)
    {
        content.Headers.ContentType = _json;
        return new HttpResponseMessage(status) { Content = content };
    }
}
