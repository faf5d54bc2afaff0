using Gateway.Settings;

namespace Gateway.Edge;

/// <summary>Says in the log, at most once a minute, that requests come back.</summary>
internal sealed partial class LoopLog(TimeProvider clock, ILogger<LoopLog> log)
{
    private readonly LogThrottle<string> _throttle = new(clock);

    public void Log()
    {
        if (_throttle.IsFirst(""))
        {
            LogLoop();
        }
    }

    [LoggerMessage(1, LogLevel.Error, "headscale.url leads back to this gateway: a request came in that it had sent itself, and was "
        + "answered 508")]
    private partial void LogLoop();
}
