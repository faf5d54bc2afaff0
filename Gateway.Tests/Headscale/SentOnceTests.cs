using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Headscale;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale;

/// <summary>A connection that ends before the answer: what Headscale may have done is not asked for again.</summary>
public sealed class SentOnceTests
{
    [Theory]
    [InlineData("DELETE", 1)]
    [InlineData("POST", 1)]
    [InlineData("GET", 2)]
    public async Task OnlyWhatChangesNothingIsSentAgain(string method, int times)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var heads = new List<string>();
        var serving = ServeAsync();
        using var http = new HttpMessageInvoker(new SentOnce(UpstreamSockets.Create(null)));

        (await SendAsync("GET", "/first")).Should().Be("200");
        (await SendAsync(method, "/second")).Should().Be(times == 1 ? "lost" : "200");
        listener.Stop();
        await serving;

        heads.Count(one => one.StartsWith($"{method} /second", StringComparison.Ordinal)).Should().Be(times);

        async Task<string> SendAsync(string verb, string path)
        {
            using var request = new HttpRequestMessage(
                new HttpMethod(verb), new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}{path}"));
            try
            {
                using var answer = await http.SendAsync(request, default);
                await answer.Content.ReadAsStringAsync();
                return $"{(int)answer.StatusCode}";
            }
            catch (HttpRequestException)
            {
                return "lost";
            }
        }

        // The first connection answers once and then takes a request and ends; every other answers.
        async Task ServeAsync()
        {
            for (var isFirst = true; ; isFirst = false)
            {
                TcpClient client;
                try
                {
                    client = await listener.AcceptTcpClientAsync();
                }
                catch (Exception e) when (e is SocketException or InvalidOperationException)
                {
                    return;
                }

                using (client)
                {
                    var stream = client.GetStream();
                    while (await RawPeer.ReadHeadAsync(stream) is { Length: > 0 } head)
                    {
                        heads.Add(head);
                        if (isFirst && heads.Count > 1)
                        {
                            break;
                        }

                        await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
                        if (!isFirst)
                        {
                            break;
                        }
                    }
                }
            }
        }
    }
}
