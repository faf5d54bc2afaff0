using Gateway.Policy;

namespace Gateway.Edge;

/// <summary>Ends what is still open a while after a shutdown began: tunnels would otherwise hold it up for ever.</summary>
internal sealed class TunnelDrain(IHostApplicationLifetime lifetime, ConfigurationMonitor monitor, TimeProvider clock) : IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private ITimer? _timer;

    public void Watch() => lifetime.ApplicationStopping.Register(() =>
        _timer = clock.CreateTimer(_ => _over.Cancel(), null, TimeSpan.FromSeconds(monitor.Current.Settings.Server.DrainSeconds),
            Timeout.InfiniteTimeSpan));

    /// <summary>Middleware that cuts a request when its time is over.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        await using var cut = _over.Token.Register(context.Abort);
        await next(context);
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _over.Dispose();
    }
}
