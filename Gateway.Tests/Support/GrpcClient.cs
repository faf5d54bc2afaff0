using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>What a gRPC call came to.</summary>
internal sealed record GrpcAnswer(int Code, string Message, byte[]? Bytes);

/// <summary>grpc-js as a process: a client of another make than the server's libraries.</summary>
internal sealed class GrpcClient : IAsyncDisposable
{
    private readonly Process _process;

    private GrpcClient(Process process) => _process = process;

    /// <param name="authority">PEM file of the certificate that is believed; null: without TLS.</param>
    /// <param name="name">The name that the certificate has.</param>
    public static GrpcClient Start(string address, string? authority = null, string name = "localhost") => new(Process.Start(
        new ProcessStartInfo("node", ["client.mjs", address, .. authority is null ? [] : new[] { authority, name }])
        {
            WorkingDirectory = Path.Combine(RealComponents.Providers, "grpc-client"),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!);

    public async Task<GrpcAnswer> CallAsync(
        string method, byte[] message, IReadOnlyDictionary<string, string> metadata, int? deadline = null, string? service = null)
    {
        var call = new JsonObject
        {
            ["method"] = method,
            ["message"] = Convert.ToBase64String(message),
            ["metadata"] = JsonSerializer.SerializeToNode(metadata),
            ["deadline"] = deadline,
            ["service"] = service,
        };
        await _process.StandardInput.WriteLineAsync(call.ToJsonString());
        await _process.StandardInput.FlushAsync();
        var answer = JsonNode.Parse(await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("node ended"))!;
        return new(
            answer["code"]!.GetValue<int>(), answer["message"]!.GetValue<string>(),
            answer["answer"]?.GetValue<string>() is { } bytes ? Convert.FromBase64String(bytes) : null);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
