using System.Net.Sockets;

namespace Gateway.Edge;

/// <summary>Connections to sockets in the file system.</summary>
internal static class UnixSocket
{
    /// <summary>Opens one; the stream owns it.</summary>
    /// <exception cref="SocketException">Nobody is there, or it may not be opened.</exception>
    public static async Task<Stream> ConnectAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
