using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Sandbox.StandIns;

/// <content>What versions up to 0.29 speak at their socket.</content>
internal sealed partial class HeadscaleStandIn
{
    /// <summary>The gateway's own look-ups have no reference.</summary>
    private async Task AnswerGrpcAsync(HttpContext context, byte[] frame)
    {
        var path = context.Request.Path.Value ?? "";
        if (_grpc.MethodOf(path) is not { } method)
        {
            GrpcFace.Fail(context, StatusCodes.Status501NotImplemented, $"unknown method {path}");
            return;
        }

        var (verb, target, body) = _grpc.Translate(method, frame);
        var received = Receive(context, verb, target, body, !context.Request.Headers.ContainsKey("x-request-id"), isLocal: true);
        try
        {
            var query = new QueryCollection(QueryHelpers.ParseQuery(target.Split('?').ElementAtOrDefault(1)));
            var json = Prepared?.Invoke(received)
                ?? Encoding.UTF8.GetBytes(
                    Answer(verb, target, query, body)?.ToJsonString() ?? throw new StandInFailure(501, "unknown method"));
            await _grpc.AnswerAsync(context, method, json);
        }
        catch (StandInFailure failure)
        {
            GrpcFace.Fail(context, Version == 26 && failure.Status == 404 ? 500 : failure.Status, failure.Message);
        }
    }
}
