using Gateway.Policy;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Edge;

/// <summary>Ends what is still open a while after a shutdown began: tunnels would otherwise hold it up for ever.</summary>
internal sealed class TunnelDrain(IHostApplicationLifetime lifetime, ConfigurationMonitor monitor, TimeProvider clock) : IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private ITimer? _timer;

    public void Watch() => lifetime.ApplicationStopping.Register(() =>
        _timer = clock.CreateTimer(_ => _over.Cancel(), null, TimeSpan.FromSeconds(monitor.Current.Settings.Server.DrainSeconds),
            Timeout.InfiniteTimeSpan));

    /// <summary>Connection middleware that cuts a connection when its time is over. It costs nothing for a request.</summary>
    public ConnectionDelegate Cut(ConnectionDelegate next) => async connection =>
    {
        await using var cut = _over.Token.Register(() => connection.Abort());
        await next(connection);
    };

    public void Dispose()
    {
        _timer?.Dispose();
        _over.Dispose();
    }
}
