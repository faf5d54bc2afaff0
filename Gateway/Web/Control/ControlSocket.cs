using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Web.Control;

/// <summary>
/// Where the verbs of the command line reach the running gateway: <c>control.sock</c> in the data folder, for the gateway's own
/// account and root alone. Whoever may open it may also read the store, so it asks for nothing more.
/// </summary>
internal sealed partial class ControlSocket(
    ControlOperations operations, Arrivals arrivals, ConfigurationMonitor monitor, ILogger<ControlSocket> log)
    : IHostedService, IAsyncDisposable
{
    public const string FileName = "control.sock";

    private WebApplication? _server;

    public static string PathOf(GatewaySettings settings) => Path.GetFullPath(Path.Combine(settings.Server.DataPath, FileName));

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var path = PathOf(monitor.Current.Settings);
        try
        {
            // Whoever holds the store's lock may take the place of a gateway that is gone.
            File.Delete(path);
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.CreateBoundListenSocket = BindPrivately)
                .ConfigureKestrel(kestrel =>
                {
                    kestrel.Limits.MaxRequestBodySize = null;
                    kestrel.ListenUnixSocket(path);
                });
            _server = builder.Build();
            _server.Run(AnswerAsync);
            await _server.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            // A path of more than 107 characters cannot be a socket.
            LogNoSocket(path, e.Message);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is not null)
        {
            await _server.StopAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        ControlAnswer answer;
        try
        {
            answer = await JsonSerializer.DeserializeAsync(
                context.Request.Body, ControlJson.Default.ControlRequest, context.RequestAborted) is { } request
                ? await RunAsync(request, context.RequestAborted)
                : ControlAnswer.Fail("this is no request");
        }
        catch (JsonException e)
        {
            answer = ControlAnswer.Fail($"this is no request: {e.Message}");
        }

        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, answer, ControlJson.Default.ControlAnswer, context.RequestAborted);
    }

    /// <summary>What only a gateway knows that listens, and what every gateway does.</summary>
    private Task<ControlAnswer> RunAsync(ControlRequest request, CancellationToken cancel) => request.Verb switch
    {
        "arrival.expect" => Task.FromResult(ControlAnswer.Of(arrivals.Expect(), ControlJson.Default.String)),
        "arrival.take" => Task.FromResult(
            arrivals.Take() is { } seen ? ControlAnswer.Of(seen, ControlJson.Default.Arrival) : ControlAnswer.Fail("it did not arrive")),
        _ => operations.RunAsync(request, cancel),
    };

    /// <summary>Nobody can connect before a socket listens, and it listens only when it is closed to others.</summary>
    private static Socket BindPrivately(EndPoint endpoint)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(endpoint);
        if (!OperatingSystem.IsWindows() && endpoint is UnixDomainSocketEndPoint)
        {
            File.SetUnixFileMode($"{endpoint}", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return socket;
    }

    [LoggerMessage(1, LogLevel.Error, "The control socket {Path} cannot be opened: {Cause}. The verbs of the command line work only "
        + "while the gateway is stopped")]
    private partial void LogNoSocket(string path, string cause);
}
