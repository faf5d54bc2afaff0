using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Headscale;
using Gateway.Headscale.Grpc;

namespace Gateway.Sandbox.StandIns;

/// <summary>
/// What Headscale up to 0.29 speaks on its socket, as a shell around the HTTP API: a call becomes the request that does the same,
/// and the JSON that is answered becomes a message.
/// </summary>
internal sealed class GrpcFace(int version)
{
    private const int Prefix = 5;

    /// <summary>Operations that take their arguments from the query although they are no GET or DELETE.</summary>
    private static readonly HashSet<string> _byQuery = ["ExpireNode", "RegisterNode", "BackfillNodeIPs"];

    private readonly HeadscaleVersion _version = new(version);
    private readonly ConditionalWeakTable<byte[], byte[]> _frames = [];

    /// <summary>The method that is called; null: there is none of that name.</summary>
    public GrpcMethod? MethodOf(string path) =>
        path.Split('/') is ["", GrpcMethods.Service, var name] && GrpcMethods.Find(name) is { } method && method.IsIn(_version)
            ? method : null;

    /// <summary>The request that does the same as a call.</summary>
    public (string Verb, string Target, string Body) Translate(GrpcMethod method, byte[] frame)
    {
        var arguments = GrpcRequest.Read(method, frame.AsSpan(Prefix), _version).Arguments;
        var path = string.Join('/', method.Pattern.Split('/').Select(part => part is ['{', .. var name, '}']
            ? Uri.EscapeDataString(arguments.GetValueOrDefault(name).Text ?? "0") : part));
        var rest = arguments.Where(one => !method.Pattern.Contains($"{{{one.Key}}}", StringComparison.Ordinal)).ToArray();
        if (method.Verb is "GET" or "DELETE" || _byQuery.Contains(method.Name))
        {
            var query = string.Join('&', rest.OrderBy(one => one.Key, StringComparer.Ordinal)
                .Select(one => $"{one.Key}={Uri.EscapeDataString(one.Value.Text ?? "true")}"));
            return (method.Verb, query.Length == 0 ? path : $"{path}?{query}", "");
        }

        var body = new JsonObject();
        foreach (var field in method.Request.FieldsIn(_version))
        {
            if (rest.FirstOrDefault(one => one.Key == field.Name) is { Key: not null, Value: var value })
            {
                body[field.Name] = value switch
                {
                    { List: { } list } => new JsonArray([.. list.Select(one => (JsonNode)one)]),
                    { Flag: { } flag } => flag,
                    _ => value.Text,
                };
            }
            else if (field.Type is GrpcType.Flag)
            {
                // On the wire there is no difference between false and nothing.
                body[field.Name] = false;
            }
        }

        return (method.Verb, path, body.Count == 0 ? "" : body.ToJsonString());
    }

    /// <summary>Answers with what the API says. What was answered before is not translated again.</summary>
    public async Task AnswerAsync(HttpContext context, GrpcMethod method, byte[] json)
    {
        var frame = _frames.GetValue(json, _ => FrameOf(method, json));
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(frame, context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private byte[] FrameOf(GrpcMethod method, byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var message = GrpcJson.Read(method.Response, document.RootElement, _version);
        var frame = new byte[Prefix + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, Prefix);
        return frame;
    }

    /// <summary>Answers with headers alone, as gRPC does for errors.</summary>
    public static void Fail(HttpContext context, StandInFailure failure)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = $"{failure.Code}";
        context.Response.Headers["grpc-message"] = GrpcErrors.Encode(failure.Message);
    }
}
