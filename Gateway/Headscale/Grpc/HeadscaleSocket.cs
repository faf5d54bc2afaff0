namespace Gateway.Headscale.Grpc;

/// <summary>
/// Headscale's own local socket (<c>unix_socket</c>). It believes everybody and asks for no key: only calls that were judged here
/// may be sent to it.
/// </summary>
/// <param name="path">The path of the socket.</param>
/// <param name="nameVersion">Asks Headscale over TCP which version it is; null: it names none.</param>
internal sealed class HeadscaleSocket(string path, Func<CancellationToken, Task<HeadscaleVersion?>> nameVersion) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private volatile ISocketSession? _session;

    /// <summary>Sends a judged call.</summary>
    /// <inheritdoc cref="ISocketSession.SendAsync"/>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, GrpcRequest? call, CancellationToken cancel)
    {
        for (var isSecond = false; ; isSecond = true)
        {
            var session = await OpenAsync(cancel);
            try
            {
                return await session.SendAsync(message, call, cancel);
            }
            catch (Exception e) when (e is HttpRequestException or SocketUnavailableException)
            {
                var cause = SocketUnavailableException.Behind(e);
                if (cause is null or { IsOfSession: true })
                {
                    Close(session);
                }

                // Of what was not sent, the end of a session is no reason to fail: the next one may be there already.
                if (isSecond || cause is not { IsOfSession: true })
                {
                    throw cause ?? e;
                }
            }
        }
    }

    /// <summary>The version at the other end.</summary>
    /// <exception cref="SocketUnavailableException">Nobody is there.</exception>
    public async Task<HeadscaleVersion> VersionAsync(CancellationToken cancel) => (await OpenAsync(cancel)).Version;

    /// <summary>Lets the connections go. Who is still on the way opens new ones.</summary>
    public void Close() => Interlocked.Exchange(ref _session, null)?.Dispose();

    public void Dispose()
    {
        Close();
        _gate.Dispose();
    }

    private async ValueTask<ISocketSession> OpenAsync(CancellationToken cancel)
    {
        if (_session is { } open)
        {
            return open;
        }

        await _gate.WaitAsync(cancel);
        try
        {
            return _session ??= await ConnectAsync(cancel);
        }
        catch (Exception e) when (e is HttpRequestException or HeadscaleException)
        {
            throw SocketUnavailableException.Behind(e) ?? new SocketUnavailableException($"{path}: {e.Message}", e);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Which version is there is asked after the connection was made: a later one has a later connection.</summary>
    private async Task<ISocketSession> ConnectAsync(CancellationToken cancel)
    {
        var connection = await UpstreamSockets.ConnectLocalAsync(path, cancel);
        try
        {
            var named = await nameVersion(cancel);
            if (named is { Minor: > GrpcMethods.LastMinor } || (named is null && await HttpSession.IsSpokenAtAsync(path, cancel)))
            {
                await connection.DisposeAsync();
                return new HttpSession(path, named ?? HeadscaleVersion.Newest);
            }

            return await GrpcSession.OpenAsync(connection, named, cancel);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private void Close(ISocketSession session)
    {
        if (Interlocked.CompareExchange(ref _session, null, session) == session)
        {
            session.Dispose();
        }
    }
}
