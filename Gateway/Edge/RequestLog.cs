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
            LogRequest(
                context.Request.Method, context.Request.Path, context.Response.StatusCode,
                (long)clock.GetElapsedTime(started).TotalMilliseconds, context.Features.Get<RequestContext>()?.Peer.Client,
                context.TraceIdentifier);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Method} {Path} {Status} {Milliseconds} ms for {Client} ({Reference})")]
    private partial void LogRequest(string method, PathString path, int status, long milliseconds, IPAddress? client, string reference);
}
