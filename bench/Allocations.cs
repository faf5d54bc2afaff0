using System.Diagnostics.Tracing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Loading;
using Gateway.Sandbox;

namespace Gateway.Bench;

/// <summary>
/// How many bytes a request allocates in the gateway and in bare YARP: both run in this process, one after the other, and the
/// client that asks allocates nothing. Unlike time, this is the same in every run.
/// </summary>
internal static class Allocations
{
    private const int Requests = 20_000;
    private const int WarmUp = 5_000;

    private static readonly string _key = $"hskey-api-{new string('a', 12)}-{new string('b', 64)}";

    /// <summary>Prints bytes for a request.</summary>
    /// <param name="withTypes">Whether the types that are most of it are printed as well.</param>
    public static async Task MeasureAsync(bool withTypes)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
        var (upstreamPort, yarpPort, port) = (GatewayProcess.FreePort(), GatewayProcess.FreePort(), GatewayProcess.FreePort());
        using var upstream = Servers.Start("upstream", upstreamPort, _key);
        try
        {
            await using var yarp = Servers.BuildYarp(yarpPort, upstreamPort);
            await yarp.StartAsync();
            var bare = await BytesAsync(yarpPort, "/api/v1/node/11", "", withTypes);
            Say($"{"bare YARP",-24} {bare,6:0} bytes");

            var file = Path.Combine(folder, "headtower.yaml");
            await File.WriteAllTextAsync(file, Planes.Configuration(folder, port, upstreamPort));
            var (configuration, problems, _) = new ConfigurationFiles(file, null, new Dictionary<string, string>()).Load();
            await using var gateway = await App.BuildAsync(
                configuration ?? throw new InvalidOperationException(string.Join('\n', problems.Errors)));
            await gateway.StartAsync();
            foreach (var (name, target, headers) in new[]
            {
                ("client plane", "/key?v=1", ""),
                ("signed in by headers", "/api/v1/node/11", "Remote-User: alice\r\nRemote-Email: alice@example.test\r\n"),
                ("own Headscale key", "/api/v1/node/11", $"Authorization: Bearer {_key}\r\n"),
            })
            {
                var bytes = await BytesAsync(port, target, headers, withTypes);
                Say($"{name,-24} {bytes,6:0} bytes, {bytes - bare,6:0} more than bare YARP");
            }
        }
        finally
        {
            upstream.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> BytesAsync(int port, string target, string headers, bool withTypes)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        for (var tries = 0; !socket.Connected; tries++)
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
        }

        var request = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n");
        var buffer = new byte[64 * 1024];
        Ask(socket, request, buffer, WarmUp);
        using var types = withTypes ? new TypeListener() : null;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Ask(socket, request, buffer, Requests);
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Requests;
        types?.Print(bytes);
        return bytes;
    }

    /// <summary>Answers are short and come whole: each ends before the next request is sent.</summary>
    private static void Ask(Socket socket, byte[] request, byte[] buffer, int times)
    {
        for (var at = 0; at < times; at++)
        {
            socket.Send(request);
            var (read, end) = (0, -1);
            while (end < 0 || read < end)
            {
                read += socket.Receive(buffer, read, buffer.Length - read, SocketFlags.None);
                end = EndOf(buffer.AsSpan(0, read));
            }
        }
    }

    private static int EndOf(ReadOnlySpan<byte> answer)
    {
        if (answer.IndexOf("\r\n\r\n"u8) is not (>= 0 and var head))
        {
            return -1;
        }

        var length = answer[..head].IndexOf("Content-Length: "u8) is >= 0 and var at
            && System.Buffers.Text.Utf8Parser.TryParse(answer[(at + "Content-Length: ".Length)..], out int value, out _)
            ? value
            : throw new InvalidOperationException("an answer without a length");
        return head + 4 + length;
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>Samples what is allocated: one object in every 100 kB.</summary>
    private sealed class TypeListener : EventListener
    {
        private readonly Dictionary<string, int> _types = [];

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            {
                EnableEvents(eventSource, EventLevel.Verbose, (EventKeywords)1);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventName?.StartsWith("GCAllocationTick", StringComparison.Ordinal) is true)
            {
                var name = (string)eventData.Payload![5]!;
                lock (_types)
                {
                    _types[name] = _types.GetValueOrDefault(name) + 1;
                }
            }
        }

        public void Print(double bytes)
        {
            lock (_types)
            {
                var all = (double)_types.Values.Sum();
                foreach (var (name, count) in _types.OrderByDescending(one => one.Value).Take(40))
                {
                    Say($"    {bytes * count / all,6:0} {name}");
                }
            }
        }
    }
}
