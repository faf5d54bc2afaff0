namespace Gateway.Forwarding;

/// <summary>What a gRPC client is answered, such as the headscale command line up to 0.29: that there is no gRPC here.</summary>
internal static class GrpcAnswer
{
    private const string MediaType = "application/grpc";
    private const string Unimplemented = "12";
    private const string Words = "this gateway does not answer gRPC: use its HTTP API, or run headscale beside Headscale";

    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool IsAskedFor(HttpContext context) =>
        context.Request.ContentType?.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>An answer of headers alone, as gRPC has it for errors ("Trailers-Only").</summary>
    public static Task RefuseAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = MediaType;
        response.Headers["grpc-status"] = Unimplemented;
        response.Headers["grpc-message"] = Words;
        return Task.CompletedTask;
    }
}
