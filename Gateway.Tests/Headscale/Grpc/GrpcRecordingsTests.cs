using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;
using Gateway.Policy;

namespace Gateway.Tests.Headscale.Grpc;

/// <summary>Calls that real Headscales answered over their sockets: the same bytes are sent, and the same JSON comes out.</summary>
[Trait("Category", "Fast")]
public sealed class GrpcRecordingsTests
{
    public static TheoryData<int, int, string> Calls
    {
        get
        {
            var calls = new TheoryData<int, int, string>();
            for (var minor = 26; minor <= 29; minor++)
            {
                var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Data", "grpc", $"0.{minor}.jsonl"));
                for (var at = 0; at < lines.Length; at++)
                {
                    calls.Add(minor, at, JsonNode.Parse(lines[at])!["method"]!.GetValue<string>());
                }
            }

            return calls;
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void ACallIsWrittenAndReadAsHeadscaleDoes(int minor, int at, string method)
    {
        var line = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "grpc", $"0.{minor}.jsonl")).ElementAt(at);
        using var recorded = JsonDocument.Parse(line);
        var (call, version, known) = (recorded.RootElement, new HeadscaleVersion(minor), GrpcMethods.Find(method)!);
        if (call.TryGetProperty("absent", out _))
        {
            known.IsIn(version).Should().BeFalse();
            return;
        }

        var request = new GrpcRequest(known, ArgumentsOf(call.GetProperty("sent")));
        var bytes = request.Write(version);
        Convert.ToBase64String(bytes).Should().Be(call.GetProperty("request").GetString(), "{0}", line);
        GrpcRequest.Read(known, bytes, version).Write(version).Should().Equal(bytes, "what is read is what was sent");
        if (!call.TryGetProperty("answer", out var answer))
        {
            return;
        }

        var message = answer.GetBytesFromBase64();
        using var stream = new GrpcJsonStream(known.Response, message, version);
        var json = JsonNode.Parse(stream);
        JsonNode.DeepEquals(json, JsonNode.Parse(call.GetProperty("json").GetRawText())).Should().BeTrue("{0}", json);
        GrpcJson.Read(known.Response, call.GetProperty("json"), version).Should().Equal(message, "the JSON is the whole message");
    }

    private static Dictionary<string, Argument> ArgumentsOf(JsonElement sent) => sent.EnumerateObject().ToDictionary(
        one => one.Name,
        one => one.Value.ValueKind switch
        {
            JsonValueKind.Array => Argument.Of([.. one.Value.EnumerateArray().Select(item => item.GetString()!)]),
            JsonValueKind.True or JsonValueKind.False => Argument.Of(one.Value.GetBoolean()),
            _ => Argument.Of(one.Value.GetString()!),
        });
}
