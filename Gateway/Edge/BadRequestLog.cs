using System.Diagnostics;
using Gateway.Settings;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>
/// Says in the log, at most once a minute, that a front speaks HTTP/1.0 where clients want a tunnel: Kestrel refuses their
/// request before any middleware sees it.
/// </summary>
internal sealed partial class BadRequestLog(TimeProvider clock, ILogger<BadRequestLog> log) : IObserver<KeyValuePair<string, object?>>
{
    /// <summary>The event of Kestrel for requests that it refuses itself.</summary>
    private const string Event = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    private const string Tunnel = "/ts2021";

    private readonly LogThrottle<string> _throttle = new(clock);

    /// <summary>Looks at what the server refuses, until the process ends.</summary>
    public void Watch(DiagnosticListener server) => server.Subscribe(this, (name, _, _) => name == Event);

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is IFeatureCollection features && features.Get<IHttpRequestFeature>() is { } request
            && request.Path.StartsWith(Tunnel, StringComparison.Ordinal) && _throttle.IsFirst(""))
        {
            LogRefused(OutsideText.Clean(request.Path), request.Protocol);
        }
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    [LoggerMessage(1, LogLevel.Warning, "{Path} came over {Protocol} and could not be read: the proxy in front must speak HTTP/1.1 and "
        + "pass Upgrade and Connection on (docs/fronts.md)")]
    private partial void LogRefused(string path, string protocol);
}
