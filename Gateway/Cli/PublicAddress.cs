using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Gateway.Cli;

/// <summary>The public address, as a client without a credential meets it.</summary>
internal sealed class PublicAddress(Uri address) : IDisposable
{
    /// <summary>The identity that is made up; it is nobody's.</summary>
    public const string Forged = "doctor-is-nobody";

    /// <summary>How long an answer may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http =
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Patience };

    public void Dispose() => _http.Dispose();

    /// <summary>A connection, with TLS where the address has it; HTTP/1.1 is spoken on it.</summary>
    /// <exception cref="AuthenticationException">The certificate is not trusted.</exception>
    public async Task<Stream> OpenAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address.Host.Trim('[', ']'), address.Port, patience.Token);
        var stream = new NetworkStream(socket, ownsSocket: true);
        if (address.Scheme != "https")
        {
            return stream;
        }

        var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = address.Host, ApplicationProtocols = [SslApplicationProtocol.Http11] },
            patience.Token);
        return tls;
    }

    /// <summary>Asks for something, and follows nothing. Status 0: no answer came, and the text says why.</summary>
    /// <param name="forged">Headers to make an identity up in.</param>
    public async Task<(int Status, HttpResponseHeaders Headers, string Text)> GetAsync(string target, params IEnumerable<string> forged)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, target));
        foreach (var name in forged.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            request.Headers.TryAddWithoutValidation(name, Forged);
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
}
