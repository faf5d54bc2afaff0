using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Sandbox.StandIns;

/// <summary>
/// What Tailscale clients talk to. The cryptography is left out; the bytes have the lengths and framing of the real ones.
/// </summary>
internal static class ClientPlane
{
    private const string Html = "text/html; charset=utf-8";

    /// <summary>51 bytes of handshake answer, then three records with the early payload: 212 bytes.</summary>
    public static byte[] Greeting { get; } = MakeGreeting();

    /// <summary>Whether a path is the description of the API, which 0.30 gives to anybody.</summary>
    public static bool IsDescription(PathString path) =>
        path.Value is "/api/v1/openapi.json" or "/api/v1/openapi.yaml" or "/api/v1/docs" or "/api/v2/openapi.json";

    public static Task AnswerAsync(HttpContext context, int version)
    {
        var request = context.Request;
        return (request.Method, request.Path.Value) switch
        {
            ("POST", "/ts2021") => AnswerControlAsync(context, request.Headers["X-Tailscale-Handshake"].ToString()),
            ("GET", "/ts2021") when context.WebSockets.IsWebSocketRequest => AnswerSocketAsync(context, "tailscale-control-protocol"),
            (_, "/derp") => AnswerDerpAsync(context),
            ("HEAD", "/machine/ping-response") when version >= 29 => WriteAsync(context, 200, ""),
            ("GET", "/version") when version >= 27 => WriteAsync(
                context, 200,
                $$"""{"version":"v0.{{version}}.0","commit":"0","buildTime":"0","go":"""
                    + """{"version":"go1.26","os":"linux","arch":"amd64"},"dirty":false}"""),
            ("GET", "/health") => WriteAsync(context, 200, """{"status":"pass"}""", "application/health+json; charset=utf-8"),
            ("GET", "/key") => AnswerKeyAsync(context),
            ("POST", "/verify") => AnswerVerifyAsync(context, version),
            ("GET", "/ts2021") => WriteAsync(context, 500, "Internal error\n"),
            ("GET" or "HEAD", "/derp/probe" or "/derp/latency-check") or (_, "/bootstrap-dns")
                or ("GET", "/oidc/callback") => WriteAsync(context, 200, "stand-in"),
            ("GET", "/robots.txt") when version >= 27 => WriteAsync(context, 200, "User-agent: *\nDisallow: /", "text/plain"),
            ("GET", "/apple" or "/windows") => WriteAsync(context, 200, "stand-in", Html),
            ("GET", "/apple/ios" or "/apple/macos-app-store" or "/apple/macos-standalone") =>
                WriteAsync(context, 200, "stand-in", "application/x-apple-aspen-config; charset=utf-8"),
            ("GET", var path) when path!.StartsWith("/apple/", StringComparison.Ordinal) =>
                WriteAsync(context, 400, "platform must be ios, macos-app-store or macos-standalone\n"),
            ("GET", "/favicon.ico") when version >= 28 => WriteAsync(context, 200, "stand-in", "image/png"),
            ("GET", "/") when version >= 28 => WriteAsync(context, 200, "<!DOCTYPE html><html lang=\"en\"></html>", Html),
            ("GET", var path) when path!.StartsWith("/register/", StringComparison.Ordinal)
                || (version >= 29 && path.StartsWith("/auth/", StringComparison.Ordinal)) =>
                    path.EndsWith("/x", StringComparison.Ordinal) ? WriteAsync(context, 400, "invalid auth id\n")
                    : WriteAsync(context, 200, "stand-in", Html),
            ("GET", _) when version >= 30 && IsDescription(request.Path) =>
                WriteAsync(context, 200, """{"openapi":"3.1.0"}""", "application/openapi+json"),
            ("GET", "/swagger") when version <= 29 => WriteAsync(context, 200, "stand-in", Html),
            ("GET", "/swagger/v1/openapiv2.json") when version <= 29 =>
                WriteAsync(context, 200, """{"swagger":"2.0"}""", "application/json; charset=utf-8"),
            ("POST", var path) when path!.StartsWith("/register/confirm/", StringComparison.Ordinal) =>
                WriteAsync(context, 200, "stand-in"),
            ("POST", var path) when version >= 29 && path!.StartsWith("/register/", StringComparison.Ordinal) => NotAllowed(context, "GET"),
            (_, "/health") when version >= 29 => NotAllowed(context, "GET"),
            (_, "/verify") when version >= 29 => NotAllowed(context, "POST"),
            _ => NotFoundAsync(context, version),
        };
    }

