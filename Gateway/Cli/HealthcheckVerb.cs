using System.CommandLine;
using System.Net;
using Gateway.Edge;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary><c>gateway healthcheck</c>: whether the gateway of this configuration answers. For containers, which have no curl.</summary>
internal static class HealthcheckVerb
{
    public static Command Create()
    {
        var verb = new Command("healthcheck", "Ask the running gateway whether it is alive.");
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (CommandLine.Load(parsed) is not var (_, configuration, _))
        {
            return Output.Failed;
        }

        var server = configuration.Settings.Server;
        var (listen, address) = (server.Listen[0], AddressOf(server));
        using var handler = new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(3) };
        if (listen.SocketPath is { } path)
        {
            handler.ConnectCallback = async (_, stop) => await UnixSocket.ConnectAsync(path, stop);
        }

#pragma warning disable CA5359 // The certificate is for the public name, and over loopback there is nobody to impersonate us.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5) };
        if (listen.Scheme is "h2c")
        {
            (http.DefaultRequestVersion, http.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        }

        try
        {
            using var response = await http.GetAsync(address, cancel);
            if (response.IsSuccessStatusCode)
            {
                Console.WriteLine("ok");
                return Output.Fine;
            }

            return Output.Fail($"{listen.Label}: {address.AbsolutePath} answered {(int)response.StatusCode}; is something else there?");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return Output.Fail($"{listen.Label}: {e.Message}");
        }
    }

    private static Uri AddressOf(ServerSettings server)
    {
        var listen = server.Listen[0];
        if (listen.SocketPath is not null)
        {
            return new Uri($"http://localhost{server.BasePath}/healthz");
        }

        var host = listen.EndPoint.Address;
        var reachable = host.Equals(IPAddress.Any) ? "127.0.0.1" : host.Equals(IPAddress.IPv6Any) ? "[::1]" : listen.Host;
        return new Uri($"{(listen.Scheme is "https" ? "https" : "http")}://{reachable}:{listen.Port}{server.BasePath}/healthz");
    }
}
