using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Gateway.Cli;

/// <summary>The public address, as a client without a credential meets it.</summary>
internal sealed class PublicAddress : IDisposable
{
    /// <summary>The identity that is made up; it is nobody's.</summary>
    public const string Forged = "doctor-is-nobody";

    /// <summary>How long an answer may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Uri _address;
    private readonly HttpClient _http;

    public PublicAddress(Uri address)
    {
        _address = address;
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectCallback = ConnectAsync })
        {
            Timeout = Patience,
        };
    }

    /// <summary>The port from which the last connection was made.</summary>
    public int LastPort { get; private set; }

    public void Dispose() => _http.Dispose();

    /// <summary>A connection, with TLS where the address has it; HTTP/1.1 is spoken on it.</summary>
    /// <exception cref="AuthenticationException">The certificate is not trusted.</exception>
    public async Task<Stream> OpenAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(_address.Host.Trim('[', ']'), _address.Port, patience.Token);
        var stream = new NetworkStream(socket, ownsSocket: true);
        if (_address.Scheme != "https")
        {
            return stream;
        }

        var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = _address.Host, ApplicationProtocols = [SslApplicationProtocol.Http11] },
            patience.Token);
        return tls;
    }

    /// <summary>Asks for something, and follows nothing. Status 0: no answer came, and the text says why.</summary>
    /// <param name="forged">Headers to make an identity up in.</param>
    public Task<(int Status, HttpResponseHeaders Headers, string Text)> GetAsync(string target, params IEnumerable<string> forged) =>
        GetAsync(target, forged.Distinct(StringComparer.OrdinalIgnoreCase).Select(name => (name, Forged)));

    /// <summary>Asks for something with these headers, and follows nothing. Status 0: no answer came, and the text says why.</summary>
    public async Task<(int Status, HttpResponseHeaders Headers, string Text)> GetAsync(
        string target, IEnumerable<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, target));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var answer = await _http.SendAsync(request);
            return ((int)answer.StatusCode, answer.Headers, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            using var none = new HttpResponseMessage();
            return (0, none.Headers, e.Message);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        LastPort = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return new NetworkStream(socket, ownsSocket: true);
    }
}
