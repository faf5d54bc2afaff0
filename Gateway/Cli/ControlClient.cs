using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Edge;
using Gateway.Audit;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary>
/// Has the running gateway do what a verb asks for, over its control socket; where none runs, does the same in this process,
/// which then holds the store.
/// </summary>
internal static class ControlClient
{
    /// <summary>What a verb asks for.</summary>
    public static ControlRequest Request(string verb, params ReadOnlySpan<(string Name, string? Value)> arguments)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments)
        {
            if (value is not null)
            {
                given[name] = value;
            }
        }

        return new(verb, Environment.UserName, given);
    }

    /// <exception cref="StoreException">No gateway runs, and the store cannot be used.</exception>
    public static async Task<ControlAnswer> RunAsync(Configuration configuration, ControlRequest request, CancellationToken cancel) =>
        await AskAsync(ControlSocket.PathOf(configuration.Settings), request, cancel) ?? await RunHereAsync(configuration, request, cancel);

    /// <summary>Asks the gateway that runs; null when none does.</summary>
    /// <exception cref="StoreException">It does not answer, or not to this account.</exception>
    public static Task<ControlAnswer?> AskRunningAsync(GatewaySettings settings, ControlRequest request, CancellationToken cancel) =>
        AskAsync(ControlSocket.PathOf(settings), request, cancel);

    /// <summary>What was asked for; null after a complaint on standard error.</summary>
    public static async Task<T?> AskAsync<T>(
        Configuration configuration, ControlRequest request, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        var answer = await RunAsync(configuration, request, cancel);
        if (answer is { Error: null, Result: { } result })
        {
            await SayNoteAsync(answer);
            return result.Deserialize(type);
        }

        await Console.Error.WriteLineAsync(answer.Error ?? "the gateway gave no answer");
        return null;
    }

    /// <summary>Says how a change ended.</summary>
    public static async Task<int> DoAsync(Configuration configuration, ControlRequest request, string done, CancellationToken cancel)
    {
        var answer = await RunAsync(configuration, request, cancel);
        if (answer.Error is { } error)
        {
            return Output.Fail(error);
        }

        await SayNoteAsync(answer);
        Console.WriteLine(done);
        return Output.Fine;
    }

    private static async Task SayNoteAsync(ControlAnswer answer)
    {
        if (answer.Note is { } note)
        {
            await Console.Error.WriteLineAsync($"note: {note}");
        }
    }

    /// <summary>Null when no gateway runs.</summary>
    private static async Task<ControlAnswer?> AskAsync(string path, ControlRequest request, CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, stop) => await UnixSocket.ConnectAsync(path, stop),
        };
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using var response = await http.PostAsJsonAsync(
                new Uri("http://gateway/"), request, ControlJson.Default.ControlRequest, cancel);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync(
                ControlJson.Default.ControlAnswer, cancel) ?? throw new HttpRequestException("an empty answer");
        }
        catch (HttpRequestException e)
            when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.AddressNotAvailable })
        {
            // Left behind by a gateway that was killed.
            return null;
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied })
        {
            throw new StoreException($"{path} is for the gateway's account; run this as that account or as root", e);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new StoreException($"the running gateway did not answer on {path}: {e.Message}", e);
        }
    }

    private static async Task<ControlAnswer> RunHereAsync(Configuration configuration, ControlRequest request, CancellationToken cancel)
    {
        await using var app = await App.BuildAsync(configuration, adjust: builder => builder.Logging.SetMinimumLevel(LogLevel.Error));
        var audit = app.Services.GetRequiredService<AuditLog>();
        await audit.StartAsync(cancel);
        try
        {
            return await app.Services.GetRequiredService<ControlOperations>().RunAsync(request, cancel);
        }
        finally
        {
            await audit.StopAsync(CancellationToken.None);
        }
    }
}
