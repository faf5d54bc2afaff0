using System.Net;
using Gateway.Policy;

namespace Gateway.Edge;

/// <summary>One line for each request, where <c>log.requests</c> asks for it. Queries are left out: keys stand in them.</summary>
internal sealed partial class RequestLog(ConfigurationMonitor monitor, TimeProvider clock, ILogger<RequestLog> log)
{
    public RequestDelegate Write(RequestDelegate next) => context =>
        monitor.Current.Settings.Log.Requests ? WriteAsync(next, context) : next(context);

    private async Task WriteAsync(RequestDelegate next, HttpContext context)
    {
        var started = clock.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            var request = context.Features.Get<RequestContext>();
            LogRequest(
                context.Request.Method, PathOf(context, request), context.Response.StatusCode,
                (long)clock.GetElapsedTime(started).TotalMilliseconds, request?.Peer.Client, context.TraceIdentifier);
        }
    }

    /// <summary>Of a client, the rule: with the id of a device that waits, others could let it in as theirs.</summary>
    private static string PathOf(HttpContext context, RequestContext? request) =>
        request?.Configuration.Table.Find(context.Request.Method, request.Target?.Path ?? "").Rule is { Plane: Plane.Client } rule
            && rule.Path.Parameters.Any()
                ? rule.Path.Pattern
                : context.Request.Path.ToString();

    [LoggerMessage(1, LogLevel.Information, "{Method} {Path} {Status} {Milliseconds} ms for {Client} ({Reference})")]
    private partial void LogRequest(string method, string path, int status, long milliseconds, IPAddress? client, string reference);
}
