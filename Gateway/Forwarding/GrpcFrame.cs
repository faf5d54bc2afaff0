using System.Buffers.Binary;
using System.Globalization;
using Gateway.Headscale.Grpc;
using Grpc.Core;

namespace Gateway.Forwarding;

/// <summary>A request or an answer of gRPC that does not have the expected form, with the code that says so.</summary>
internal sealed class GrpcFrameException(StatusCode code, string message) : Exception(message)
{
    public StatusCode Code => code;
}

/// <summary>gRPC's framing over HTTP/2, for calls with one message each way (grpc.io, PROTOCOL-HTTP2).</summary>
internal static class GrpcFrame
{
    /// <summary>The media type of calls and answers.</summary>
    public const string MediaType = "application/grpc";

    private const int Prefix = 5;

    private const int Part = 4096;

    /// <summary>Nobody waits longer.</summary>
    private static readonly TimeSpan _longest = TimeSpan.FromDays(1);

    /// <summary>Reads the one message of a call.</summary>
    /// <param name="largest">The largest message that the operation takes, in bytes.</param>
    /// <exception cref="GrpcFrameException">There is none, more than one, or it is compressed or too large.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int largest, CancellationToken cancel)
    {
        var prefix = new byte[Prefix];
        if (await request.Body.ReadAtLeastAsync(prefix, Prefix, throwOnEndOfStream: false, cancel) < Prefix)
        {
            throw new GrpcFrameException(StatusCode.Internal, "the call has no message");
        }

        if (prefix[0] != 0)
        {
            throw new GrpcFrameException(StatusCode.Unimplemented, "compressed messages are not taken");
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        if (length > largest)
        {
            throw new GrpcFrameException(StatusCode.ResourceExhausted, $"a message of this operation has at most {largest} bytes");
        }

        // Memory is taken for what arrives, and not for what is announced.
        using var message = new MemoryStream();
        var part = new byte[Part];
        for (int read; (read = await request.Body.ReadAsync(part, cancel)) > 0;)
        {
            message.Write(part, 0, read);
            if (message.Length > length)
            {
                break;
            }
        }

        return message.Length == length
            ? message.ToArray() : throw new GrpcFrameException(StatusCode.Internal, "the call has not exactly one message");
    }

    /// <summary>How long the caller waits (<c>grpc-timeout</c>: up to eight digits and a unit); null: for ever.</summary>
    /// <exception cref="GrpcFrameException">It is not understood.</exception>
    public static TimeSpan? TimeoutOf(HttpRequest request)
    {
        if (request.Headers["grpc-timeout"] is not [{ } text])
        {
            return null;
        }

        return text is { Length: >= 2 and <= 9 }
            && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? Shorter(text[^1] switch
            {
                'H' => TimeSpan.FromHours(count),
                'M' => TimeSpan.FromMinutes(count),
                'S' => TimeSpan.FromSeconds(count),
                'm' => TimeSpan.FromMilliseconds(count),
                'u' => TimeSpan.FromMicroseconds(count),
                'n' => TimeSpan.FromMicroseconds(count / 1000),
                _ => throw new GrpcFrameException(StatusCode.InvalidArgument, "grpc-timeout has no such unit"),
            })
            : throw new GrpcFrameException(StatusCode.InvalidArgument, "grpc-timeout is not understood");
    }

    private static TimeSpan Shorter(TimeSpan timeout) => timeout < _longest ? timeout : _longest;

    /// <summary>Answers with a message.</summary>
    public static async Task WriteAsync(HttpResponse response, byte[] message, CancellationToken cancel)
    {
        var frame = new byte[Prefix + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame, Prefix);
        Begin(response);
        await response.Body.WriteAsync(frame, cancel);
        response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>Answers with an error: headers alone ("Trailers-Only").</summary>
    public static void Fail(HttpResponse response, StatusCode code, string message)
    {
        Begin(response);
        response.Headers["grpc-status"] = ((int)code).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = GrpcErrors.Encode(message);
    }

    private static void Begin(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-store";
    }
}
