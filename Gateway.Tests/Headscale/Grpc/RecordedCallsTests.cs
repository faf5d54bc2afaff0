using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Headscale.Grpc;

/// <summary>
/// The stand-in is called over its socket as real Headscales were, in the same order, and answers with the same codes and messages.
/// What differs stands in Data/grpc/differences.txt with its reason.
/// </summary>
public sealed partial class RecordedCallsTests
{
    private const int Prefix = 5;

    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "Data", "grpc");

    [Theory]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(29)]
    public async Task TheStandInAnswersCallsAsARealHeadscaleDid(int minor)
    {
        using var folder = new TemporaryFolder();
        var socket = Path.Combine(folder.Path, "headscale.sock");
        await using var headscale = await HeadscaleStandIn.StartAsync(minor, socket: socket, isFresh: true);
        using var client = ClientOf(socket);
        var listed = Recorded.ReadDifferences(_folder, minor);
        var found = new List<(string Name, string Difference)>();
        foreach (var (line, at) in File.ReadLines(Path.Combine(_folder, $"0.{minor}.jsonl")).Select((line, at) => (line, at)))
        {
            var recorded = JsonNode.Parse(line)!.AsObject();
            if (recorded["absent"] is null && await CallAsync(client, recorded, minor) is { } difference)
            {
                found.Add(($"{at} {recorded["method"]}", difference));
            }
        }

        found.Where(one => !listed.Any(name => Recorded.IsMeant(name, one.Name))).Should().BeEmpty("each difference is mended or listed");
        listed.Where(name => !found.Exists(one => Recorded.IsMeant(name, one.Name))).Should()
            .BeEmpty("what no longer differs is not listed");
    }

    private static HttpClient ClientOf(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost"),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>How the answer differs from the recorded one; null when it does not.</summary>
    private static async Task<string?> CallAsync(HttpClient client, JsonObject recorded, int minor)
    {
        var message = Convert.FromBase64String((string)recorded["request"]!);
        var frame = new byte[Prefix + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, Prefix);
        using var content = new ByteArrayContent(frame) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
        using var answer = await client.PostAsync(
            new Uri($"/{GrpcMethods.Service}/{recorded["method"]}", UriKind.Relative), content);
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        var headers = answer.Headers.Concat(answer.TrailingHeaders).ToLookup(one => one.Key, one => string.Concat(one.Value));
        var code = headers["grpc-status"].Single();
        if (code != $"{recorded["code"]}")
        {
            return $"code {code} for {recorded["code"]}: {string.Concat(headers["grpc-message"])}";
        }

        if (recorded["json"] is not { } json)
        {
            return null;
        }

        using var stream = new GrpcJsonStream(
            GrpcMethods.Find((string)recorded["method"]!)!.Response, bytes[Prefix..], new HeadscaleVersion(minor));
        var ours = JsonNode.Parse(stream);
        var theirs = JsonNode.Parse(Varying().Replace(json.ToJsonString(), "<any>"));
        return Recorded.IsAlike(ours, theirs, isError: false) ? null : $"{ours?.ToJsonString()} for {theirs?.ToJsonString()}";
    }

    /// <summary>Times but the first of all, keys, and what is made up at random.</summary>
    [GeneratedRegex("20[0-9]{2}-[0-9T:.-]+Z|[a-z]+key:[0-9a-f]{64}|hskey-[A-Za-z0-9*_-]+|(?<=\"(?:key|prefix|apiKey)\":\")[^\"]+|"
        + "(?<=exit-|laptop-|server-)[a-z0-9]{8}")]
    private static partial Regex Varying();
}
