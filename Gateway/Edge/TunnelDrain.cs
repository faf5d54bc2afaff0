using System.Collections.Concurrent;
using System.Security.Cryptography;
using Gateway.Policy;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Edge;

/// <summary>
/// Ends what is still open after a shutdown began. Tunnels never end by themselves: they are cut one after the other within the time to
/// drain, so that their clients do not all come back at once. Everything else has that time to end.
/// </summary>
internal sealed class TunnelDrain(IHostApplicationLifetime lifetime, ConfigurationMonitor monitor, TimeProvider clock) : IDisposable
{
    private static readonly object _tunnel = new();

    private readonly ConcurrentDictionary<ConnectionContext, ITimer?> _open = new();

    /// <summary>How many connections are open.</summary>
    public int Open => _open.Count;

    public void Watch() => lifetime.ApplicationStopping.Register(() =>
    {
        var time = TimeSpan.FromSeconds(monitor.Current.Settings.Server.DrainSeconds);
        foreach (var connection in _open.Keys)
        {
            var share = connection.Items.ContainsKey(_tunnel) ? RandomNumberGenerator.GetInt32(0, 1001) / 1000.0 : 1;
            _open.TryUpdate(
                connection, clock.CreateTimer(_ => connection.Abort(), null, time * share, Timeout.InfiniteTimeSpan), null);
        }
    });

    /// <summary>Notes that the connection of a request has become a tunnel.</summary>
    public static void MarkTunnel(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.TryAdd(_tunnel, _tunnel);

    /// <summary>Connection middleware that cuts a connection when its time is over. It costs nothing for a request.</summary>
    public ConnectionDelegate Cut(ConnectionDelegate next) => async connection =>
    {
        _open[connection] = null;
        try
        {
            await next(connection);
        }
        finally
        {
            if (_open.TryRemove(connection, out var timer) && timer is not null)
            {
                await timer.DisposeAsync();
            }
        }
    };

    public void Dispose()
    {
        foreach (var timer in _open.Values)
        {
            timer?.Dispose();
        }
    }
}
