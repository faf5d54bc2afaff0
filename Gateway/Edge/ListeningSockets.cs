using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Gateway.Edge;

/// <summary>
/// The sockets that the gateway opened itself. Before they are closed, nobody new comes in and everybody in their queues is let in:
/// the kernel resets connections that nobody accepted, and a front that has sent a change on one may not send it again
/// (RFC 9110 9.2.2). One that is told "connection refused" may.
/// </summary>
internal sealed partial class ListeningSockets(TimeProvider clock, ILogger<ListeningSockets> log) : IHostedLifecycleService
{
    /// <summary>What a handshake takes that has begun.</summary>
    private static readonly TimeSpan _moment = TimeSpan.FromMilliseconds(20);

    private const int MostMoments = 50;

    private readonly ConcurrentBag<Socket> _sockets = [];

    /// <summary>Takes a socket that listens, or is about to. The server closes it.</summary>
    public void Add(Socket socket) => _sockets.Add(socket);

    /// <summary>Runs before the server closes its sockets.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        foreach (var socket in _sockets)
        {
            LetNobodyIn(socket);
        }

        for (var moment = 0; moment < MostMoments; moment++)
        {
            await Task.Delay(_moment, clock, CancellationToken.None);
            if (cancellationToken.IsCancellationRequested || !_sockets.Any(IsSomebodyWaiting))
            {
                return;
            }
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void LetNobodyIn(Socket socket)
    {
        try
        {
            if (socket.LocalEndPoint is IPEndPoint)
            {
                FirstPackets.Drop(socket);
            }
            else if (socket.LocalEndPoint is UnixDomainSocketEndPoint)
            {
                File.Delete($"{socket.LocalEndPoint}");
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException or UnauthorizedAccessException)
        {
            LogOpen(log, e.Message);
        }
    }

    private static bool IsSomebodyWaiting(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Callers in the queue of a socket may be lost when it is closed: {Reason}")]
    private static partial void LogOpen(ILogger log, string reason);

    /// <summary>
    /// A filter of the kernel (socket(7), SO_ATTACH_FILTER; classic BPF) for the packets that begin a connection: SYN without ACK.
    /// Their sender repeats them after a second, and is refused then, or let in by the next gateway. Handshakes go on.
    /// </summary>
    private static class FirstPackets
    {
        private const int SocketLevel = 1;
        private const int AttachFilter = 26;
        private const int FlagsOfTcp = 13;
        private const uint Syn = 0x02;
        private const uint SynAndAck = 0x12;

        private static readonly Instruction[] _filter =
        [
            // Load the flags, keep two of them, and drop the packet (keep 0 bytes of it) if only SYN is set.
            new(0x30, 0, 0, FlagsOfTcp),
            new(0x54, 0, 0, SynAndAck),
            new(0x15, 0, 1, Syn),
            new(0x06, 0, 0, 0),
            new(0x06, 0, 0, uint.MaxValue),
        ];

        public static void Drop(Socket socket)
        {
            if (!OperatingSystem.IsLinux())
            {
                return;
            }

            var pinned = GCHandle.Alloc(_filter, GCHandleType.Pinned);
            try
            {
                var program = new Program((ushort)_filter.Length, pinned.AddrOfPinnedObject());
                socket.SetRawSocketOption(SocketLevel, AttachFilter, MemoryMarshal.AsBytes(new ReadOnlySpan<Program>(in program)));
            }
            finally
            {
                pinned.Free();
            }
        }

        /// <summary>struct sock_filter.</summary>
        [StructLayout(LayoutKind.Sequential)]
        private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

        /// <summary>struct sock_fprog.</summary>
        [StructLayout(LayoutKind.Sequential)]
        private readonly record struct Program(ushort Length, nint Filter);
    }
}