    /// <summary>0.28 answers 200 with an empty page to whatever it does not have; before, 404 with nothing.</summary>
    public static Task NotFoundAsync(HttpContext context, int version)
    {
        if (version >= 28)
        {
            return version == 28
                ? WriteAsync(context, 200, "<!DOCTYPE html><html lang=\"en\"><body></body></html>", Html)
                : WriteAsync(context, 404, "404 page not found\n");
        }

        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }

    private static Task NotAllowed(HttpContext context, string allowed)
    {
        (context.Response.StatusCode, context.Response.Headers.Allow) = (StatusCodes.Status405MethodNotAllowed, allowed);
        return Task.CompletedTask;
    }

    /// <summary>Clients that are too old get nothing.</summary>
    private static Task AnswerKeyAsync(HttpContext context)
    {
        const int oldest = 39;
        var version = context.Request.Query["v"].ToString();
        return !int.TryParse(version, out var number)
            ? WriteAsync(context, 400, version.Length == 0 ? "capability version must be set\n" : "invalid capability version\n")
            : number < oldest && number > 1 ? Task.CompletedTask
            : WriteAsync(context, 200, """{"legacyPublicKey":"mkey:00","publicKey":"mkey:8d5c"}""");
    }

    private static async Task AnswerVerifyAsync(HttpContext context, int version)
    {
        context.Request.Body.Position = 0;
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        if (!(await reader.ReadToEndAsync()).StartsWith('{'))
        {
            await (version == 26 ? WriteAsync(context, 500, "internal server error\n")
                : WriteAsync(context, 400, "Bad Request: invalid JSON\n"));
            return;
        }

        await WriteAsync(
            context, 200, """{"Allow":true}""", version is 26 or >= 30 ? "application/json" : "text/plain; charset=utf-8");
    }

    private static async Task AnswerControlAsync(HttpContext context, string handshake)
    {
        if (context.Request.Headers.Upgrade != "tailscale-control-protocol"
            || context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
        {
            await WriteAsync(context, 500, "Internal error");
            return;
        }

        if (handshake.Length == 0)
        {
            await WriteAsync(context, 400, "missing Tailscale handshake header\ninternal server error\n");
            return;
        }

        context.Response.Headers.Upgrade = "tailscale-control-protocol";
        await using var tunnel = await upgrade.UpgradeAsync();
        await tunnel.WriteAsync(Greeting, context.RequestAborted);
        await EchoAsync(tunnel, context.RequestAborted);
    }

    private static async Task AnswerDerpAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest && context.WebSockets.WebSocketRequestedProtocols.Contains("derp"))
        {
            await AnswerSocketAsync(context, "derp");
        }
        else if (context.Request.Headers.Upgrade.ToString().ToUpperInvariant() is "DERP" or "WEBSOCKET"
            && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
        {
            context.Response.Headers.Upgrade = "DERP";
            context.Response.Headers["Derp-Version"] = "2";
            await using var tunnel = await upgrade.UpgradeAsync();
            await tunnel.WriteAsync(
                (byte[])[1, 0, 0, 0, 40, .. Encoding.UTF8.GetBytes("DERP\U0001F511"), .. new byte[32]], context.RequestAborted);
            await EchoAsync(tunnel, context.RequestAborted);
        }
        else
        {
            await WriteAsync(context, 426, "DERP requires connection upgrade");
        }
    }

    private static async Task AnswerSocketAsync(HttpContext context, string protocol)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(protocol);
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(),
            context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } message)
        {
            await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }

    private static async Task EchoAsync(Stream tunnel, CancellationToken cancel)
    {
        try
        {
            await tunnel.CopyToAsync(tunnel, cancel);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other side left.
        }
    }

    private static Task WriteAsync(HttpContext context, int status, string text, string? type = null)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type ?? (text.StartsWith('{') ? "application/json" : "text/plain; charset=utf-8");
        context.Response.ContentLength = Encoding.UTF8.GetByteCount(text);
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.WriteAsync(text);
    }

    private static byte[] MakeGreeting()
    {
        byte[] answer = [2, 0, 48, .. new byte[48]];
        return [.. answer, .. Record(24), .. Record(23), .. Record(114)];

        static byte[] Record(int length) => [4, 0, (byte)(length - 3), .. new byte[length - 3]];
    }
}
