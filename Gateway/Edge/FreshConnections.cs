using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Edge;

/// <summary>
/// A connection that was accepted has a moment for its first request, also while the gateway ends: a front that has just sent a
/// change on it could not know whether it may send it again (RFC 9110 9.2.2).
/// </summary>
internal static class FreshConnections
{
    private static readonly TimeSpan _moment = TimeSpan.FromSeconds(1);

    /// <summary>Connection middleware, in front of HTTP.</summary>
    public static void KeepFreshConnections(this ListenOptions listen) => listen.Use(next => async connection =>
    {
        if (connection.Features.Get<IConnectionLifetimeNotificationFeature>() is not { } feature)
        {
            await next(connection);
            return;
        }

        using var closing = new CancellationTokenSource();
        var state = new State();
        await using var asked = feature.ConnectionClosedRequested.Register(() =>
        {
            if (state.IsUsed)
            {
                closing.Cancel();
            }
            else
            {
                closing.CancelAfter(_moment);
            }
        });
        connection.Features.Set(state);
        connection.Features.Set<IConnectionLifetimeNotificationFeature>(new Closing(feature, closing.Token));
        await next(connection);
    });

    /// <summary>Middleware: from its first request on, a connection is closed when it is idle.</summary>
    public static RequestDelegate MarkUsed(RequestDelegate next) => context =>
    {
        if (context.Features.Get<State>() is { } state)
        {
            state.IsUsed = true;
        }

        return next(context);
    };

    private sealed class State
    {
        private volatile bool _isUsed;

        public bool IsUsed
        {
            get => _isUsed;
            set => _isUsed = value;
        }
    }

    private sealed class Closing(
        IConnectionLifetimeNotificationFeature inner, CancellationToken requested) : IConnectionLifetimeNotificationFeature
    {
        public CancellationToken ConnectionClosedRequested { get; set; } = requested;

        public void RequestClose() => inner.RequestClose();
    }
}
