using System.Text;

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
            GrpcFace.Fail(context, new(StatusCodes.Status501NotImplemented, $"unknown method {path}"));
            return;
        }

        var (verb, target, body) = _grpc.Translate(method, frame);
        var received = Receive(context, verb, target, body, !context.Request.Headers.ContainsKey("x-request-id"), isLocal: true);
        try
        {
            var (segments, query) = (Route.Of(29, target).Segments, target.Split('?', 2).ElementAtOrDefault(1) ?? "");
            var json = Prepared?.Invoke(received)
                ?? Encoding.UTF8.GetBytes(
                    Answer(verb, segments, query, null, body)?.ToJsonString() ?? throw new StandInFailure(501, "unknown method"));
            await _grpc.AnswerAsync(context, method, json);
        }
        catch (StandInFailure failure)
        {
            GrpcFace.Fail(context, failure);
        }
    }
}
